"""Rules of `faults` that hit a request of the bot's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.faults import LONGEST_DELAY, ON_REQUESTS
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.simulator.world import World

_RULE: Final = "A fault rule of the simulator says so."
_LOOK: Final = 0.05  # seconds between two looks whether the bot has hung up
# The platform takes these messages, and tells of the failure by a status.
_BY_STATUS: Final = frozenset({130472, 131026, 131047, 131049, 131053, 137000})

Mishap = tuple[str, Any]

# With which code the message fails that is being taken. (A request itself can hold no values of
# ours that aiohttp 3.9 and 3.14 both like.)
_fails_with: ContextVar[int | None] = ContextVar("fails_with", default=None)


def fails_with() -> int | None:
    """Return the code that a rule lets the message of this request fail with."""
    return _fails_with.get()


async def find(world: World, place: str, request: web.Request) -> Mishap | None:
    """Return what goes wrong with *request*, if a rule says so."""
    _fails_with.set(None)  # one connection has one context for all its requests
    facts = await _facts(request) if place == "messages" else {}
    if facts is None:
        return None
    mishap = world.faults.find(place, ON_REQUESTS, **facts)
    if mishap is not None:
        world.publish_faults()
    return mishap


async def before(mishap: Mishap, request: web.Request) -> web.StreamResponse | None:
    """Let it happen to a request that was not handled yet; an answer ends it. Raises `Refused`."""
    match mishap:
        case "code", code if code in _BY_STATUS and request.path.endswith("/messages"):
            _fails_with.set(code)
        case "code", code:
            raise Refused(problems.of_code(code), _RULE)
        case "missing", _:
            raise Refused(problems.GONE, _RULE)
        case "expire_token", _:
            raise Refused(problems.TOKEN_EXPIRED, _RULE)
        case "status", status:
            return web.json_response({"simulator": {"rule": _RULE}}, status=status)
        case "delay", seconds:
            await asyncio.sleep(seconds)
        case (("timeout" | "hang_up"), True):
            return await _drop(mishap, request)
    return None


async def after(mishap: Mishap, request: web.Request) -> web.StreamResponse | None:
    """Let it happen to a request that was handled: its answer gets lost."""
    match mishap:
        case (("timeout" | "hang_up"), "after"):
            return await _drop(mishap, request)
    return None


async def _drop(mishap: Mishap, request: web.Request) -> web.StreamResponse:
    if mishap[0] == "timeout":
        for _ in range(int(LONGEST_DELAY / _LOOK)):
            if _is_gone(request):
                break
            await asyncio.sleep(_LOOK)
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=504)  # nobody is there to see it


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _facts(request: web.Request) -> dict[str, str | None] | None:
    """Return type and recipient of a message; nothing for a request that sends none."""
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
        "person": clean_phone(to) if isinstance(to, str) else None,
    }
