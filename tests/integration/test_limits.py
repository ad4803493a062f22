"""A limit of billed messages at the simulator: what the phone shows, and what the operator sees."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from click.testing import CliRunner
from support.ports import free_port
from support.prometheus import scrape, scrape_until

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.replay.host import simulator
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.simulator.config import Config

MAYA = "4915112345678"
SENTENCE = "I can answer again tomorrow."
FREE = 3
BILLING = {
    "free_messages": FREE,
    "daily_limit": 2,
    "at_limit": "stop",
    "limit_text": SENTENCE,
}


async def echo(message: Any) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


async def shows(client: SimulatorClient, *texts: str) -> None:
    """Return when these are all that Maya's phone shows of the bot, in this order."""
    end = time.monotonic() + 60
    while True:
        chat = await client.messages(MAYA)
        shown = [each["content"]["body"] for each in chat if each["direction"] == "outbound"]
        if shown == list(texts):
            return
        assert time.monotonic() < end, shown
        await asyncio.sleep(0.05)


async def test_free_replies_take_no_room_and_billed_ones_fill_the_day(serve, tmp_path):
    port = free_port()
    secrets = {"access_token": "simulator-token", "app_secret": "simulator-secret"}
    base_url = f"http://127.0.0.1:{port}"
    async with serve(echo, base_url=base_url, billing=BILLING, **secrets) as running:
        config = Config(port=port, webhook=f"{running.url}/webhook", free_messages=FREE)
        async with simulator(config) as url, SimulatorClient(url) as client:
            await client.join(MAYA, "Maya")

            async def writes(text: str) -> None:
                await client.write(MAYA, {"type": "text", "text": {"body": text}})

            for number in range(FREE):
                await writes(f"free {number}")
                free = {"type": "free_customer_service", "billable": "false", "country": "49"}
                await scrape_until(running, "charges_total", number + 1, category="service", **free)
            for text in ("billed 1", "billed 2", "too much"):
                await writes(text)
            answers = ("free 0", "free 1", "free 2", "billed 1", "billed 2")
            await shows(client, *answers, SENTENCE)
            await writes("much too much")
            await scrape_until(running, "queue_dead_letters", 2, queue="outbox")
            await shows(client, *answers, SENTENCE)
            page, health = await scrape(running), await running.health()
            refused = [each["rule"] for each in await client.refusals()]

    reason = "the limit of 2 billed messages a day is reached (`billing.daily_limit`)"
    assert [rule for rule in refused if reason in rule] == refused != []
    assert page("over_limit_total", limit="daily_limit", outcome="stopped") == 2
    assert page("account_troubles", topic="limit") == 1
    assert health["status"] == "account in trouble"
    store = f"sqlite:///{tmp_path}/whatsapp.db"
    asked = ["account", "--offline", "--store", store]
    told = await asyncio.to_thread(CliRunner().invoke, main, asked)
    assert "limit daily_limit" in told.output
    assert reason in told.output
