"""
API endpoints: read a request, answer it in the format of its API, and log it.

A handler returns an `ApiAnswer` or a whole response; it raises `Refused` for an invalid request.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import ids, problems, refusals
from rasa_whatsapp_channel.simulator.api import request_faults
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.problems import TOKEN, Code, Refused
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

# The platform documents no limit; its largest messages are far smaller.
MESSAGE_BYTES: Final = 1024 * 1024
TEMPLATES: Final = 2_000_000  # the subcodes about templates are larger
# Part of every response of an on-premises client.
META: Final = {"api_status": "stable", "version": "2.61.1"}


@dataclass(frozen=True)
class ApiAnswer:
    body: Any
    status: int = 200
    rule: str | None = None  # broken, although the platform reports success


Handler = Callable[[web.Request], Awaitable["ApiAnswer | web.StreamResponse"]]
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def endpoint(world: World, api: Api, handler: Handler, *, place: str | None = None) -> Endpoint:
    """
    Return *handler* as an aiohttp handler that answers in the format of *api* and logs.

    *place* is its name in rules of `faults`.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        started, clock = world.clock(), time.perf_counter()
        rule, code = None, None
        if world.config.latency:
            await asyncio.sleep(world.config.latency)
        try:
            answered = await _handle(world, handler, request, place)
            rule = answered.rule if isinstance(answered, ApiAnswer) else None
        except Refused as refused:
            rule, code = refused.rule, refused.problem.code(api).number
            status, body = error_answer(refused, api, explain=world.config.explanations)
            answered = ApiAnswer(body, status)
        entry = {
            "method": request.method,
            "path": request.path_qs,
            "body": await _loggable(request),
            "status": answered.status,
            "answer": answered.body if isinstance(answered, ApiAnswer) else None,
            "time": started,
            "seconds": round(time.perf_counter() - clock, 6),
            "fault": request_faults.why() if place else None,
        }
        refusals.record_request(world, entry, rule, code)
        if isinstance(answered, ApiAnswer):
            return web.json_response(answered.body, status=answered.status)
        return answered

    return answer


async def _handle(
    world: World, handler: Handler, request: web.Request, place: str | None
) -> ApiAnswer | web.StreamResponse:
    hit = await request_faults.find(world, place, request) if place else None
    if hit is None:
        return await handler(request)
    dropped = await request_faults.before(hit, request)
    if dropped is not None:
        return dropped
    answered = await handler(request)
    raw = json.dumps(answered.body).encode() if isinstance(answered, ApiAnswer) else None
    return await request_faults.after(world, hit, request, raw) or answered


async def read_json(request: web.Request) -> Any:
    """Return the body as JSON; raise `Refused` for anything else."""
    if request.content_type != "application/json":
        raise Refused(
            problems.NO_JSON, f"Content-Type must be application/json, not {request.content_type}."
        )
    raw = await request.read()
    if len(raw) > MESSAGE_BYTES:
        raise Refused(problems.NO_JSON, f"A body has at most {MESSAGE_BYTES} bytes.")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(problems.NO_JSON, "The body is not JSON.") from error


def named_media(world: World, request: web.Request) -> MediaFile:
    """Return the file with the id in the path; raise `Refused` if it is unknown or expired."""
    media_id = request.match_info["media_id"]
    file = world.library.find_usable(media_id)
    if file is None:
        raise Refused(
            problems.NOT_FOUND, f"There is no media with id {media_id}, or it has expired."
        )
    return file


async def _loggable(request: web.Request) -> Any:
    """Read the whole body, even if refused: a client that is still sending reads no response."""
    if not request.body_exists:
        return None
    # A sender that hangs up in the middle of its body wants no answer any more.
    with suppress(web.HTTPRequestEntityTooLarge, ValueError, RecursionError, ConnectionError):
        raw = await request.read()
        if request.content_type == "application/json":
            return json.loads(raw)
    return {"content_type": request.content_type, "size": request.content_length}


def error_answer(refused: Refused, api: Api, *, explain: bool) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the error body of *api*."""
    code = refused.problem.code(api)
    if api is DIALOG360 and refused.problem is TOKEN:
        body = _gateway_error(refused)
    elif api in (CLOUD, DIALOG360):
        body = _graph_error(code, refused.details)
    else:
        body = {"meta": META, "errors": [code.to_json(refused.details)]}
    return code.status, {**body, **({"simulator": {"rule": refused.rule}} if explain else {})}


def _graph_error(code: Code, details: str) -> dict[str, Any]:
    error: dict[str, Any] = {
        "message": code.title if code.number == 190 else f"(#{code.number}) {code.title}",
        "type": "OAuthException",
        "code": code.number,
    }
    if code.subcode is not None:
        error["error_subcode"] = code.subcode
        if code.subcode > TEMPLATES:
            error["error_user_title"], error["error_user_msg"] = code.title, details
    elif details.startswith(error["message"][:6]):  # some errors have their own message
        error["message"] = details
    elif code.number != 190:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": {**error, "fbtrace_id": ids.new_trace_id()}}


def _gateway_error(refused: Refused) -> dict[str, Any]:
    meta = {"http_code": 401, "developer_message": refused.details, "success": False}
    return {"meta": meta}
