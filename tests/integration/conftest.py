"""The channel in Sanic on a free port, as Rasa registers it; an agent and a platform of ours."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import os
import pkgutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from support.desk_server import DeskServer, desk_server
from support.eventually import eventually
from support.no_locks import NoLocks
from support.redis_server import RedisServer
from support.uploads import Part, form_of

SECRET = "an-app-secret"

# Something that Rasa Pro imports would ask the internet for prices of models, and wait for them.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test about something that this version of Rasa does not have."""
    for mark in item.iter_markers("needs"):
        try:
            pkgutil.resolve_name(mark.args[0])
        except (ImportError, AttributeError):
            pytest.skip(f"this Rasa has no {mark.args[0]}")


class Platform:
    """Answers like the Cloud API and keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []  # phone number id and token, of each in `sent`
        self.notes: list[str | None] = []  # the header beside each in `sent`
        self.receipts: list[dict[str, Any]] = []
        self.call_actions: list[dict[str, Any]] = []
        self.owners: list[dict[str, Any]] = []  # as a simulator is told
        self.files: dict[str, tuple[bytes, str]] = {}  # by media id: content, MIME type
        self.answers: list[tuple[int, Any]] = []  # the next ones, instead of a message id
        self.gate = asyncio.Event()  # closed: every request waits
        self.gate.set()
        self.waiting = 0  # messages at the gate
        self.files_gate = asyncio.Event()  # closed: every download hangs
        self.files_gate.set()
        self.hanging = 0
        self.downloads = 0
        self.uploads_gate = asyncio.Event()  # closed: every upload waits
        self.uploads_gate.set()
        self.uploading = 0

    async def messages(self, request: web.Request) -> web.Response:
        body = await request.json()
        is_receipt = body.get("status") == "read"
        self.waiting += not is_receipt
        await self.gate.wait()
        self.waiting -= not is_receipt
        if is_receipt:
            self.receipts.append(body)
            return web.json_response({"success": True})
        if self.answers:
            status, answer = self.answers.pop(0)
            return web.json_response(answer, status=status)
        self.sent.append(body)
        token = request.headers["Authorization"]
        self.notes.append(request.headers.get("X-Rasa-Response"))
        self.calls.append((request.match_info["phone_number_id"], token))
        number = len(self.sent)
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": body["to"], "wa_id": body["to"]}],
                "messages": [{"id": f"wamid.out{number}"}],
            }
        )

    async def call(self, request: web.Request) -> web.Response:
        self.call_actions.append(await request.json())
        return web.json_response({"success": True})

    async def owner(self, request: web.Request) -> web.Response:
        self.owners.append(await request.json())
        return web.json_response({"noted": True})

    async def upload(self, request: web.Request) -> web.Response:
        file = (await form_of(request))["file"]
        assert isinstance(file, Part)
        self.uploading += 1
        await self.uploads_gate.wait()
        media_id = f"10{len(self.files)}"
        self.files[media_id] = (file.content, file.content_type)
        return web.json_response({"id": media_id})

    async def media(self, request: web.Request) -> web.Response:
        """Answer where a file is; and there, with the file."""
        media_id = request.match_info["media_id"]
        content, mime_type = self.files[media_id]
        if request.path.startswith("/files/"):
            self.downloads += 1
            self.hanging += 1
            await self.files_gate.wait()
            self.hanging -= 1
            return web.Response(body=content, content_type=mime_type)
        url = f"http://{request.host}/files/{media_id}"
        return web.json_response({"id": media_id, "url": url, "mime_type": mime_type})

    async def sends(self, count: int) -> list[dict[str, Any]]:
        """Return all bodies as soon as there are *count* of them."""
        await self.eventually(lambda: len(self.sent) >= count)
        return self.sent

    async def eventually(self, fact: Callable[[], bool]) -> None:
        await eventually(fact, told=lambda: self.sent)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of its own for the tests of a module."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[DeskServer]:
    async with desk_server() as desk:
        yield desk


@pytest_asyncio.fixture
async def platform() -> AsyncIterator[tuple[Platform, str]]:
    platform = Platform()
    app = web.Application()
    app.router.add_post("/v26.0/{phone_number_id}/messages", platform.messages)
    app.router.add_post("/v26.0/{phone_number_id}/media", platform.upload)
    app.router.add_post("/v26.0/{phone_number_id}/calls", platform.call)
    app.router.add_post("/simulator/owners", platform.owner)
    app.router.add_get("/v26.0/{media_id}", platform.media)
    app.router.add_get("/files/{media_id}", platform.media)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    yield platform, f"http://127.0.0.1:{sock.getsockname()[1]}"
    platform.gate.set()
    platform.files_gate.set()
    platform.uploads_gate.set()
    await runner.cleanup()


class Agent:
    """Stands in for Rasa's agent: *bot* hears each message, *tracker* is what was saved."""

    def __init__(self, bot: Callable[[Any], Awaitable[None]]) -> None:
        self.bot = bot
        self.ready = True
        self.heard: list[Any] = []
        self.tracker_store = self
        self.lock_store = NoLocks()
        self.saved: dict[str, Any] = {}
        self.processor = None  # Rasa Pro's inspector looks at it

    def is_ready(self) -> bool:
        return self.ready

    async def handle_message(self, message: Any) -> None:
        self.heard.append(message)
        await self.bot(message)

    async def retrieve(self, sender_id: str) -> Any:
        return self.saved.get(sender_id)


