"""
A person takes over while a form of a trained bot waits for a slot: Rasa 3.6 itself.

The form swallows nothing of what was said to the person, and what it has asked before is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.eventually import eventually
from support.webhooks import echo, envelope, text

from rasa_whatsapp_channel.conversation.handoffs import Handoffs
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import OUTSIDE

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

PHONE = "4915112345678"
HOURS = 7200.0
FILES = {
    "config.yml": """
recipe: default.v1
language: en
assistant_id: form
pipeline:
- name: KeywordIntentClassifier
policies:
- name: RulePolicy
""",
    "domain.yml": """
version: "3.1"
intents: [order, greet, status]
slots:
  person: {type: text, influence_conversation: false, mappings: [
    {type: from_text, conditions: [{active_loop: order_form, requested_slot: person}]}]}
  card: {type: text, influence_conversation: false, mappings: [
    {type: from_text, conditions: [{active_loop: order_form, requested_slot: card}]}]}
forms:
  order_form: {required_slots: [person, card]}
responses:
  utter_ask_person: [{text: "Your name?"}]
  utter_ask_card: [{text: "Your card, {person}?"}]
  utter_done: [{text: "Ordered with {card}."}]
  utter_greet: [{text: "Hello, {person}."}]
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
""",
    "data.yml": """
version: "3.1"
nlu:
- {intent: order, examples: "- order"}
- {intent: greet, examples: "- hello"}
rules:
- {rule: begin, steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]}
- rule: end
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {slot_was_set: [{requested_slot: null}]},
    {action: utter_done}]
- {rule: greet, steps: [{intent: greet}, {action: utter_greet}]}
""",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("form")
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RASA_TELEMETRY_ENABLED", "false")
        from rasa.model_training import train

        yield train("domain.yml", "config.yml", ["data.yml"], output="models").model


class Talk:
    """What somebody, a colleague and an operator do in the one conversation."""

    def __init__(self, running: Any, platform: Any, store: str) -> None:
        self.running = running
        self._store = store
        self._platform = platform
        self._written = 0

    async def writes(self, body: str, *answers: str, ago: float = 0.0) -> None:
        """Write *body*; the bot answers with *answers*."""
        self._written += 1
        told = text(PHONE, f"wamid.in{self._written}", body)
        told["messages"][0]["timestamp"] = str(int(time.time() - ago))
        before = len(self._platform.sent)
        await self.running.deliver(envelope([told]))
        await self._platform.sends(before + len(answers))
        await self._is_idle()
        assert [sent["text"]["body"] for sent in self._platform.sent[before:]] == list(answers)

    async def _is_idle(self) -> None:
        async def idle() -> bool:
            health = await self.running.health()
            return bool(health["inbox"]["waiting"] <= 1)  # the timer of the episode

        await eventually(idle)

    async def colleague(self, body: str, *, ago: float = 0.0) -> None:
        self._written += 1
        told = echo(PHONE, f"wamid.echo{self._written}", body)
        [sent] = told["entry"][0]["changes"][0]["value"]["message_echoes"]
        sent["timestamp"] = str(int(time.time() - ago))
        await self.running.deliver(told)

    async def returns(self) -> None:
        """Give the conversation back, and wait until the bot has heard of it."""
        async with open_store(self._store, retention=OUTSIDE) as store:
            assert await Handoffs(store, HandoffSettings()).give_back(PHONE, by="operator")

        async def has_heard() -> bool:
            return any(event.type_name == "export" for event in (await self.tracker()).events)

        await eventually(has_heard)

    async def tracker(self) -> Any:
        return await self.running.agent.tracker_store.retrieve_full_tracker(PHONE)

    async def ages(self, seconds: float) -> None:
        """Let all that was said be older."""
        tracker = await self.tracker()
        for event in tracker.events:
            event.timestamp -= seconds
        await self.running.agent.tracker_store.save(tracker)


@pytest.fixture
def talk(model: str, serve: Any, platform: Any, tmp_path: Path) -> Any:
    @asynccontextmanager
    async def talk() -> Any:
        from rasa.core.agent import load_agent

        agent = await load_agent(model)
        async with serve(
            None, agent=lambda _: agent, handoff={"return_words": ["robot"]}
        ) as running:
            yield Talk(running, platform[0], f"sqlite:///{tmp_path}/whatsapp.db")

    return talk


def told(tracker: Any) -> list[tuple[str, str]]:
    return [
        (event.type_name, event.text)
        for event in tracker.events
        if event.type_name in ("user", "bot")
    ]


async def test_a_form_swallows_nothing_of_what_was_said_to_a_person(talk):
    async with talk() as chat:
        await chat.writes("order", "Your name?")
        await chat.writes("Ada", "Your card, Ada?")
        await chat.colleague("Eve here. Which card is it?")
        await chat.writes("4711, and order two please")
        await chat.colleague("Done, two of them.")
        asked = await chat.tracker()
        assert (asked.active_loop_name, asked.get_slot("card")) == ("order_form", None)

        await chat.writes("robot")
        await chat.writes("hello", "Hello, Ada.")
        tracker = await chat.tracker()

    assert tracker.active_loop_name is None
    assert (tracker.get_slot("person"), tracker.get_slot("card")) == ("Ada", None)
    assert told(tracker) == [  # a new session; Rasa's store in memory keeps only the last
        ("bot", "Eve here. Which card is it?"),
        ("user", "4711, and order two please"),
        ("bot", "Done, two of them."),
        ("user", "robot"),
        ("user", "hello"),
        ("bot", "Hello, Ada."),
    ]


async def test_also_where_the_session_expired_meanwhile(talk):
    async with talk() as chat:
        await chat.writes("order", "Your name?")
        await chat.writes("Ada", "Your card, Ada?")
        await chat.ages(HOURS + 60)
        await chat.colleague("Eve here. Which card is it?", ago=HOURS)
        await chat.writes("4711, and order two please", ago=HOURS - 10)
        await chat.colleague("Done, two of them.", ago=HOURS - 20)
        await chat.returns()
        heard = told(await chat.tracker())

        await chat.writes("hello", "Hello, Ada.")
        tracker = await chat.tracker()

    assert heard[-3:] == [
        ("bot", "Eve here. Which card is it?"),
        ("user", "4711, and order two please"),
        ("bot", "Done, two of them."),
    ]
    kinds = [event.type_name for event in tracker.events]
    assert "session_started" in kinds[kinds.index("export") :]
    assert tracker.active_loop_name is None
    assert (tracker.get_slot("person"), tracker.get_slot("card")) == ("Ada", None)


async def test_the_same_message_to_the_bot_does_fill_the_slot(talk):
    async with talk() as chat:
        await chat.writes("order", "Your name?")
        await chat.writes("Ada", "Your card, Ada?")
        await chat.writes("4711", "Ordered with 4711.")
