"""Many people at once, at a bot that is good, and at one that is not."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.eventually import PATIENCE

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.load_test import Load, LoadTest
from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.server import WORLD, create_app

TOKEN = {"Authorization": "Bearer simulator-token"}


class Bot:
    """Answers every text with *answer*; the fifth one in the way that *trouble* says."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.url = ""
        self.heard = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def webhook(self, request: web.Request) -> web.Response:
        value = (await request.json())["entry"][0]["changes"][0]["value"]
        for message in value.get("messages", []):
            self.heard += 1
            answer = ["one", "two", "three"]
            if self.heard == 5:
                answer = {
                    "lost": ["one", "three"],
                    "doubled": ["one", "two", "two", "three"],
                    "reordered": ["one", "three", "two"],
                }.get(self.trouble, answer)
            task = asyncio.create_task(self._say(message["from"], answer))
            self._tasks.add(task)
        return web.Response()

    async def _say(self, to: str, answer: list[str]) -> None:
        # A simulator that was interrupted takes no more answers.
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session:
                await self._write(session, to, answer)

    async def _write(self, session: aiohttp.ClientSession, to: str, answer: list[str]) -> None:
        for text in answer:
            body = {
                "messaging_product": "whatsapp",
                "to": to,
                "type": "text",
                "text": {"body": text},
            }
            url = f"{self.url}/v26.0/106540352242922/messages"
            async with session.post(url, json=body, headers=TOKEN) as sent:
                assert sent.status == 200


async def run(bot: Bot, load: Load, **config):
    app = web.Application()
    app.router.add_post("/webhook", bot.webhook)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(app))
        webhook = str(server.make_url("/webhook"))
        simulator = create_app(Config(webhook=webhook, retry_pauses=(0.05,), **config))
        running = await stack.enter_async_context(TestServer(simulator))
        bot.url = str(running.make_url("/")).rstrip("/")
        return await LoadTest(simulator[WORLD], load).run()


SHORT = Load(people=6, rate=40, duration=0.6, patience=8.0, quiet=1.5)


async def test_everybody_is_answered_once_and_in_order():
    results = await run(Bot(), SHORT)

    assert results.written >= 6
    assert (results.answered, results.messages) == (results.written, 3 * results.written)
    assert (results.lost, results.doubled, results.out_of_order) == (0, 0, 0)
    assert len(results.latencies) == results.written


@pytest.mark.parametrize(
    ("trouble", "found"),
    [("lost", (1, 0, 0)), ("doubled", (0, 1, 0)), ("reordered", (0, 0, 1))],
)
async def test_what_goes_wrong_is_counted(trouble, found):
    results = await run(Bot(trouble), SHORT)

    assert (results.lost, results.doubled, results.out_of_order) == found


async def test_whatsapp_can_be_slow():
    results = await run(Bot(), SHORT, latency=0.05)

    assert min(results.latencies) >= 0.05


async def test_a_bot_that_says_nothing_is_found_out_before_the_load():
    class Silent(Bot):
        async def webhook(self, request):
            return web.Response()

    with pytest.raises(SimulatorError, match=r"no response to 'hi' within 0.2 seconds"):
        await run(Silent(), Load(people=3, patience=0.2))


def command(*more: str) -> list[str]:
    return [sys.executable, "-m", "rasa_whatsapp_channel", "simulate", "--port", "0", *more]


def test_a_load_that_cannot_be_is_one_line():
    done = subprocess.run(
        command("--load", "3", "--duration", "2h"), capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "A load test takes at most an hour" in done.stderr


async def test_ctrl_c_ends_it_with_the_table():
    bot = Bot()
    app = web.Application()
    app.router.add_post("/webhook", bot.webhook)
    async with TestServer(app) as server:
        webhook = str(server.make_url("/webhook"))
        process = await asyncio.create_subprocess_exec(
            *command("--load", "4", "--rate", "20", "--duration", "10m", "--webhook", webhook),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        bot.url = (await process.stdout.readline()).decode().split()[-1].rstrip("/")
        while bot.heard < 8:
            await asyncio.sleep(0.05)
        process.send_signal(2)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)

    table = dict(line.rsplit(maxsplit=1) for line in out.decode().splitlines()[-10:])
    assert process.returncode == 0
    assert (table["lost"], table["doubled"], table["out of order"]) == ("0", "0", "0")
    assert int(table["written"]) >= 4


def test_on_a_terminal_the_table_is_drawn():
    pytest.importorskip("rich")
    terminal, other = pty.openpty()
    code = (
        "from rasa_whatsapp_channel.cli.load_run import _print_table;"
        "from rasa_whatsapp_channel.simulator.load_test import LoadResults;"
        "_print_table(LoadResults(written=3, answered=2, lost=1))"
    )
    subprocess.run([sys.executable, "-c", code], stdout=other, check=True)
    os.close(other)
    drawn = os.read(terminal, 100_000).decode()
    os.close(terminal)

    assert "─" in drawn
    assert "1 wait for an answer" in drawn
