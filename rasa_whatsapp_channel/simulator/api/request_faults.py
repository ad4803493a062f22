"""Request faults: apply a fault of a rule or of the weather to a request of the bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import problems, reports
from rasa_whatsapp_channel.simulator.faults import LONGEST_DELAY, ON_REQUESTS, Hit
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.world import World

_FILE: Final = bytes(4096)  # in place of a truncated file
_LOOK: Final = 0.05  # seconds between two checks for a closed connection
# The platform accepts these messages and reports the failure by a status.
_BY_STATUS: Final = frozenset({130472, 131026, 131047, 131049, 131053, 137000})
EARLY: Final = 3.0  # seconds that a response waits for its status to be delivered first

# State of the current request, which aiohttp 3.9 and 3.14 have no common place for.
_fails_with: ContextVar[Hit | None] = ContextVar("fails_with", default=None)
_met: ContextVar[Hit | None] = ContextVar("met", default=None)
_message_id: ContextVar[str | None] = ContextVar("message_id", default=None)


def fails_with() -> Hit | None:
    """Return the fault by which this request's message fails after the response, if any."""
    return _fails_with.get()


def why() -> str | None:
    """Return the description of this request's fault, if any."""
    hit = _met.get()
    return hit.why if hit is not None else None


def record_message_id(message_id: str) -> None:
    """Record the id of the message that this request has sent."""
    _message_id.set(message_id)


async def find(world: World, place: str, request: web.Request) -> Hit | None:
    """Return the fault of *request*, if any."""
    _fails_with.set(None)  # all requests of a connection share a context
    _met.set(None)
    _message_id.set(None)
    facts = await _facts(world, request) if place == "messages" else {}
    hit = world.faults.find(place, ON_REQUESTS, **facts) if facts is not None else None
    _met.set(hit)
    return hit


async def before(hit: Hit, request: web.Request) -> web.StreamResponse | None:
    """Apply a fault before the request is handled; return a response to end it, or raise."""
    match hit.do:
        case "code", code if code in _BY_STATUS and request.path.endswith("/messages"):
            _fails_with.set(hit)
        case "code", code:
            raise Refused(problems.of_code(code), hit.why)
        case "missing", _:
            raise Refused(problems.GONE, hit.why)
        case "expire_token", _:
            raise Refused(problems.TOKEN_EXPIRED, hit.why)
        case "status", status:
            return web.json_response({"simulator": {"rule": hit.why}}, status=status)
        case "retry_after", seconds:
            headers = {"Retry-After": str(seconds)}
            return web.json_response({"simulator": {"rule": hit.why}}, status=429, headers=headers)
        case "delay", seconds:
            await asyncio.sleep(seconds)
        case (("timeout" | "hang_up"), True):
            return await _drop(hit, request)
    return None


async def after(
    world: World, hit: Hit, request: web.Request, answer: bytes | None
) -> web.StreamResponse | None:
    """
    Apply a fault after the request was handled; return the response that replaces *answer*.

    *answer* is None for a file.
    """
    match hit.do:
        case (("timeout" | "hang_up"), "after"):
            return await _drop(hit, request)
        case "cut", _:
            return await _cut(request, answer or _FILE)
        case "early", _ if (message_id := _message_id.get()) is not None:
            await reports.wait_for_status(world, message_id, within=EARLY)
    return None


async def _cut(request: web.Request, answer: bytes) -> web.StreamResponse:
    """Send half of *answer*, then close the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(answer)
    await response.prepare(request)
    await response.write(answer[: len(answer) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drop(hit: Hit, request: web.Request) -> web.StreamResponse:
    if hit.do[0] == "timeout":
        for _ in range(int(LONGEST_DELAY / _LOOK)):
            if _is_gone(request):
                break
            await asyncio.sleep(_LOOK)
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=504)  # the connection is closed


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _facts(world: World, request: web.Request) -> dict[str, str | None] | None:
    """Return type and recipient of a message; None for a request that sends no message."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError, web.HTTPRequestEntityTooLarge):
        return {}
    if not isinstance(body, Mapping):
        return {}
    if "status" in body:
        return None
    kind, to = body.get("type", "text"), body.get("to") or body.get("recipient")
    return {
        "type": kind if isinstance(kind, str) else None,
        "person": world.key_of(to) if isinstance(to, str) else None,
    }
