"""Whatever is asked of them in whatever order, SQLite and Redis answer alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import ClassVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import STATUS_RANK, TIME, WINDOW, status_cause
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.unix_time import DAY

BEGIN = 1_700_000_000.0
users = st.sampled_from(["anna", "ben", "cem"])
# Redis forgets by a clock of its own, too, so these are longer than a slow machine takes.
waits = st.sampled_from([0, 0, 600, 3000])
ttls = st.sampled_from([600, 1800, DAY])
causes = st.sampled_from([TIME, WINDOW, status_cause("wamid.1")])
pauses = st.sampled_from([-7200, -3, 0.5, 31, 601, 3601, DAY + 1, 9 * DAY, 31 * DAY])
few = st.integers(0, 3).map(str)
many = st.integers(0, 99).map(str)


class Stores(RuleBasedStateMachine):
    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.loop = asyncio.new_event_loop()
        self.stores = (
            open_store("memory:", clock=self.clock),
            open_store(f"{self.url}?name={uuid4().hex}", clock=self.clock),
        )
        self.both(lambda store: store.open())

    def clock(self) -> float:
        return self.now

    def both(self, ask):
        first, second = (self.loop.run_until_complete(ask(store)) for store in self.stores)
        assert first == second
        return first

    def teardown(self) -> None:
        self.both(lambda store: store.close())
        self.loop.close()

    @rule(seconds=pauses)
    def move_clock(self, seconds):
        self.now += seconds
        # When something old goes away is up to each store, unless it is told to.
        self.both(lambda store: store.expire())


class Queues(Stores):
    items = Bundle("items")

    @initialize()
    def begin_with_some(self):
        for n, user in enumerate(["anna", "ben", "anna", "anna"]):
            self.put(f"first {n}", user)

    @rule(key=many, user=users)
    def put(self, key, user):
        self.both(lambda store: store.inbox.put(key, user, {"key": key}))

    @rule(target=items, limit=st.integers(1, 3))
    def claim_many(self, limit):
        return multiple(*self.both(lambda store: store.inbox.claim_many(limit)))

    @rule(item=items, hold=waits, cause=causes)
    def done(self, item, hold, cause):
        self.both(lambda store: store.inbox.done(item, hold, cause=cause))

    @rule(
        item=items,
        after=waits,
        cause=causes,
        counted=st.booleans(),
        body=st.sampled_from([None, {"changed": True}]),
        error=st.sampled_from([None, "131016 title"]),
    )
    def retry_later(self, item, after, **more):
        self.both(lambda store: store.inbox.retry_later(item, after, **more))

    @rule(item=items)
    def dead_letter(self, item):
        self.both(lambda store: store.inbox.dead_letter(item, "reason"))

    @rule(user=users, cause=causes)
    def end_wait(self, user, cause):
        self.both(lambda store: store.inbox.end_wait(user, cause))

    @rule(cause=causes)
    def end_waits(self, cause):
        self.both(lambda store: store.inbox.end_waits(cause))

    @rule(user=users)
    def erase(self, user):
        self.both(lambda store: store.inbox.erase(user))

    @rule(key=many, user=users)
    def put_dead_letter(self, key, user):
        self.both(lambda store: store.inbox.put_dead_letter(key, user, {"odd": key}, "odd"))

    @rule(data=st.data())
    def requeue(self, data):
        dead_letters = self.both(lambda store: store.inbox.dead_letters())
        key = data.draw(st.sampled_from(["none", *(row.key for row in dead_letters)]))
        self.both(lambda store: store.inbox.requeue(key))

    @rule(data=st.data())
    def discard(self, data):
        dead_letters = self.both(lambda store: store.inbox.dead_letters())
        key = data.draw(st.sampled_from(["none", *(row.key for row in dead_letters)]))
        self.both(lambda store: store.inbox.discard(key))

    @invariant()
    def same_depth(self):
        self.both(lambda store: store.inbox.depth())
        self.both(lambda store: store.inbox.waiting())
        self.both(lambda store: store.inbox.dead_letters())


class Records(Stores):
    # Redis ends records by its own clock. What ended by the one given here comes back with it.
    @rule(seconds=pauses.filter(lambda seconds: seconds > 0))
    def move_clock(self, seconds):
        super().move_clock(seconds)

    @rule(message_id=few)
    def note_sent(self, message_id):
        # WhatsApp's ids are never given twice; an item that is sent again has several.
        key = message_id.replace("1", "0")
        recipient_id = recipient_of(key)
        body = {"message": message_id}
        self.both(
            lambda store: store.ledger.note_sent(
                message_id, key=key, recipient_id=recipient_id, body=body
            )
        )

    @rule(key=few)
    def erase_sent(self, key):
        self.both(lambda store: store.ledger.erase(recipient_of(key)))

    @rule(
        message_id=few,
        status=st.sampled_from([*STATUS_RANK, "unheard of"]),
        code=st.sampled_from([0, 131047]),
    )
    def note_status(self, message_id, status, code):
        self.both(
            lambda store: self._noted(store.ledger.note_status(message_id, status, code=code))
        )

    @rule(key=few, value=st.integers(), ttl=ttls)
    def set_value(self, key, value, ttl):
        self.both(lambda store: store.values.set(key, value, ttl))

    @rule(key=few, value=st.integers(), ttl=ttls)
    def add_value(self, key, value, ttl):
        self.both(lambda store: store.values.add(key, value, ttl))

    @rule(key=few)
    def delete_value(self, key):
        self.both(lambda store: store.values.delete(key))

    @rule(prefix=st.sampled_from(["", "0", "1", "10"]))
    def find_values(self, prefix):
        self.both(partial(found, prefix))

    @rule(key=few, rate=st.sampled_from([0.1, 80]), burst=st.sampled_from([1, 2.5]))
    def take(self, key, rate, burst):
        self.both(lambda store: store.values.take(Limit(key, rate, burst), Limit("all", 1, 2)))

    @rule(key=few, day=st.integers(1, 3), ttl=ttls, beyond=st.booleans())
    def count(self, key, day, ttl, beyond):
        limits = {"counter:day": day, f"counter:{key}": 2}
        self.both(lambda store: store.values.count(f"counted:{key}", limits, ttl, beyond=beyond))

    @rule(key=few)
    def uncount(self, key):
        self.both(lambda store: store.values.uncount(f"counted:{key}"))
        self.both(partial(found, "counter:"))

    @rule(key=few)
    def look_up(self, key):
        self.both(lambda store: self._known(store.ledger.get(key)))
        self.both(lambda store: self._known(store.ledger.by_key(key)))
        self.both(lambda store: store.values.get(key))

    async def _known(self, asked):
        return self._shown(await asked)

    async def _noted(self, asked):
        noted = await asked
        return noted and replace(noted, message=self._shown(noted.message))

    def _shown(self, sent):
        """Return the record; Redis forgets its body by its own clock, too."""
        return sent and replace(sent, body=sent.body if self.now < BEGIN + DAY else None)


async def found(prefix, store):
    return {key: value async for key, value in store.values.find(prefix)}


def recipient_of(key):
    return "anna" if key < "2" else "ben"


# Each answer is a round trip.
ENOUGH = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


class TestQueues(Queues.TestCase):
    settings = ENOUGH

    @pytest.fixture(autouse=True)
    def use(self, shared_redis):
        Stores.url = shared_redis.url


class TestRecords(Records.TestCase):
    settings = ENOUGH

    @pytest.fixture(autouse=True)
    def use(self, shared_redis):
        Stores.url = shared_redis.url