class Running:
    """A channel that is being served."""

    def __init__(
        self, url: str, agent: Agent, channel: Any, session: aiohttp.ClientSession
    ) -> None:
        self.url = url
        self.agent = agent
        self.channel = channel
        self._session = session

    async def deliver(
        self, payload: Any, *, headers: dict[str, str] | None = None, raw: bytes | None = None
    ) -> int:
        """Deliver a webhook as Meta does and return the HTTP status of the answer."""
        body = raw if raw is not None else json.dumps(payload).encode()
        if headers is None:
            signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            headers = {"X-Hub-Signature-256": f"sha256={signature}"}
        async with self._session.post(
            f"{self.url}/webhook", data=io.BytesIO(body), headers=headers
        ) as answer:
            return answer.status

    async def get(self, path: str = "/") -> tuple[int, str]:
        async with self._session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.text()

    async def health(self) -> dict[str, Any]:
        status, text = await self.get()
        assert status == 200, text
        return dict(json.loads(text))

    async def idle(self) -> dict[str, Any]:
        """Return what the health page says as soon as nothing waits."""

        async def nothing_waits() -> dict[str, Any] | None:
            health = await self.health()
            waiting = health["inbox"]["waiting"] + health["outbox"]["waiting"]
            return None if waiting else health

        found: dict[str, Any] = await eventually(nothing_waits)
        return found


Serve = Callable[..., Any]


@pytest.fixture
def serve(platform: tuple[Platform, str], tmp_path: Path) -> Serve:
    """
    Serve the channel with a bot and settings, as an async context manager.

    *behind* is what the server puts around the channel, *agent* makes Rasa's agent of the bot.
    Serving again in the same test is a restart: the store's file stays.
    """
    channels = pytest.importorskip(
        "rasa.core.channels.channel", reason="no Rasa in this environment"
    )
    from sanic import Sanic

    from rasa_whatsapp_channel import WhatsAppInput

    @asynccontextmanager
    async def serve(
        bot: Callable[[Any], Awaitable[None]],
        *,
        behind: Callable[[Any], Any] = lambda channel: channel,
        agent: Callable[..., Any] = Agent,
        **settings: Any,
    ) -> AsyncIterator[Running]:
        Sanic._app_registry.clear()
        Sanic.test_mode = True
        channel = WhatsAppInput.from_credentials(
            {
                "base_url": platform[1],
                "phone_number_id": "106540352242922",
                "access_token": "a-token",
                "app_secret": SECRET,
                "verify_token": "a-verify-token",
                "store": f"sqlite:///{tmp_path / 'whatsapp.db'}",
                "media": {"store": str(tmp_path / "received")},
                **settings,
            }
        )
        app = Sanic("rasa_core_no_api", configure_logging=False)
        app.ctx.agent = agent(bot)
        channels.register([behind(channel)], app, route="/webhooks/")
        sock = socket.create_server(("127.0.0.1", 0))
        server = await app.create_server(sock=sock, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.before_start()
        await server.start_serving()
        await server.after_start()
        # Sanic closes a connection after 5 idle seconds, maybe as the next request is written.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"http://127.0.0.1:{sock.getsockname()[1]}/webhooks/whatsapp"
            try:
                yield Running(url, app.ctx.agent, channel, session)
            finally:
                await session.close()
                await server.before_stop()
                await server.close()
                await server.after_stop()

    return serve
