"""A day of silence: as what a response arrives, what it costs, and free text when they write."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.beside_whatsapp import MAYA, WhatsApp, beside_whatsapp
from support.eventually import eventually

DAY = 86_400
TEMPLATES = """
- name: utter_shipped
  language: en_US
  category: UTILITY
  components: [{type: BODY, text: Your order is on its way.}]
- name: news
  language: en_US
  category: UTILITY
  components: [{type: BODY, text: "News for you: {{1}} Write to us!"}]
"""
SHIPPED = {
    "utter_action": "utter_shipped",
    "text": "Your order is on its way.",
    "metadata": {"whatsapp": {"template": {"category": "utility", "language": "en_US"}}},
}
PLAIN = {"utter_action": "utter_plain", "text": "Your table is ready"}
NEWS = {"name": "news", "language": "en_US", "body": ["{text}"]}


@pytest.fixture
def a_day_later(serve, tmp_path: Path):
    return partial(beside_whatsapp, serve, tmp_path, TEMPLATES)


async def writes(whatsapp: WhatsApp, words: str) -> None:
    await whatsapp.post(f"/people/{MAYA}/messages", {"type": "text", "text": {"body": words}})


async def talks(running: Any, whatsapp: WhatsApp) -> None:
    """Maya writes and hears the echo; then a day passes."""
    await writes(whatsapp, "hi")
    await shows(whatsapp, ["hi"])
    await whatsapp.post("/clock", {"advance": DAY + 3_600})


async def shows(whatsapp: WhatsApp, expected: list[str]) -> None:
    async def is_shown() -> bool:
        return await whatsapp.shown() == expected

    await eventually(is_shown)


async def say(running: Any, response: dict[str, Any]) -> None:
    await running.channel.get_output_channel().send_response(MAYA, response)


async def told(whatsapp: WhatsApp) -> list[str]:
    """Return the codes of the changes beside what stands on the phone."""
    chat = await whatsapp.get(f"/people/{MAYA}/messages")
    return [
        change["code"]
        for message in chat
        if message["status"] != "failed"
        for change in message["changes"]
    ]


async def test_by_direct_send_where_the_account_may(a_day_later):
    async with a_day_later(direct_send=True, config={"free_messages": 0}) as (running, whatsapp):
        await talks(running, whatsapp)

        await say(running, SHIPPED)
        await shows(whatsapp, ["hi", "Your order is on its way."])
        assert await told(whatsapp) == ["WA804"]
        assert await whatsapp.charges() == ["service", "utility"]

        await writes(whatsapp, "thanks")
        await shows(whatsapp, ["hi", "Your order is on its way.", "thanks"])
        await say(running, PLAIN)
        await shows(whatsapp, ["hi", "Your order is on its way.", "thanks", "Your table is ready"])
        assert await whatsapp.charges() == ["service", "utility", "service", "service"]


async def test_by_the_template_where_it_may_not(a_day_later):
    config = {"direct_send": False}
    async with a_day_later(direct_send=True, config=config) as (running, whatsapp):
        await talks(running, whatsapp)

        await say(running, SHIPPED)
        await shows(whatsapp, ["hi", "utter_shipped"])
        assert await told(whatsapp) == ["WA805"]
        assert await whatsapp.charges() == ["utility"]

        await writes(whatsapp, "thanks")
        await shows(whatsapp, ["hi", "utter_shipped", "thanks"])  # it has said everything


async def test_as_the_text_in_the_reengagement_template(a_day_later):
    async with a_day_later(reengagement_template=NEWS) as (running, whatsapp):
        await talks(running, whatsapp)

        await say(running, PLAIN)
        await shows(whatsapp, ["hi", "news"])
        chat = await whatsapp.get(f"/people/{MAYA}/messages")
        assert chat[-1]["filled"]["body"] == "News for you: Your table is ready Write to us!"

        await writes(whatsapp, "thanks")
        await shows(whatsapp, ["hi", "news", "thanks"])


async def test_and_where_nothing_may_go_it_waits(a_day_later):
    async with a_day_later() as (running, whatsapp):
        await talks(running, whatsapp)

        await say(running, PLAIN)
        await eventually(lambda: _waiting(running))
        assert await whatsapp.shown() == ["hi"]

        await writes(whatsapp, "hello?")
        await shows(whatsapp, ["hi", "Your table is ready", "hello?"])
        assert await whatsapp.charges() == []


async def test_a_permission_that_is_taken_away_on_the_way(a_day_later):
    async with a_day_later(direct_send=True) as (running, whatsapp):
        await talks(running, whatsapp)
        await say(running, PLAIN)
        await shows(whatsapp, ["hi", "Your table is ready"])

        await whatsapp.post("/account", {"direct_send": False})
        await say(running, SHIPPED)

        await shows(whatsapp, ["hi", "Your table is ready", "utter_shipped"])


async def _waiting(running: Any) -> Any:
    health = await running.health()
    return health["outbox"]["waiting"]
