"""A bot of ours and the simulator in one process, with the whole way of a message between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.eventually import PATIENCE, eventually

from rasa_whatsapp_channel.app import App
from rasa_whatsapp_channel.inbound.endpoint import WEBHOOK
from rasa_whatsapp_channel.server import answer
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.server import WORLD, create_app
from rasa_whatsapp_channel.simulator.state import ChatMessage
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.store.base import QueueItem
from rasa_whatsapp_channel.whatsapp.apis import APIS

MAYA = "4915112345678"
_stores = count(1)


@dataclass
class Desk:
    """A *bot* whose folder is *root*, and the WhatsApp (*world*) it speaks to."""

    bot: App
    world: World
    root: Path
    heard: list[Any] = field(default_factory=list)

    def put(self, name: str, content: bytes) -> str:
        """Put a file where files are sent from, unless *name* has a folder; return its path."""
        name = name if "/" in name else f"media/{name}"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return name

    async def say(self, *responses: Mapping[str, Any], to: str = MAYA) -> None:
        for response in responses:
            await self.bot.outbox_writer().write(to, response)

    def notes_waits(self) -> list[float]:
        """Return a list that grows by the seconds that messages are told to wait from now on."""
        waits: list[float] = []
        outbox = self.bot.store.outbox
        retry_later = outbox.retry_later

        async def noted(item: QueueItem, after: float = 0.0, **more: Any) -> None:
            waits.append(after)
            await retry_later(item, after, **more)

        outbox.retry_later = noted  # type: ignore[method-assign]
        return waits

    async def shows(self, count: int, *, within: float = PATIENCE) -> list[ChatMessage]:
        """Wait until *count* messages have arrived with a person, and return them."""
        await eventually(
            lambda: len(self.arrived()) >= count,
            within=within,
            told=lambda: self.world.state.messages,
        )
        return self.arrived()

    async def fails_to_fetch(self) -> None:
        """Wait until a message waits for another try of its file."""
        while not any(row.last_error for row in await self.bot.store.outbox.waiting()):
            await asyncio.sleep(0.02)

    def arrived(self) -> list[ChatMessage]:
        messages = self.world.state.messages.values()
        return [each for each in messages if each.direction == "outbound" and not each.errors]

    def file_of(self, message: ChatMessage) -> bytes:
        (media_id,) = set(message.media.values())
        found = self.world.library.find(media_id)
        assert found is not None
        return found.path.read_bytes()

    def uploads(self) -> int:
        return self.posts("/media")

    def posts(self, end: str) -> int:
        """Return how many requests were posted to a path with this *end*."""
        return sum(
            entry["method"] == "POST" and entry["path"].endswith(end)
            for entry in self.world.requests
        )


Start = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """``await start("cloud", media={"convert": False})``"""
    root = tmp_path / "bot"
    root.mkdir()
    async with AsyncExitStack() as stack:

        async def start(api: str = "cloud", **settings: Any) -> Desk:
            return await stack.enter_async_context(_desk(api, root, settings))

        yield start


@asynccontextmanager
async def _desk(api: str, root: Path, more: dict[str, Any]) -> AsyncIterator[Desk]:
    desk: Desk | None = None

    async def receive(request: web.Request) -> web.Response:
        assert desk is not None
        return await answer(desk.bot.endpoint, request)

    async def hear(turn: Any, *, repeated: bool) -> None:
        assert desk is not None
        desk.heard.append(turn)

    door = web.Application()
    door.router.add_post(WEBHOOK, receive)
    async with TestServer(door) as bot_server:
        # Nobody writes first here: what is asked is whether files arrive.
        hook = str(bot_server.make_url(WEBHOOK))
        config = Config(api=APIS[api], webhook=hook, window=False)
        app = create_app(config)
        async with TestServer(app) as server:
            block = credentials_block(config, str(server.make_url("")).rstrip("/"))
            settings = yaml.safe_load(block)[CHANNEL]
            store = f"sqlite:///{root.parent / f'whatsapp-{next(_stores)}.db'}"
            settings.update({"store": store, "wait_for_delivered": "none", **more})
            settings["media"] = {"private_links": True, **more.get("media", {})}
            bot = App(Settings.from_credentials(settings), hear, ready=lambda: True, root=root)
            desk = Desk(bot, app[WORLD], root)
            await bot.open()
            bot.start()
            try:
                yield desk
            finally:
                await desk.world.webhooks.clear()
                await bot.stop()
                await bot.close()


@pytest.fixture
async def host() -> AsyncIterator[Callable[..., str]]:
    """Put files on a server: ``host("a.jpg", content, "image/jpeg")`` returns the link."""
    files: dict[str, tuple[bytes, dict[str, str], int]] = {}

    async def serve(request: web.Request) -> web.Response:
        content, headers, status = files[request.match_info["name"]]
        return web.Response(body=content, headers=headers, status=status)

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:

        def put(
            name: str, content: bytes, mime_type: str, *, status: int = 200, **more: str
        ) -> str:
            headers = {
                "Content-Type": mime_type,
                **{k.replace("_", "-"): v for k, v in more.items()},
            }
            files[name] = (content, headers, status)
            return str(server.make_url(f"/{name}"))

        yield put


@pytest.fixture
def bucket() -> Any:
    """A store that goes by the name of ``s3``, inside of this process."""
    fsspec = pytest.importorskip("fsspec")
    from fsspec.implementations.memory import MemoryFileSystem

    class Bucket(MemoryFileSystem):  # type: ignore[misc]
        protocol = "s3"
        store: ClassVar[dict[str, Any]] = {}
        cachable = False

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return str(super()._strip_protocol(path.removeprefix("s3://")))

    known = fsspec.registry.get("s3")
    fsspec.register_implementation("s3", Bucket, clobber=True)
    yield Bucket()
    if known is not None:
        fsspec.register_implementation("s3", known, clobber=True)
