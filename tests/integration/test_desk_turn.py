"""
What a desk sees of the turn in which the bot asks for a person: each line once, in order.

Rasa is stood in for by an agent that saves a turn at its end, with the times of its events.
"""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from support import webhooks
from support.cloud_api import PICTURE, PICTURE_SHA256
from support.crashes import crash_with_next_item
from support.desk_server import SECRET, DeskServer, Door
from support.eventually import eventually
from support.no_locks import NoLocks
from support.webhooks import envelope

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.handoffs import Handoffs
from rasa_whatsapp_channel.outbound.owner_gate import OwnerGate
from rasa_whatsapp_channel.outbound.turn_writer import TurnWriter
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

PHONE = "4915112345678"
ASKS = {"text": "I fetch somebody.", "metadata": {"whatsapp": {"handoff": "a refund"}}}


def text(number: int, body: str) -> dict[str, Any]:
    return envelope([webhooks.text(PHONE, f"wamid.in{number}", body)])


def line(kind: str, words: str, **more: Any) -> SimpleNamespace:
    facts = {"type_name": kind, "text": words, "metadata": {}, "timestamp": time.time()}
    return SimpleNamespace(**facts, **more)


class Rasa:
    """
    Says what *answers* has for a message, and waits where that is an event.

    A turn is saved at its end, once *saves* is set where there is one.
    """

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = answers
        self.saves: asyncio.Event | None = None
        self.heard: list[str] = []
        self.saved: dict[str, Any] = {}
        self.outputs: list[Any] = []
        self.tracker_store = self
        self.lock_store = NoLocks()
        self.processor = None

    def is_ready(self) -> bool:
        return True

    async def retrieve(self, sender_id: str) -> Any:
        return self.saved.get(sender_id)

    async def handle_message(self, message: Any) -> None:
        self.heard.append(message.text)
        self.outputs.append(message.output_channel)
        user = line("user", message.text, message_id=message.message_id, intent_name=message.text)
        user.metadata = message.metadata
        events = [user]
        for says in self.answers.get(message.text, [{"text": "an answer"}]):
            if isinstance(says, asyncio.Event):
                await says.wait()
                continue
            events.append(line("bot", says["text"]))
            await message.output_channel.send_response(message.sender_id, says)
        if self.saves:
            await self.saves.wait()
        self.save(*events)

    def save(self, *events: Any) -> None:
        before = self.saved.get(PHONE, SimpleNamespace(events=[])).events
        self.saved[PHONE] = SimpleNamespace(events=[*before, *events])


@pytest.fixture
def chat(serve: Any, desk: DeskServer) -> Any:
    def chat(rasa: Rasa, *, handoff: dict[str, Any] | None = None, **settings: Any) -> Any:
        group = {"desk": "webhook", "url": desk.url, "secret": SECRET, **(handoff or {})}
        return serve(None, agent=lambda _: rasa, handoff=group, **settings)

    return chat


def seen(desk: DeskServer) -> list[tuple[str, str]]:
    """Return all that a colleague reads, the history first."""
    lines: list[tuple[str, str]] = []
    for event in desk.told:
        if "message" in event:
            lines.append((event["message"]["from"], event["message"].get("text", "")))
        lines += [(each["from"], each.get("text", "")) for each in event.get("history", ())]
    return lines


async def sees(desk: DeskServer, *lines: tuple[str, str]) -> None:
    await eventually(lambda: len(seen(desk)) >= len(lines), told=lambda: desk.told)
    assert seen(desk) == list(lines)


HI = ("user", "hi"), ("bot", "an answer")
REFUND = ("user", "refund"), ("bot", "I see."), ("bot", "I fetch somebody."), ("bot", "Wait.")


@pytest.mark.parametrize("combine", ["off", "turn"])
@pytest.mark.parametrize("late", [False, True])
async def test_a_request_in_the_middle_of_a_turn(chat, desk, platform, combine, late):
    gate = asyncio.Event()
    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, {"text": "Wait."}]})
    async with chat(rasa, combine=combine) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        rasa.saves = gate if late else None
        await running.deliver(text(2, "refund"))
        if late and combine == "off":
            await desk.hears("message.sent", 3)
        gate.set()
        await running.idle()
        said = (REFUND[0], ("bot", "I see.\n\nI fetch somebody.\n\nWait."))
        await sees(desk, *HI, *(said if combine == "turn" else REFUND))


