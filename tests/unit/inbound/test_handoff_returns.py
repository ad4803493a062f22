"""Returns that meet other clocks, repeated requests, changed messages and another app."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from support.desk import PHONE, Clock, Desk

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.inbound.handoff import LEFT_TO_BOT, InboxHandoff
from rasa_whatsapp_channel.inbound.turn import TrackerEvent
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DONE, DeadLetter, Outcome, QueueItem, StoreError
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, to_body

SETTINGS = HandoffSettings(idle=3600.0, text_return="I am a robot again.")


class Scene:
    """One conversation, its worker, and another server whose clock is some seconds ahead."""

    def __init__(self, store: Any, clock: Clock, ahead: float) -> None:
        self.store = store
        self.clock = clock
        self.said: list[str] = []
        self.metrics = Metrics()
        self.here = Handoffs(store, SETTINGS, self.metrics, clock=clock)
        self.there = Handoffs(store, SETTINGS, clock=lambda: clock.now + ahead)
        self.desk = self.beside()

    def beside(self, settings: HandoffSettings = SETTINGS, **options: Any) -> Desk:
        """Return a worker of its own, with other *options*."""
        self.here.settings = settings
        handoff = InboxHandoff(self.here, say=self._say, say_rest=_no_turn_died, clock=self.clock)
        return Desk(self.store, self.clock, handoff=handoff, **options)

    async def _say(self, turn_id: str, conversation: str, text: str) -> None:
        self.said.append(text)

    async def owner(self) -> Owner:
        return (await self.here.of(PHONE)).owner

    async def shown(self) -> dict[str, float]:
        """Return how many conversations the metrics show, by owner."""
        await self.here.show()
        page = self.metrics.page().decode()
        found = re.findall(r'^whatsapp_conversations{owner="(\w+)"} (.*)$', page, re.M)
        return {owner: float(count) for owner, count in found if float(count)}

    async def unanswered(self, message_id: str, body: str) -> None:
        event = InboundMessage(
            message_id, "text", PHONE, timestamp=int(self.clock.now), content={"body": body}
        )
        await self.note(message_id, "text", body, event=to_body(event))

    async def note(self, message_id: str, kind: str, text: str, **more: Any) -> None:
        message = EpisodeMessage(message_id, "user", self.clock.now, kind, text, **more)
        await self.here.note(PHONE, message)


async def _no_turn_died(turn_id: str, version: int) -> None:
    pass


@pytest.fixture
async def scene() -> Any:
    clock = Clock()
    async with open_store("memory:", clock=clock) as store:
        yield Scene(store, clock, ahead=5.0)


async def test_time_is_over_though_the_clock_of_who_returns_it_is_behind(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    scene.clock.now += 3598.0  # over by the other clock, not by this one

    await scene.there.give_back(PHONE, by="clock")
    await scene.desk.run()

    assert await scene.owner() is Owner.BOT


async def test_time_is_not_over_where_a_person_has_spoken_since(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="app")
    scene.clock.now += 3598.0
    await scene.there.give_back(PHONE, by="clock")
    await scene.here.apply(PHONE, Owner.HUMAN, by="app")

    await scene.desk.run()

    assert await scene.owner() is Owner.HUMAN


async def test_a_return_that_failed_can_be_asked_for_again(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    assert await scene.here.give_back(PHONE, by="operator")
    item = await scene.store.inbox.claim()
    await scene.store.inbox.dead_letter(item, DeadLetter("Rasa cannot read this tracker").reason)

    assert await scene.here.give_back(PHONE, by="operator")
    await scene.desk.run()

    assert await scene.owner() is Owner.BOT
    assert scene.said == ["I am a robot again."]


async def handled_without_bot(scene: Scene) -> list[Outcome]:
    """Return what becomes of the items of the conversation where no bot runs."""
    desk = scene.beside(runs_bot=False)
    outcomes = []
    while isinstance(item := await scene.store.inbox.claim_first(PHONE), QueueItem):
        outcomes.append(await desk.handle(item))
        await scene.store.inbox.done(item)
    assert (desk.heard, desk.noted, desk.client.receipts) == ([], [], [])
    return outcomes


async def test_where_no_bot_runs_what_is_for_it_is_left_to_it(scene):
    await scene.desk.says("to the bot")
    assert await handled_without_bot(scene) == [LEFT_TO_BOT]

    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    await scene.desk.says("to a person")
    await scene.here.give_back(PHONE, by="operator")
    assert await handled_without_bot(scene) == [DONE, LEFT_TO_BOT]
    assert await scene.owner() is Owner.HUMAN

    scene.clock.now += 3600.0
    await scene.desk.says("when the time is over")
    assert await handled_without_bot(scene) == [LEFT_TO_BOT]
    episode = (await scene.here.of(PHONE)).episode
    kept = await scene.here.messages(PHONE, episode)
    assert [message.text for message in kept] == ["to a person"]


async def test_where_no_bot_runs_a_return_of_before_a_persons_last_word_holds_up_nothing(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="app")
    scene.clock.now += 3600.0
    await scene.here.give_back(PHONE, by="clock")
    await scene.here.apply(PHONE, Owner.HUMAN, by="app")
    await scene.desk.says("to a person")

    assert await handled_without_bot(scene) == [DONE, DONE]


async def test_a_sign_from_the_future_lasts_no_longer_than_any_other(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="app", at=scene.clock.now + 1e9)

    assert (await scene.here.of(PHONE)).until == scene.clock.now + 3600.0


async def test_a_message_of_before_another_app_took_it_brings_nobody_back(scene):
    await scene.desk.says("to the bot, in the same second")
    scene.clock.now += 0.4
    await scene.here.apply(PHONE, Owner.APP, by="whatsapp", at=float(int(scene.clock.now)))

    assert await scene.desk.run() == []
    assert await scene.owner() is Owner.APP

    scene.clock.now += 0.1
    await scene.desk.says("to the bot, afterwards")
    assert (await scene.desk.run())[-1:] == ["to the bot, afterwards"]


async def test_what_was_deleted_is_not_answered_and_what_was_edited_as_it_is_now(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    await scene.unanswered("m1", "forget it")
    await scene.unanswered("m2", "two pizzas")
    await scene.note("m3", "revoke", "", reply_to="m1")
    await scene.note("m4", "edit", "three pizzas", reply_to="m2")
    await scene.here.give_back(PHONE, by="operator")

    assert await scene.desk.run() == ["three pizzas"]


async def test_what_the_person_edited_is_answered_in_its_last_words(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    await scene.desk.says("two pizzas")
    last = {"type": "text", "text": {"body": "three pizzas"}}
    await scene.desk.gets("edit", original_message_id="m1", message=last)
    await scene.desk.run()
    await scene.here.give_back(PHONE, by="operator")

    assert await scene.desk.run() == ["three pizzas"]


@pytest.mark.parametrize(
    ("wanted", "lasts"),
    [(Owner.WAITING, 600.0), (Owner.HUMAN, 3600.0), (Owner.APP, 86_400.0)],
    ids=["waiting", "human", "app"],
)
async def test_every_owner_has_its_time_and_metrics_show_it_until_then(scene, wanted, lasts):
    await scene.here.apply(PHONE, wanted, by="app")
    owner = await scene.owner()
    scene.clock.now += lasts - 1
    await scene.desk.run()
    assert await scene.owner() is owner
    assert await scene.shown() == {owner.value: 1.0}

    scene.clock.now += 61.0
    await scene.desk.run()
    assert await scene.owner() is Owner.BOT
    assert await scene.shown() == {}


async def test_whoever_was_erased_while_a_person_answered_is_not_shown_for_ever(scene):
    await scene.here.apply(PHONE, Owner.HUMAN, by="app")
    await scene.store.erase(PHONE)
    scene.clock.now += 2 * 3600.0

    assert await scene.shown() == {}


async def test_whoever_takes_it_while_the_bot_hears_of_the_return_has_it(scene):
    async def a_colleague_takes_it_meanwhile(event: TrackerEvent) -> bool:
        await scene.here.apply(PHONE, Owner.HUMAN, by="app")
        return True

    scene.desk = scene.beside(record=a_colleague_takes_it_meanwhile)
    await scene.here.apply(PHONE, Owner.WAITING, by="bot")
    await scene.here.give_back(PHONE, by="operator")
    await scene.desk.run()

    assert await scene.owner() is Owner.HUMAN
    assert scene.said == []


async def test_the_desk_hears_of_a_return_whose_server_died(scene, monkeypatch):
    scene.desk = scene.beside(HandoffSettings(desk="webhook", text_return="I am a robot again."))
    await scene.here.apply(PHONE, Owner.HUMAN, by="operator")
    await scene.here.give_back(PHONE, by="operator")
    with monkeypatch.context() as dies:
        dies.setattr(scene.here, "report_owner", _dies)
        item = [each async for each in _claimed(scene.store)][-1]
        with pytest.raises(StoreError):
            await scene.desk.handle(item)
    assert await scene.owner() is Owner.BOT

    await scene.desk.handle(replace(item, attempts=2))

    told = [row.body for row in await scene.store.desk.waiting() if row.body["kind"] == "desk"]
    assert [body["facts"]["to"] for body in told] == ["human", "bot"]
    assert scene.said == ["I am a robot again."]


@pytest.mark.parametrize("step", ["report_owner", "ask_to_keep"])
async def test_the_desk_hears_of_a_request_whose_server_died(scene, monkeypatch, step):
    scene.desk = scene.beside(HandoffSettings(desk="webhook"))
    await scene.desk.gets("text", body="a person, please")
    item = await scene.store.inbox.claim()
    with monkeypatch.context() as dies:
        dies.setattr(scene.here, step, _dies)
        with pytest.raises(StoreError):
            await scene.here.apply(PHONE, Owner.WAITING, by="bot", reason="a refund")
    assert await scene.owner() is Owner.WAITING

    await scene.desk.handle(replace(item, attempts=2))

    told = [row.body for row in await scene.store.desk.waiting() if row.body["kind"] == "desk"]
    assert [body["type"] for body in told] == ["handoff.requested", "message.received"]
    assert told[0]["facts"]["reason"] == "a refund"


async def _dies(*_: object) -> None:
    raise StoreError("it died")


async def _claimed(store: Any) -> Any:
    while item := await store.inbox.claim():
        yield item
