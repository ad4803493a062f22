"""How many people are written to outside of their window in any 24 hours, over every store."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.conversation.window import Windows, notes_of_message
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.tier_gate import TierGate
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import WINDOW, QueueItem
from rasa_whatsapp_channel.whatsapp.account_events import messaging_limit, read_account_event

HOUR, LIMIT = 3600.0, 3
TEMPLATE = {"type": "template", "template": {"name": "news", "language": {"code": "en"}}}


class Clock:
    now = 1_764_400_000.0

    def __call__(self) -> float:
        return self.now


class World:
    def __init__(self, store, clock, limit=LIMIT) -> None:
        self.store = store
        self.clock = clock
        self.account = AccountState(store.values, clock=clock)
        self.windows = Windows(store.values)
        self.gate = TierGate(store, self.account, limit=limit, clock=clock)

    async def waits(self, name: str, message=TEMPLATE) -> bool:
        entry = OutboxMessage(name, message)
        item = QueueItem("n1", name, {}, 1, self.clock.now)
        held = await self.gate.hold(item, entry, Person.begin(name), jitter=0.0)
        assert held is None or (held.cause == WINDOW and held.after > 0 and not held.counted)
        return held is not None


@pytest.fixture
async def world():
    clock = Clock()
    async with open_store("memory:", clock=clock) as store:
        yield World(store, clock)


async def test_as_many_people_as_the_limit_within_any_day_each_counted_once(world):
    first = world.clock.now
    reached = []
    for hour in range(0, 72):
        world.clock.now = first + hour * HOUR
        for number in range(4):
            if not await world.waits(f"4915{hour:02d}{number}"):
                reached.append(hour)
        assert len([each for each in reached if each > hour - 24]) <= LIMIT

    assert len(reached) >= 2 * LIMIT
    assert reached[:3] == [0, 0, 0]


async def test_whoever_writes_while_their_template_is_held_back_gets_it_now(world):
    world = World(world.store, world.clock, limit=1)
    assert not await world.waits("491511")
    await world.store.outbox.put("n1", "template:491512", {})
    item = await world.store.outbox.claim()
    entry = OutboxMessage("491512", TEMPLATE)
    held = await world.gate.hold(item, entry, Person.begin("491512"), jitter=0.0)

    await world.windows.note(notes_of_message("491512", world.clock.now, is_turn=True))
    await world.store.outbox.retry_later(item, held.after, cause=held.cause, counted=False)
    await held.then()

    assert await world.store.outbox.claim()


async def test_what_goes_within_the_window_only_reads_nothing():
    clock = Clock()
    async with open_store("memory:", clock=clock) as store:
        world = World(store, clock)
    # The store is closed, so that to read it would fail.
    assert not await world.waits("491511", {"type": "text", "text": {"body": "in the window"}})


async def test_whoever_was_counted_gets_more_and_whoever_wrote_is_not_counted(world):
    for name in ("491511", "491512", "491513"):
        assert not await world.waits(name)

    assert await world.waits("491514")
    assert not await world.waits("491513")
    await world.windows.note(notes_of_message("491514", world.clock.now, is_turn=True))
    assert not await world.waits("491514")
    assert not await world.waits("491515", {"type": "text", "text": {"body": "in the window"}})
    world.clock.now += 25 * HOUR
    assert not await world.waits("491514")


EVENTS = [
    ("business_capability_update", {"max_daily_conversations_per_business": 2000}, 2000),
    ("business_capability_update", {"max_daily_conversations_per_business": -1}, 0),
    ("business_capability_update", {"max_daily_conversation_per_phone": 250}, 250),
    ("business_capability_update", {"max_phone_numbers_per_waba": 25}, None),
    ("phone_number_quality_update", {"event": "UPGRADE", "current_limit": "TIER_2K"}, 2000),
    (
        "phone_number_quality_update",
        {
            "event": "THROUGHPUT_UPGRADE",
            "current_limit": "TIER_UNLIMITED",
            "max_daily_conversations_per_business": "TIER_100K",
        },
        100_000,
    ),
    ("phone_number_quality_update", {"event": "FLAGGED", "current_limit": "TIER_NOT_SET"}, None),
    ("phone_number_quality_update", {"event": "UPGRADE", "current_limit": "TIER_UNLIMITED"}, 0),
    ("account_review_update", {"decision": "APPROVED"}, None),
]


@pytest.mark.parametrize(("field", "value", "limit"), EVENTS)
async def test_what_whatsapp_tells_of_the_limit_counts_more_than_the_setting(
    world, field, value, limit
):
    event = read_account_event(field, value)

    assert messaging_limit(event) == limit
    await world.account.note(event)
    assert await world.account.messaging_limit(LIMIT) == (LIMIT if limit is None else limit)
