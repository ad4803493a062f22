"""
The part of Meta's Cloud API that takes messages, with whatever trouble a test wants.

Written from Meta's pages and apart from the package's simulator, so that both are judges.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from support.webhooks import NUMBER

Trouble = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Accepted:
    """A message that WhatsApp has taken: its recipient will see it, whatever the sender learns."""

    id: str
    at: float  # time.monotonic()
    to: str
    text: str
    token: str  # of the sender
    body: dict[str, Any]


class CloudApi:
    def __init__(self, *, pause: float = 0.0) -> None:
        self.number = NUMBER
        self.port = 0
        self.accepted: list[Accepted] = []
        self.refused: list[float] = []  # when
        self.trouble: Trouble | None = None  # meets every message, as long as it is set
        self.next: deque[Trouble] = deque()  # each meets one message
        self._pause = pause  # between accepting and answering, in seconds
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.accepted]

    async def open(self) -> None:
        """Listen; after `close`, at the same address as before."""
        app = web.Application()
        app.router.add_post(f"/v25.0/{self.number}/messages", self._messages)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        sock = socket.create_server(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        await web.SockSite(self._runner, sock).start()

    async def close(self) -> None:
        """Be gone: connections break, new ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def takes(self, count: int, *, within: float = 60.0) -> list[str]:
        """Return the texts of all messages as soon as there are *count* of them."""
        end = time.monotonic() + within
        while len(self.accepted) < count:
            assert time.monotonic() < end, f"only {self.texts} after {within:g} seconds"
            await asyncio.sleep(0.01)
        return self.texts

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ConnectionError:  # the sender died before all of it was here
            return web.Response()
        if body.get("status") == "read":
            return web.json_response({"success": True})
        trouble = self.next.popleft() if self.next else self.trouble
        if trouble is not None:
            self.refused.append(time.monotonic())
            return await trouble(request)
        answer = self.accept(request, body)
        await asyncio.sleep(self._pause)
        return web.json_response(answer)

    def accept(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        """Take the message, and return what the API answers then."""
        message_id = f"wamid.out{len(self.accepted)}"
        token = request.headers["Authorization"].removeprefix("Bearer ")
        text = body.get("text", {}).get("body", "")
        taken = Accepted(message_id, time.monotonic(), body["to"], text, token, body)
        self.accepted.append(taken)
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": body["to"], "wa_id": body["to"]}],
            "messages": [{"id": message_id}],
        }


@asynccontextmanager
async def cloud_api(**options: Any) -> AsyncIterator[CloudApi]:
    api = CloudApi(**options)
    await api.open()
    try:
        yield api
    finally:
        await api.close()


def answers(status: int, content: Any, **headers: str) -> Trouble:
    """Answer *content*: bytes as they are, anything else as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def trouble(_request: web.Request) -> web.Response:
        if isinstance(content, bytes):
            return web.Response(status=status, body=content, headers=named)
        return web.json_response(content, status=status, headers=named)

    return trouble


def fails(status: int, code: int, message: str, **headers: str) -> Trouble:
    """Refuse with an error object of the Graph API."""
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    return answers(status, {"error": {**error, "fbtrace_id": "AzPQ6DMwnKqyp"}}, **headers)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Break the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def answers_half(request: web.Request) -> web.StreamResponse:
    """Promise a body and break off in its middle."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 200
    await response.prepare(request)
    await response.write(b'{"messaging_product": "whatsapp", "contacts": [{"inp')
    assert request.transport is not None
    request.transport.close()
    return response


def hangs(gate: asyncio.Event) -> Trouble:
    """Say nothing until *gate* opens, then break the connection."""

    async def trouble(request: web.Request) -> web.StreamResponse:
        with contextlib.suppress(asyncio.CancelledError):
            await gate.wait()
        return await hangs_up(request)

    return trouble
