"""Whatever is asked of them in whatever order, the stores answer alike."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
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

from rasa_whatsapp_channel.store.base import DAY, STATUS_RANK, Store
from rasa_whatsapp_channel.store.bucket import Limit
from rasa_whatsapp_channel.store.memory import MemoryStore
from rasa_whatsapp_channel.store.sqlite import SQLiteStore

users = st.sampled_from(["anna", "ben", "cem"])
leases = st.sampled_from([0, 30, 300])
holds = st.sampled_from([0, 0, 5, 60])
ttls = st.sampled_from([1, 30, DAY])
pauses = st.sampled_from([-7200, -3, 0.5, 31, 31, 400, DAY + 1, 9 * DAY, 31 * DAY])
few = st.integers(0, 3).map(str)
many = st.integers(0, 99).map(str)


class Stores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000.0
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.stores = MemoryStore(clock=self.clock), self.other_store()
        self.both(lambda store: store.open())

    def other_store(self) -> Store:
        return SQLiteStore(Path(self.folder.name) / "whatsapp.db", clock=self.clock)

    def clock(self) -> float:
        return self.now

    def both(self, ask):
        first, second = (self.loop.run_until_complete(ask(store)) for store in self.stores)
        assert first == second
        return first

    def teardown(self) -> None:
        self.both(lambda store: store.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(seconds=pauses)
    def move_clock(self, seconds):
        self.now += seconds
        # When something old goes away is up to each store, unless it is told to.
        self.both(lambda store: store.purge())


class Queues(Stores):
    items = Bundle("items")

    @initialize()
    def begin_with_some(self):
        for n, user in enumerate(["anna", "ben", "anna", "anna"]):
            self.put(f"first {n}", user)

    @rule(key=many, user=users)
    def put(self, key, user):
        self.both(lambda store: store.inbox.put(key, user, {"key": key}))

    @rule(target=items, lease=leases)
    def claim(self, lease):
        item = self.both(lambda store: store.inbox.claim(lease))
        return item if item else multiple()

    @rule(target=items, lease=leases, limit=st.integers(1, 3))
    def claim_many(self, lease, limit):
        return multiple(*self.both(lambda store: store.inbox.claim_many(lease, limit)))

    @rule(item=items, hold=holds)
    def done(self, item, hold):
        self.both(lambda store: store.inbox.done(item, hold))

    @rule(item=items, after=leases, attempt=st.booleans())
    def release(self, item, after, attempt):
        self.both(lambda store: store.inbox.release(item, after, attempt=attempt))

    @rule(item=items)
    def replace_body(self, item):
        self.both(lambda store: store.inbox.replace_body(item, {"changed": item.attempts}))

    @rule(item=items, lease=leases)
    def extend(self, item, lease):
        self.both(lambda store: store.inbox.extend(item, lease))

    @rule(item=items, hold=holds)
    def give_up(self, item, hold):
        self.both(lambda store: store.inbox.give_up(item, "reason", hold))

    @rule(user=users)
    def free(self, user):
        self.both(lambda store: store.inbox.free(user))

    @rule(user=users)
    def purge(self, user):
        self.both(lambda store: store.inbox.purge(user))

    @rule(key=many, user=users)
    def put_given_up(self, key, user):
        self.both(lambda store: store.inbox.put_given_up(key, user, {"odd": key}, "odd"))

    @rule(data=st.data())
    def retry(self, data):
        given_up = self.both(lambda store: store.inbox.given_up())
        key = data.draw(st.sampled_from(["none", *(entry.key for entry in given_up)]))
        self.both(lambda store: store.inbox.retry(key))

    @rule(data=st.data())
    def discard(self, data):
        given_up = self.both(lambda store: store.inbox.given_up())
        key = data.draw(st.sampled_from(["none", *(entry.key for entry in given_up)]))
        self.both(lambda store: store.inbox.discard(key))

    @invariant()
    def same_depth(self):
        self.both(lambda store: store.inbox.depth())
        self.both(lambda store: store.inbox.waiting())
        self.both(lambda store: store.inbox.given_up())


class Records(Stores):
    @rule(message_id=few)
    def note_sent(self, message_id):
        # WhatsApp's ids are never given twice; an entry that is sent again has several.
        key = message_id.replace("1", "0")
        recipient_id = recipient_of(key)
        self.both(
            lambda store: store.ledger.note_sent(message_id, key=key, recipient_id=recipient_id)
        )

    @rule(key=few)
    def purge_sent(self, key):
        self.both(lambda store: store.ledger.purge(recipient_of(key)))

    @rule(message_id=few, status=st.sampled_from([*STATUS_RANK, "unheard of"]))
    def note_status(self, message_id, status):
        self.both(lambda store: store.ledger.note_status(message_id, status))

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
    def purge_values(self, prefix):
        self.both(lambda store: store.values.purge(prefix))

    @rule(key=few, rate=st.sampled_from([0.1, 80]), burst=st.sampled_from([1, 2.5]))
    def take(self, key, rate, burst):
        self.both(lambda store: store.values.take(Limit(key, rate, burst), Limit("all", 1, 2)))

    @rule(key=few)
    def look_up(self, key):
        self.both(lambda store: store.ledger.get(key))
        self.both(lambda store: store.ledger.by_key(key))
        self.both(lambda store: store.values.get(key))


class WithRedis(Stores):
    url: ClassVar[str]

    def other_store(self) -> Store:
        # The Python package is optional.
        from rasa_whatsapp_channel.store.redis import RedisStore

        return RedisStore(f"{self.url}?name={uuid4().hex}", clock=self.clock)


class RedisQueues(WithRedis, Queues):
    pass


class RedisRecords(WithRedis, Records):
    # Redis ends records by its own clock. What ended by the one given here comes back with it.
    @rule(seconds=pauses.filter(lambda seconds: seconds > 0))
    def move_clock(self, seconds):
        super().move_clock(seconds)


def recipient_of(key):
    return "anna" if key < "2" else "ben"


ENOUGH = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestQueues = Queues.TestCase
TestQueues.settings = ENOUGH
TestRecords = Records.TestCase
TestRecords.settings = ENOUGH

# Each answer is a round trip.
FEWER = settings(ENOUGH, max_examples=20)


class TestRedisQueues(RedisQueues.TestCase):
    settings = FEWER

    @pytest.fixture(autouse=True)
    def use(self, shared_redis):
        WithRedis.url = shared_redis.url


class TestRedisRecords(RedisRecords.TestCase):
    settings = FEWER

    @pytest.fixture(autouse=True)
    def use(self, shared_redis):
        WithRedis.url = shared_redis.url
