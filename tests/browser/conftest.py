"""The simulator's page in Chromium, with a bot on the other side that the tests speak for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from support.chromium import Chromium, Tab, find_chromium
from support.spoken_bot import Bot

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app


@pytest_asyncio.fixture
async def bot(request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    """A parameter, if a test gives one, is more of the simulator's settings."""
    async with aiohttp.ClientSession() as session:
        bot = Bot(session)
        listening = web.Application()
        listening.router.add_post("/webhook", bot.webhook)
        listening.router.add_get("/", bot.tell_health)
        listening.router.add_get("/conversations/{sender_id}/tracker", bot.tracker)
        async with served(listening) as address:
            usual = {"webhook": f"{address}/webhook", "retry_pauses": (0.2,), "rasa": address}
            config = Config(**{**usual, **getattr(request, "param", {})})
            async with served(create_app(config)) as bot.simulator:
                yield bot


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """
    The address of *app*, run as in earnest.

    aiohttp's own test server gives up on a file half opened when a tab closes.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = find_chromium()
    if program is None:
        pytest.skip("the tests of the page need Chromium")
    chromium = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.stop()


@pytest_asyncio.fixture
async def page(chromium: Chromium, bot: Bot) -> AsyncIterator[Tab]:
    """The page on a desk, with Maya's empty chat open. Whatever the console says is a failure."""
    async with chromium.tab() as tab:
        await tab.size(1280, 900)
        await tab.call("Page.navigate", url=f"{bot.simulator}/")
        await tab.shows("document.querySelector('#chats [aria-current]')")
        yield tab
        assert tab.complaints == []
