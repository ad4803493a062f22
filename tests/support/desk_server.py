"""A desk that speaks the contract: checks signatures as Standard Webhooks has them, and asks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from support.eventually import eventually

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signature(message_id: str, at: str, body: bytes, secret: str = SECRET) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class DeskServer:
    """Keeps what it was told; *answers* are the next answers instead of 200."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.attempts = 0
        self.answers: list[tuple[int, bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""
        self.checks = True

    async def event(self, request: web.Request) -> web.Response:
        self.attempts += 1
        await self.gate.wait()
        body = await request.read()
        message_id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        shown = request.headers["webhook-signature"].split()
        if signature(message_id, at, body) not in shown and self.checks:
            return web.Response(status=401)
        assert abs(time.time() - int(at)) < 300
        if self.answers:
            status, said = self.answers.pop(0)
            return web.Response(status=status, body=said)
        event = json.loads(body)
        if event["type"] == "ping":
            return web.Response()
        assert event["id"] == message_id
        self.told.append(event)
        return web.Response()

    def types(self) -> list[str]:
        return [event["type"] for event in self.told]

    def texts(self, kind: str = "message.received") -> list[str]:
        return [each["message"].get("text", "") for each in self.told if each["type"] == kind]

    async def hears(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Return the last event of *kind* as soon as there are *count* of them."""
        await eventually(lambda: self.types().count(kind) >= count, told=lambda: self.told)
        return [event for event in self.told if event["type"] == kind][-1]


class Door:
    """The door of a bot, with a desk before it."""

    def __init__(self, url: str, conversation: str) -> None:
        self._url = f"{url}/handoff/{quote(conversation, safe='')}"

    async def asks(
        self, path: str = "", body: Any = None, *, method: str = "POST", **changed: Any
    ) -> tuple[int, Any]:
        """Return status and answer; *changed* are `at`, `secret` or `raw` of another kind."""
        raw = changed.get("raw", b"" if body is None else json.dumps(body).encode())
        at, message_id = str(int(changed.get("at", time.time()))), "msg_1"
        signed = signature(message_id, at, raw, changed.get("secret", SECRET))
        headers = {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": signed}
        headers |= changed.get("headers", {})
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"{self._url}/{path}", data=raw, headers=headers) as answer,
        ):
            said = await answer.read()
            return answer.status, json.loads(said) if said.startswith(b"{") else said

    async def state(self, after: int | None = None) -> dict[str, Any]:
        query = "" if after is None else f"?after={after}"
        status, answer = await self.asks(query, method="GET")
        assert status == 200, answer
        return dict(answer)


@asynccontextmanager
async def desk_server(desk: DeskServer | None = None) -> AsyncIterator[DeskServer]:
    desk = desk or DeskServer()
    app = web.Application()
    app.router.add_post("/events", desk.event)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    desk.url = f"http://127.0.0.1:{sock.getsockname()[1]}/events"
    try:
        yield desk
    finally:
        desk.gate.set()
        await runner.cleanup()
