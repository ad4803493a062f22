"""Marketing templates and who wants none, from webhook to phone, at the simulator."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.built_in_templates import HELLO, SALE
from support.eventually import eventually
from support.ports import free_port
from support.prometheus import scrape_until

from rasa_whatsapp_channel.replay.host import simulator
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.simulator.config import Config

MAYA = "4915112345678"
MARKED = {**SALE, "category": "marketing"}


class World:
    """The channel at a simulator, and what Maya's phone shows."""

    def __init__(self, running: Any, client: SimulatorClient) -> None:
        self.running = running
        self._client = client

    async def writes(self, text: str) -> None:
        heard = len(self.running.agent.heard)
        await self._client.write(MAYA, {"type": "text", "text": {"body": text}})
        await eventually(lambda: len(self.running.agent.heard) > heard)

    async def tells(self, field: str, **value: Any) -> None:
        value["metadata"] = {"phone_number_id": "106540352242922"}
        change = {"field": field, "value": value}
        body = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "time": 1_764_400_000, "changes": [change]}],
        }
        await self._client._call("POST", "webhooks", json={"body": body})

    async def prefers(self, value: str, at: int) -> None:
        preference = {
            "wa_id": MAYA,
            "category": "marketing_messages",
            "value": value,
            "detail": f"User requested to {value} marketing messages",
            "timestamp": at,
        }
        await self.tells("user_preferences", user_preferences=[preference])

    async def sends(self, *templates: dict[str, Any]) -> list[str]:
        """Let the bot send *templates* and a text behind them; return what the phone shows."""
        before = len(await self._shown())
        output = self.running.channel.get_output_channel()
        for template in templates:
            body = {"type": "template", "template": template}
            await output.send_response(MAYA, {"custom": body})
        await output.send_response(MAYA, {"text": "That is all"})

        async def shown() -> list[str]:
            shown = (await self._shown())[before:]
            return shown if shown[-1:] == ["That is all"] else []

        return list(await eventually(shown))[:-1]

    async def fails(self, on: str, code: int) -> None:
        await self._client.add_fault({"on": on, "when": {"next": 1}, "do": {"code": code}})

    async def refused(self) -> list[tuple[str, int | None]]:
        return [(each["by"], each["code"]) for each in await self._client.refusals()]

    async def _shown(self) -> list[str]:
        chat = await self._client.messages(MAYA)
        contents = [each["content"] for each in chat if each["direction"] == "outbound"]
        return [content.get("name") or content["body"] for content in contents]


async def silent(message: Any) -> None:
    pass


@pytest.fixture
def world(serve):
    @asynccontextmanager
    async def world(**settings):
        port = free_port()
        secrets = {"access_token": "simulator-token", "app_secret": "simulator-secret"}
        base_url = f"http://127.0.0.1:{port}"
        async with serve(silent, base_url=base_url, **secrets, **settings) as running:
            config = Config(port=port, webhook=f"{running.url}/webhook")
            async with simulator(config) as url, SimulatorClient(url) as client:
                await client.join(MAYA, "Maya")
                made = World(running, client)
                await made.writes("hi")
                yield made

    return world


async def test_stop_withholds_marketing_and_start_brings_it_back(world, caplog):
    caplog.set_level("INFO")
    async with world(consent={"languages": ["en", "de"]}) as bot:
        assert await bot.sends(MARKED, HELLO) == ["summer_sale", "hello_world"]

        await bot.writes("STOP!")
        assert await bot.sends(MARKED, HELLO) == ["hello_world"]
        page = (await bot.running.get("/metrics"))[1]
        assert "whatsapp_withheld_total 1.0" in page
        assert 'whatsapp_consent_total{value="stop"} 1.0' in page
        assert await bot.refused() == [("channel", 131050)]
        assert (await bot.running.health())["outbox"]["dead_letters"] == 0

        await bot.writes("start")
        assert await bot.sends(MARKED, HELLO) == ["summer_sale", "hello_world"]
        assert [said.text for said in bot.running.agent.heard] == ["hi", "STOP!", "start"]

    assert "whatsapp.opted_out: message 1 of" in caplog.text
    assert MAYA not in "".join(
        record.getMessage() for record in caplog.records if "consent" in record.getMessage()
    )


async def test_what_a_person_chose_at_whatsapp_counts_as_a_word_does(world):
    async with world() as bot:
        await bot.prefers("stop", 1_731_705_721)
        assert await bot.sends(MARKED, HELLO) == ["hello_world"]

        await bot.prefers("resume", 1_731_705_722)
        await bot.prefers("stop", 1_731_705_721)  # delivered once more
        assert await bot.sends(MARKED) == ["summer_sale"]


async def test_without_the_setting_no_word_stops_anything(world):
    async with world() as bot:
        await bot.writes("STOP")

        assert await bot.sends(MARKED) == ["summer_sale"]


async def test_whatsapp_tells_that_a_template_is_marketing_and_that_it_is_not_any_more(world):
    template = {"message_template_name": "summer_sale", "message_template_language": "en-US"}
    async with world() as bot:
        await bot.prefers("stop", 1_731_705_721)

        await bot.tells(
            "message_template_status_update",
            **template,
            event="APPROVED",
            message_template_category="MARKETING",
        )
        assert await bot.sends(SALE, HELLO) == ["hello_world"]

        await bot.tells(
            "template_category_update",
            **template,
            previous_category="MARKETING",
            new_category="UTILITY",
        )
        assert await bot.sends(SALE) == ["summer_sale"]


async def test_a_template_is_known_by_what_whatsapp_charged_for_it(world):
    async with world() as bot:
        assert await bot.sends(SALE) == ["summer_sale"]
        await scrape_until(bot.running, "statuses_total", 2, status="sent")
        await bot.prefers("stop", 1_731_705_721)

        assert await bot.sends(SALE) == []
        await bot.tells("user_preferences", user_preferences=[{"wa_id": MAYA, "value": "odd"}])
        assert await bot.sends(SALE) == []


@pytest.mark.parametrize("place", ["messages", "statuses"])
async def test_an_opt_out_that_whatsapp_tells_as_an_error_is_kept(world, place):
    async with world() as bot:
        await bot.fails(place, 131050)
        await bot.sends(SALE)
        if place == "statuses":
            await scrape_until(bot.running, "statuses_total", 1, status="failed")

        assert await bot.sends(SALE, HELLO) == ["hello_world"]
        assert ("channel", 131050) in await bot.refused()
