"""A template is paused at WhatsApp: what goes instead, what waits, and where all of it is told."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.beside_whatsapp import MAYA, WhatsApp
from support.beside_whatsapp import beside_whatsapp as beside
from support.eventually import eventually

from rasa_whatsapp_channel.cli import main

DAY = 86_400
TEMPLATES = """
- name: order
  language: en_US
  components: [{type: BODY, text: There is news about your order.}]
- name: hello_again
  language: en_US
  components: [{type: BODY, text: Shall we go on?}]
"""
SHIPPED = {
    "text": "Your order is on its way",
    "metadata": {"whatsapp": {"template": {"name": "order", "language": "en_US"}}},
}
ORDER = {"custom": {"type": "template", "template": {"name": "order", "language": "en_US"}}}


@pytest.fixture
def beside_whatsapp(serve, tmp_path: Path):
    """Serve the channel beside a simulator that knows two templates."""
    return partial(beside, serve, tmp_path, TEMPLATES)


async def say(running: Any, response: dict[str, Any]) -> None:
    await running.channel.get_output_channel().send_response(MAYA, response)


async def troubles(running: Any) -> list[str]:
    return [each["event"] for each in (await running.health()).get("account", ())]


async def test_while_a_template_is_paused_another_goes_and_everything_says_so(
    beside_whatsapp, tmp_path, caplog
):
    hello = {"name": "hello_again", "language": "en_US"}
    async with beside_whatsapp(reengagement_template=hello) as (running, whatsapp):
        await whatsapp.set_template("PAUSED")
        assert await eventually(lambda: troubles(running)) == ["PAUSED"]
        await whatsapp.post("/clock", {"advance": DAY + 3_600})

        await say(running, SHIPPED)

        assert await eventually(whatsapp.shown) == ["hello_again"]
        assert await whatsapp.refused() == []  # it was not even tried
        assert "`reengagement_template` goes instead of the template" in caplog.text
        assert "template order (en_US) PAUSED" in caplog.text
        _, metrics = await running.get("/metrics")
        assert 'whatsapp_account_troubles{topic="template"} 1.0' in metrics
        paused = 'field="message_template_status_update"'
        assert f'whatsapp_account_events_total{{event="PAUSED",{paused}}} 1.0' in metrics
        told = (await whatsapp.get("/bot"))["health"]["account"]
        assert [(each["subject"], each["event"]) for each in told] == [("order (en_US)", "PAUSED")]
        command = ["account", "--json", "--credentials", str(tmp_path / "credentials.yml")]
        store = ["--store", f"sqlite:///{tmp_path / 'whatsapp.db'}"]
        done = await asyncio.to_thread(CliRunner().invoke, main, [*command, *store])
        report = json.loads(done.stdout)
        assert report["stored"][0]["subject"] == "order (en_US)"
        assert {"source": "WhatsApp", "what": "template order (en_US)", "state": "PAUSED"} in (
            report["live"]
        )

        await whatsapp.post(f"/people/{MAYA}/messages", {"type": "text", "text": {"body": "yes"}})
        expected = ["hello_again", "Your order is on its way", "yes"]
        await eventually(lambda: _equal(whatsapp, expected))


async def _equal(whatsapp: WhatsApp, expected: list[str]) -> bool:
    return await whatsapp.shown() == expected


async def test_without_another_one_it_waits_and_goes_when_it_is_approved_again(beside_whatsapp):
    async with beside_whatsapp() as (running, whatsapp):
        await whatsapp.set_template("PAUSED")
        await eventually(lambda: troubles(running))

        await say(running, ORDER)
        await say(running, {"text": "meanwhile"})

        await eventually(lambda: _equal(whatsapp, ["meanwhile"]))
        assert (await eventually(lambda: _waiting(running)))["account"]
        assert await whatsapp.refused() == []  # it was not even tried

        await whatsapp.set_template("APPROVED")
        await eventually(lambda: _equal(whatsapp, ["meanwhile", "order"]))
        assert await troubles(running) == []


async def test_a_disabled_account_sends_nothing_until_it_is_reinstated(beside_whatsapp):
    async with beside_whatsapp() as (running, whatsapp):
        await whatsapp.post("/events", {"name": "Disabled"})
        await eventually(lambda: troubles(running))
        await whatsapp.post(f"/people/{MAYA}/messages", {"type": "text", "text": {"body": "hi"}})
        health = await eventually(lambda: _waiting(running))
        assert (health["paused"], health["status"]) == ({"first": "account"}, "sending paused")
        assert await whatsapp.shown() == []

        await whatsapp.post("/events", {"name": "Reinstated"})

        await eventually(lambda: _equal(whatsapp, ["hi"]))
        assert "paused" not in await running.health()


async def _waiting(running: Any) -> Any:
    health = await running.health()
    return health if health["outbox"]["waiting"] else None