@pytest.mark.parametrize("combine", ["off", "turn"])
async def test_a_request_with_redis_as_the_store(chat, desk, platform, redis, combine):
    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, {"text": "Wait."}]})
    store = f"{redis.url}?name={uuid4().hex}"
    async with chat(rasa, combine=combine, store=store) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.deliver(text(2, "refund"))
        said = (REFUND[0], ("bot", "I see.\n\nI fetch somebody.\n\nWait."))
        await sees(desk, *HI, *(said if combine == "turn" else REFUND))


async def test_the_turn_is_shown_while_the_tracker_store_is_away(chat, desk, platform):
    async def away(_: str) -> None:
        raise ConnectionError("away")

    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, {"text": "Wait."}]})
    async with chat(rasa) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.idle()
        rasa.tracker_store = SimpleNamespace(retrieve=away)
        await running.deliver(text(2, "refund"))
        await sees(desk, *REFUND)


@pytest.mark.parametrize("history", [0, 20])
async def test_the_turn_of_a_trigger_is_shown(chat, desk, platform, history):
    rasa = Rasa({"refund": [{"text": "I see."}]})
    async with chat(rasa, handoff={"triggers": ["refund"], "history": history}) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.deliver(text(2, "refund"))
        await desk.hears("handoff.requested")
        await running.idle()
        await running.deliver(text(3, "hello?"))
        await desk.hears("message.received", 2 if not history else 1)
        before = HI if history else ()
        await sees(desk, *before, ("user", "refund"), ("bot", "I see."), ("user", "hello?"))


async def test_a_trigger_and_a_request_in_one_turn(chat, desk, platform):
    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, {"text": "Wait."}]})
    async with chat(rasa, handoff={"triggers": ["refund"]}) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.deliver(text(2, "refund"))
        await running.idle()
        await sees(desk, *HI, *REFUND)


@pytest.mark.parametrize("triggers", [[], ["a\nb\nc"]])
async def test_three_messages_in_one_turn(chat, desk, platform, triggers):
    says = [{"text": "I see."}] if triggers else [{"text": "I see."}, ASKS]
    rasa = Rasa({"a\nb\nc": says})
    async with chat(rasa, handoff={"triggers": triggers}, debounce=0.5) as running:
        await running.deliver(webhooks.texts(*"abc", phone=PHONE))
        await desk.hears("handoff.requested")
        await running.idle()
        await running.deliver(text(7, "hello?"))
        await eventually(lambda: "hello?" in desk.texts(), told=lambda: desk.told)
        users = [("user", each) for each in "abc"]
        asked = [] if triggers else [("bot", "I fetch somebody.")]
        await sees(desk, *users, ("bot", "I see."), *asked, ("user", "hello?"))


async def test_messages_of_one_turn_are_not_answered_again_after_the_return(chat, desk, platform):
    rasa = Rasa({"a\nb\nc": [ASKS]})
    async with chat(rasa, handoff={"return_words": ["robot"]}, debounce=0.5) as running:
        await running.deliver(webhooks.texts(*"abc", phone=PHONE))
        await desk.hears("message.received", 3)
        await running.idle()
        rasa.saved.clear()
        await Door(running.url, PHONE).asks("owner", {"owner": "bot"})
        await desk.hears("owner.changed")
        await running.idle()
        await running.deliver(text(8, "bye"))
        await eventually(lambda: "bye" in rasa.heard)
        assert rasa.heard == ["a\nb\nc", "bye"]


async def test_a_picture_is_fetched_once(chat, desk, platform):
    """A download that hangs would keep the bot's words back for as long as one may last."""
    platform[0].files["77"] = (PICTURE, "image/jpeg")
    async with chat(Rasa({"my lake": [ASKS]})) as running:
        sent = webhooks.picture(PHONE, "wamid.in2", "my lake", media_id="77", sha256=PICTURE_SHA256)
        await running.deliver(envelope([sent]))
        told = await desk.hears("message.received")
        await running.idle()
    assert told["message"]["media"]["size"] == len(PICTURE)
    assert platform[0].downloads == 1


