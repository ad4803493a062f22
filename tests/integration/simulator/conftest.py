"""A simulator on a real socket, and a small server that plays the bot."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.eventually import eventually

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app
from rasa_whatsapp_channel.whatsapp.apis import APIS

MAYA = "4915112345678"
TOKEN = {"Authorization": "Bearer simulator-token"}
# base64 of simulator:simulator-password
LOGIN = {"Authorization": "Basic c2ltdWxhdG9yOnNpbXVsYXRvci1wYXNzd29yZA=="}
NUMBER = "106540352242922"


@dataclass
class Received:
    """One webhook as it came in."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Bot:
    """Takes webhooks; answers with the *statuses* given, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    async def webhook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.received.append(Received(request.path_qs, headers, raw))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def takes(self, count: int) -> list[Received]:
        """Wait until *count* webhooks have come, and return them."""
        await eventually(lambda: len(self.received) >= count)
        return self.received


@dataclass
class Clock:
    now: float = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Simulator:
    url: str
    session: aiohttp.ClientSession
    clock: Clock

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.url + path, **options) as response:
            raw = await response.read()
        try:
            return response.status, json.loads(raw)
        except ValueError:
            return response.status, raw

    async def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        return await self.call("POST", path, json=body, **options)

    async def get(self, path: str, **options: Any) -> tuple[int, Any]:
        return await self.call("GET", path, **options)

    async def cloud(self, body: Any) -> tuple[int, Any]:
        return await self.post(f"/v26.0/{NUMBER}/messages", body, headers=TOKEN)

    async def writes(self, message: Any, person: str = MAYA) -> Any:
        """Let a person write; return the message."""
        status, written = await self.post(f"/simulator/people/{person}/messages", message)
        assert status == 200, written
        return written

    async def says(self, text: str, person: str = MAYA) -> Any:
        return await self.writes({"type": "text", "text": {"body": text}}, person)

    async def chat(self, person: str = MAYA) -> list[Any]:
        _, chat = await self.get(f"/simulator/people/{person}/messages")
        return list(chat)

    async def shows(self, count: int, person: str = MAYA) -> list[Any]:
        """Wait until the chat holds *count* messages, and return them."""

        async def shown() -> list[Any]:
            return chat if len(chat := await self.chat(person)) >= count else []

        return list(await eventually(shown)) if count else await self.chat(person)

    async def attempts(self, count: int) -> list[Any]:
        """Wait until *count* webhooks have been answered or not, and return their log."""

        async def log() -> list[Any]:
            _, attempts = await self.get("/simulator/webhooks")
            return list(attempts) if len(attempts) >= count else []

        return list(await eventually(log))

    async def login(self) -> dict[str, str]:
        """Return the header of a fresh on-premises token."""
        status, answer = await self.post("/v1/users/login", headers=LOGIN)
        assert status == 200, answer
        return {"Authorization": f"Bearer {answer['users'][0]['token']}"}


Start = Callable[..., Awaitable[Simulator]]


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.router.add_post("/webhook", bot.webhook)
    async with TestServer(app) as server:
        bot.url = str(server.make_url("/webhook"))
        yield bot


@pytest.fixture
async def start(bot: Bot) -> AsyncIterator[Start]:
    """Start simulators: ``await start("on_premises", explanations=False)``."""
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start_one(api: str = "cloud", **options: Any) -> Simulator:
            clock = Clock()
            settings = {"webhook": bot.url, "retry_pauses": (0.01,), **options}
            server = TestServer(create_app(Config(api=APIS[api], **settings), clock=clock))
            await server.start_server()
            servers.append(server)
            return Simulator(str(server.make_url("/")).rstrip("/"), session, clock)

        yield start_one
        for server in servers:
            await server.close()


@pytest.fixture
async def simulator(start: Start) -> Simulator:
    return await start()


@pytest.fixture
async def host() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Put files on a server: ``await host(content, "image/png")`` returns the link."""
    files: dict[str, tuple[bytes, str, int]] = {}

    async def serve(request: web.Request) -> web.Response:
        content, mime_type, status = files[request.match_info["name"]]
        return web.Response(body=content, status=status, headers={"Content-Type": mime_type})

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:

        async def put(content: bytes, mime_type: str, *, status: int = 200) -> str:
            name = f"file-{len(files)}"
            files[name] = (content, mime_type, status)
            return str(server.make_url(f"/{name}"))

        yield put
