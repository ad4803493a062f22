"""The messaging limit and opt-outs, at the simulator."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from support.eventually import eventually
from support.ports import free_port

from rasa_whatsapp_channel.replay.host import simulator
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.simulator.config import Config

TOKEN = "a-token-of-the-shop"
HELLO = {"name": "hello_world", "language": "en_US"}
COUPON = {"type": "coupon_code", "coupon_code": "SUN20"}
SALE = {
    "name": "summer_sale",
    "language": "en_US",
    "components": [
        {"type": "header", "parameters": [{"type": "text", "text": "Sunday"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "20 %"}]},
        {"type": "button", "sub_type": "copy_code", "index": "0", "parameters": [COUPON]},
    ],
}


async def silent(message: Any) -> None:
    pass


@pytest.fixture
def world(serve):
    @asynccontextmanager
    async def world(*, limit=None, **settings):
        port = free_port()
        secrets = {"access_token": "simulator-token", "app_secret": "simulator-secret"}
        secrets |= {"notify_token": TOKEN, "base_url": f"http://127.0.0.1:{port}"}
        async with serve(silent, **secrets, **settings) as running:
            config = Config(port=port, webhook=f"{running.url}/webhook", messaging_limit=limit)
            async with simulator(config) as url, SimulatorClient(url) as client:
                yield Shop(running.url, client)

    return world


class Shop:
    def __init__(self, url: str, client: SimulatorClient) -> None:
        self.client = client
        self._url = f"{url}/notify"

    async def asks(self, key: str, **wish: Any) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
        session = aiohttp.ClientSession(headers=headers)
        async with session, session.post(self._url, json=wish) as answer:
            assert answer.status == 202, await answer.text()

    async def state(self, key: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        session = aiohttp.ClientSession(headers=headers)
        async with session, session.get(f"{self._url}/{key}") as answer:
            return dict(await answer.json())

    async def prefers(self, person: str, event: str) -> None:
        await self.client._call("POST", "events", json={"name": event, "person": person})

    async def becomes(self, key: str, state: str) -> dict[str, Any]:
        async def found() -> Any:
            told = await self.state(key)
            return told if told.get("state") == state else None

        return dict(await eventually(found))


async def test_whoever_is_over_the_messaging_limit_waits_until_they_write(world):
    people = [f"49151000000{number}" for number in range(4)]
    async with world(limit=3, messaging_limit=3) as shop:
        for phone in people[:3]:
            await shop.asks(phone, to=phone, template=HELLO, category="utility")
            await shop.becomes(phone, "delivered")
        await shop.asks("one-more", to=people[3], template=HELLO, category="utility")
        await shop.becomes("one-more", "queued")
        await shop.client.join(people[3], "Maya")
        await shop.client.write(people[3], {"type": "text", "text": {"body": "hi"}})
        await shop.becomes("one-more", "delivered")
        refused = await shop.client.refusals()

    assert refused == []


async def test_the_simulator_refuses_whom_a_bot_may_not_write_to_any_more(world):
    async with world(limit=1) as shop:  # and the bot has not been told
        await shop.asks("first", to="4915100000001", template=HELLO, category="utility")
        await shop.becomes("first", "delivered")
        await shop.asks("second", to="4915100000002", template=HELLO, category="utility")
        [refused] = await eventually(shop.client.refusals)

    assert (refused["code"], "In 24 hours 1 people" in refused["rule"]) == (131048, True)


async def test_somebody_who_stopped_marketing_at_whatsapp_gets_none_there_either(world):
    maya = "4915112345678"
    async with world() as shop:
        await shop.client.join(maya, "Maya")
        await shop.client.write(maya, {"type": "text", "text": {"body": "hi"}})
        await shop.prefers(maya, "Stops marketing messages")
        # Utility, says the shop, which knows no better; WhatsApp does.
        await shop.asks("sale", to=maya, template=SALE, category="utility")
        told = await shop.becomes("sale", "failed")

    assert "131050" in told["reason"]
