"""A template is paused at WhatsApp: what goes instead, what waits, and where all of it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner
from support.eventually import eventually
from support.ports import free_port

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.server import create_app

MAYA = "4915112345678"
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


class WhatsApp:
    """The simulator, by its control API."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, path: str, body: Any) -> None:
        async with self._session.post(f"{self.url}/simulator{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def get(self, path: str) -> Any:
        async with self._session.get(f"{self.url}/simulator{path}") as answer:
            return await answer.json()

    async def set_template(self, status: str, name: str = "order") -> None:
        await self.post(f"/templates/{name}/en_US", {"status": status})

    async def shown(self) -> list[str]:
        """Return what stands on Maya's phone of the bot: texts, and names of templates."""
        chat = await self.get(f"/people/{MAYA}/messages")
        return [
            message["content"].get("body") or message["content"]["name"]
            for message in chat
            if message["direction"] == "outbound" and message["status"] != "failed"
        ]

    async def refused(self) -> list[str]:
        """Return the templates that were sent and refused."""
        return [
            each["body"]["template"]["name"]
            for each in await self.get("/requests")
            if each["status"] >= 400 and each["path"].endswith("/messages")
        ]


@pytest.fixture
def beside_whatsapp(serve, tmp_path: Path):
    """Serve the channel beside a simulator that knows two templates."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "all.yml").write_text(TEMPLATES)

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[tuple[Any, WhatsApp]]:
        async def echo(message: Any) -> None:
            await message.output_channel.send_response(message.sender_id, {"text": message.text})

        port = free_port()
        url = f"http://127.0.0.1:{port}"
        given = {"base_url": url, "access_token": "simulator-token"}
        async with serve(echo, **given, app_secret="simulator-secret", **settings) as running:
            config = Config(
                webhook=f"{running.url}/webhook",
                port=port,
                templates=tmp_path / "templates",
                retry_pauses=(0.2,),
            )
            (tmp_path / "credentials.yml").write_text(credentials_block(config, url))
            runner = web.AppRunner(create_app(config), access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            try:
                async with aiohttp.ClientSession() as session:
                    yield running, WhatsApp(url, session)
            finally:
                await runner.cleanup()

    return start


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
