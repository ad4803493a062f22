"""The owner of a conversation and its episode, over every store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rasa_whatsapp_channel.conversation.handoffs import KEEP, OPEN, EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store.base import StoreError

MAYA = "4915112345678"


@pytest.fixture
def handoffs(store, clock):
    return Handoffs(store, HandoffSettings(), clock=clock)


async def test_of_fifty_who_take_a_conversation_at_once_one_is_the_first(handoffs):
    cancelled: list[str] = []

    async def cancel(conversation: str) -> None:
        cancelled.append(conversation)

    handoffs.cancel_turn = cancel
    owners = await asyncio.gather(
        *(handoffs.apply(MAYA, Owner.HUMAN, by="operator") for _ in range(50))
    )

    assert cancelled == [MAYA]
    assert {owner.version for owner in owners} == {2}
    assert (await handoffs.of(MAYA)).owner is Owner.HUMAN


async def test_two_who_give_it_back_and_take_it_at_once_follow_each_other(handoffs):
    for _ in range(20):
        await asyncio.gather(
            handoffs.apply(MAYA, Owner.HUMAN, by="operator"),
            handoffs.apply(MAYA, Owner.BOT, by="user"),
        )

    owner = await handoffs.of(MAYA)
    assert owner.version - owner.floor == (1 if owner.owner is Owner.BOT else 0)


async def test_a_list_for_metrics_that_others_change_for_ever_keeps_nobody_from_a_person(
    store, handoffs, monkeypatch
):
    compare_and_set = store.values.compare_and_set

    async def never_the_list(key: str, *rest: Any) -> bool:
        return key != OPEN and await compare_and_set(key, *rest)

    monkeypatch.setattr(store.values, "compare_and_set", never_the_list)

    owner = await handoffs.apply(MAYA, Owner.WAITING, by="bot")

    assert owner.owner is (await handoffs.of(MAYA)).owner is Owner.WAITING


async def test_another_process_sees_the_owner(store, another, clock):
    await Handoffs(store, HandoffSettings(), clock=clock).apply(MAYA, Owner.WAITING, by="bot")

    there = Handoffs(another, HandoffSettings(), clock=clock)
    assert (await there.of(MAYA)).owner is Owner.WAITING
    assert list(await there.all()) == [MAYA]


async def test_an_episode_whose_process_died_before_it_set_the_timer_gets_it_at_the_next_sign(
    store, clock, monkeypatch
):
    handoffs = Handoffs(store, HandoffSettings(), clock=clock)
    with monkeypatch.context() as dies:
        dies.setattr(store.desk, "put", _raises)
        with pytest.raises(StoreError):
            await handoffs.apply(MAYA, Owner.HUMAN, by="app")
    assert await store.desk.waiting() == []

    await handoffs.apply(
        MAYA, Owner.HUMAN, by="app", at=clock.now - 3600
    )  # it comes again, and late
    await handoffs.apply(MAYA, Owner.HUMAN, by="app")

    timer, keep = await store.desk.waiting()
    assert timer.body["episode"] == (await handoffs.of(MAYA)).episode
    assert keep.body == {"kind": KEEP, "conversation": MAYA}


async def _raises(*_: object) -> bool:
    raise StoreError("it died")


async def test_every_line_of_an_episode_is_kept_once(handoffs):
    owner = await handoffs.apply(MAYA, Owner.HUMAN, by="operator")
    lines = [EpisodeMessage(f"m{n}", "user", 10.0 + n, "text", f"text {n}") for n in range(20)]

    await asyncio.gather(*(handoffs.note(MAYA, line) for line in [*lines, *lines]))

    kept = await handoffs.messages(MAYA, owner.episode)
    assert sorted(kept, key=lambda line: line.at) == lines


async def test_an_episode_does_not_grow_without_end(handoffs):
    owner = await handoffs.apply(MAYA, Owner.HUMAN, by="operator")
    for n in range(505):
        await handoffs.note(MAYA, EpisodeMessage(f"m{n}", "user", float(n), "text"))

    kept = await handoffs.messages(MAYA, owner.episode)
    assert [kept[0].id, kept[-1].id, len(kept)] == ["m5", "m504", 500]


async def test_who_is_forgotten_leaves_no_owner_and_no_episode(store, handoffs):
    owner = await handoffs.apply(MAYA, Owner.HUMAN, by="operator")
    await handoffs.note(MAYA, EpisodeMessage("m1", "user", 1.0, "text", "my card is 4711"))

    await store.erase(MAYA)

    assert await handoffs.all() == {}
    assert await handoffs.messages(MAYA, owner.episode) == []
