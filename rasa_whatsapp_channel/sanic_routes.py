"""Sanic routes: the endpoint in Rasa's server; its requests and answers as Sanic has them."""

from __future__ import annotations

from collections.abc import Callable

from sanic import Blueprint
from sanic import response as http
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from rasa_whatsapp_channel.inbound.endpoint import (
    HEALTH,
    METRICS,
    NOTIFY,
    PREFIX,
    WEBHOOK,
    Endpoint,
    HttpRequest,
)
from rasa_whatsapp_channel.settings.handoff import ADDRESS
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused


def add_routes(blueprint: Blueprint, endpoint: Callable[[], Endpoint], *, desk: bool) -> None:
    """Let *endpoint* answer at all its addresses; at those of a *desk* only if there is one."""

    async def answer(request: Request) -> HTTPResponse:
        return await _answer(endpoint(), request)

    async def answer_below(request: Request, rest: str) -> HTTPResponse:
        return await answer(request)

    # Sanic would read the body of a GET, up to 100 MB, before it calls the handler.
    for name, path in (("health", HEALTH), ("metrics", METRICS), ("challenge", WEBHOOK)):
        route = blueprint.route(path.removeprefix(PREFIX), ["GET"], name=name, ignore_body=True)
        route(answer)
    for name, path in (("receive", WEBHOOK), ("notify", NOTIFY)):
        blueprint.route(path.removeprefix(PREFIX), ["POST"], name=name, stream=True)(answer)
    known = f"{NOTIFY.removeprefix(PREFIX)}/<rest>"
    about = blueprint.route(known, ["GET", "DELETE"], name="notified", ignore_body=True)
    about(answer_below)
    if desk:
        below = f"{ADDRESS.removeprefix(PREFIX)}<rest:path>"
        ask = blueprint.route(below, ["GET"], name="desk", ignore_body=True)
        post = blueprint.route(below, ["POST"], name="asked_by_desk", stream=True)
        for route in (ask, post):
            route(answer_below)


async def _answer(endpoint: Endpoint, request: Request) -> HTTPResponse:
    """Let *endpoint* answer Sanic's *request*."""
    answer = await endpoint.handle(
        HttpRequest(
            method=request.method,
            path=request.path,
            headers=request.headers,
            query=dict(request.query_args) if request.query_string else {},
            client=request.ip,
            forwarded_for=",".join(request.headers.getall("x-forwarded-for", [])),
            scheme=request.scheme,
            read=lambda: _read(request),
            expects_continue=bool(request.stream.expecting_continue),
        )
    )
    if not answer.body_read:
        _discard_body(request)
    return http.raw(
        answer.body,
        status=answer.status,
        headers=dict(answer.headers),
        content_type=answer.content_type,
    )


async def _read(request: Request) -> bytes | None:
    try:
        chunk: bytes | None = await request.stream.read()
    except SanicException as error:  # malformed, such as chunks without a length
        raise WebhookRefused(
            f"the body cannot be read: {error}", kind="malformed", status=error.status_code
        ) from error
    return chunk


def _discard_body(request: Request) -> None:
    """
    Leave the rest of the body unread, and close the connection if there is a rest.

    Otherwise Sanic would read it after the answer, however long that takes.
    """
    stream = request.stream
    if stream.request_body == "chunked" or stream.request_bytes_left:
        stream.keep_alive = False
        stream.request_body = None
        # Sanic 21.12 keeps a closed connection for 15 seconds, and with it what was received.
        stream.recv_buffer.clear()