async def test_a_reminder_long_after_its_turn(chat, desk, platform):
    rasa = Rasa({})
    async with chat(rasa) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.idle()
        await running.deliver(text(2, "more"))
        await platform[0].sends(2)
        await running.idle()
        await rasa.outputs[0].send_response(PHONE, ASKS)  # Rasa keeps the output of the turn
        await sees(desk, *HI, ("user", "more"), HI[1], ("bot", "I fetch somebody."))


@pytest.mark.parametrize("waiting", ["silent", "bot"])
async def test_two_requests_in_one_turn_and_one_while_somebody_waits(chat, desk, platform, waiting):
    again = {**ASKS, "text": "Again."}
    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, again, {"text": "Wait."}]})
    async with chat(rasa, handoff={"while_waiting": waiting}) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.deliver(text(2, "refund"))
        await running.idle()
        after = [("user", "one")]
        await running.deliver(text(3, "one"))
        if waiting == "bot":
            rasa.answers["one"] = [ASKS, {"text": "More."}]
            after += [("bot", "I fetch somebody."), ("bot", "More.")]
        await sees(desk, *HI, *REFUND[:3], ("bot", "Again."), ("bot", "Wait."), *after)


@pytest.mark.parametrize("combine", ["off", "turn"])
async def test_a_message_that_comes_while_the_turn_asks(chat, desk, platform, combine):
    gate = asyncio.Event()
    rasa = Rasa({"refund": [{"text": "I see."}, ASKS, gate, {"text": "Wait."}]})
    async with chat(rasa, combine=combine, combine_wait=1) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.deliver(text(2, "refund"))
        await running.deliver(text(3, "hello?"))
        await desk.hears("message.sent", 1 if combine == "turn" else 2)
        gate.set()
        said = (REFUND[0], ("bot", "I see.\n\nI fetch somebody."), ("bot", "Wait."))
        await sees(desk, *HI, *(said if combine == "turn" else REFUND), ("user", "hello?"))


def turn_of(dying: Any, handoffs: Handoffs, wait: float | None) -> TurnWriter:
    written = OutboxWriter(
        dying, Composer(CLOUD), turn_id="wamid.in2", turn_version=1, owner_gate=OwnerGate(handoffs)
    )
    return TurnWriter(written, dying.values, "wamid.in2", wait=wait)


async def refund_waits(chat: Any, rasa: Rasa, platform: Any) -> None:
    """Somebody has written twice; the bot has answered the first message."""
    async with chat(rasa) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await running.idle()
    async with chat(rasa, roles=["door"]) as running:
        await running.deliver(text(2, "refund"))


async def test_a_turn_that_was_saved_as_its_process_died(chat, desk, platform, tmp_path):
    url = f"sqlite:///{tmp_path / 'whatsapp.db'}"
    rasa = Rasa({})
    await refund_waits(chat, rasa, platform)
    async with open_store(url) as store, open_store(url) as dying:
        await crash_with_next_item(store, dying, "inbox")
        turn = turn_of(dying, Handoffs(dying, HandoffSettings(desk="webhook")), 60.0)
        for says in ({"text": "I see."}, ASKS):
            await turn.write(PHONE, says)
        user = line("user", "refund", message_id="wamid.in2", intent_name="refund")
        rasa.save(user, line("bot", "I see."), line("bot", "I fetch somebody."))
    async with chat(rasa, combine="turn") as running:
        await platform[0].sends(2)
        await running.idle()
        await sees(desk, *HI, REFUND[0], ("bot", "I see.\n\nI fetch somebody."))
        assert rasa.heard == ["hi"]


async def test_a_process_that_died_as_it_asked(chat, desk, platform, tmp_path):
    class Dying(Handoffs):
        async def report_owner(self, *_: object) -> None:
            raise StoreError("it died")

    url = f"sqlite:///{tmp_path / 'whatsapp.db'}"
    rasa = Rasa({})
    await refund_waits(chat, rasa, platform)
    async with open_store(url) as store, open_store(url) as dying:
        await crash_with_next_item(store, dying, "inbox")
        turn = turn_of(dying, Dying(dying, HandoffSettings(desk="webhook")), None)
        with pytest.raises(StoreError):
            await turn.write(PHONE, ASKS)
    async with chat(rasa) as running:
        await running.idle()
        await desk.hears("handoff.requested")
        await sees(desk, *HI, REFUND[0])
