"""Request bodies of the control API, and its errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator.problems import Refused, SimulatorError
from rasa_whatsapp_channel.simulator.state import WhatsAppUser, clean_phone
from rasa_whatsapp_channel.simulator.world import World

LONGEST_WAIT: Final = 120.0  # seconds


class ControlError(SimulatorError):
    """Raised for an invalid request to the control API; the text is the response."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@web.middleware
async def explain_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except ControlError as error:
        return web.json_response({"error": str(error)}, status=error.status)
    except web.HTTPRequestEntityTooLarge as error:
        return web.json_response({"error": f"That is too large: {error.text}"}, status=413)
    except Refused as error:
        return web.json_response({"error": error.rule}, status=400)
    return response


async def read_object(request: web.Request) -> Mapping[str, Any]:
    body = await read_json(request)
    if not isinstance(body, Mapping):
        raise ControlError("The body must be a JSON object.")
    return body


async def read_json(request: web.Request) -> Any:
    return load_json(await request.read())


def load_json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ControlError("That is not JSON.") from error


def text_of(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ControlError(f"{key} must be a string.")
    return value


def seconds_of(text: str) -> float:
    try:
        return min(max(float(text), 0.0), LONGEST_WAIT)
    except ValueError:
        raise ControlError("wait is a number of seconds.") from None


def find_person(world: World, request: web.Request) -> WhatsAppUser:
    key = request.match_info["person"]
    person = world.find_person(key) or world.find_person(clean_phone(key))
    if person is None:
        raise ControlError(f"There is no person with {key}.", status=404)
    return person
