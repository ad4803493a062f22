"""`rasa-whatsapp` in this process, beside a simulator on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from click.testing import CliRunner, Result

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.server import create_app
from rasa_whatsapp_channel.whatsapp.apis import APIS

MAYA = "4915112345678"

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def rasa_whatsapp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    async def run(*args: str, **options: Any) -> Result:
        # A command has a loop of its own, so it needs a thread where no other loop runs.
        return await asyncio.to_thread(CliRunner().invoke, main, args, **options)

    return run


@dataclass
class Simulator:
    url: str

    async def chat(self, count: int = 0) -> list[dict[str, Any]]:
        """Return what Maya sees, as soon as it is *count* messages: a file is looked at first."""
        async with aiohttp.ClientSession() as session:
            for _ in range(6000):
                async with session.get(f"{self.url}/simulator/people/{MAYA}/messages") as answer:
                    messages = list(await answer.json())
                if len(messages) >= count:
                    break
                await asyncio.sleep(0.01)
        return messages

    async def file(self, path: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            assert answer.status == 200, path
            return await answer.read()


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Simulator]]]:
    """Start a simulator of an API; its block stands in credentials.yml then."""
    servers: list[TestServer] = []

    async def start(api: str = "cloud", **more: Any) -> Simulator:
        # Nobody listens to its webhooks.
        config = Config(api=APIS[api], webhook="http://127.0.0.1:1/", retry_pauses=(60,), **more)
        server = TestServer(create_app(config))
        await server.start_server()
        servers.append(server)
        url = str(server.make_url("/")).rstrip("/")
        (tmp_path / "credentials.yml").write_text(credentials_block(config, url))
        return Simulator(url)

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def simulator(start: Callable[..., Awaitable[Simulator]]) -> Simulator:
    return await start()
