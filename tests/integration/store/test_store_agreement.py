"""Whatever is asked of them in whatever order, the stores answer alike."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from rasa_whatsapp_channel.store.base import DAY, STATUS_RANK
from rasa_whatsapp_channel.store.memory import MemoryStore
from rasa_whatsapp_channel.store.sqlite import SQLiteStore

few = st.integers(0, 7).map(str)
users = st.sampled_from(["anna", "ben", "cem"])
leases = st.sampled_from([0, 30, 300])
ends = st.sampled_from(["done", "release", "release later", "give up", "extend"])
statuses = st.sampled_from([*STATUS_RANK, "unheard of"])
pauses = st.sampled_from([-7200, -3, 0.5, 31, 400, DAY + 1, 9 * DAY, 31 * DAY])


class Stores(RuleBasedStateMachine):
    items = Bundle("items")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000.0
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "whatsapp.db"
        self.stores = MemoryStore(clock=self.clock), SQLiteStore(path, clock=self.clock)
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
        self.folder.cleanup()

    @rule(key=few, user=users)
    def put(self, key, user):
        self.both(lambda store: store.inbox.put(key, user, {"key": key}))

    @rule(target=items, lease=leases)
    def claim(self, lease):
        item = self.both(lambda store: store.inbox.claim(lease))
        return multiple(item) if item else multiple()

    @rule(item=items, end=ends)
    def end(self, item, end):
        self.both(lambda store: end_item(store.inbox, item, end))

    @rule(key=few, user=users)
    def put_given_up(self, key, user):
        self.both(lambda store: store.inbox.put_given_up(key, user, {"odd": key}, "odd"))

    @rule(key=few)
    def retry(self, key):
        self.both(lambda store: store.inbox.retry(key))

    @rule(message_id=few, key=few, user=users)
    def note_sent(self, message_id, key, user):
        self.both(lambda store: store.ledger.note_sent(message_id, key=key, recipient_id=user))

    @rule(message_id=few, status=statuses)
    def note_status(self, message_id, status):
        self.both(lambda store: store.ledger.note_status(message_id, status))

    @rule(key=few)
    def look_up(self, key):
        self.both(lambda store: store.ledger.get(key))
        self.both(lambda store: store.ledger.by_key(key))
        self.both(lambda store: store.values.get(key))

    @rule(key=few, value=st.integers(), ttl=leases)
    def set_value(self, key, value, ttl):
        self.both(lambda store: store.values.set(key, value, ttl))

    @rule(key=few, value=st.integers(), ttl=leases)
    def add_value(self, key, value, ttl):
        self.both(lambda store: store.values.add(key, value, ttl))

    @rule(key=few)
    def delete_value(self, key):
        self.both(lambda store: store.values.delete(key))

    @rule(seconds=pauses)
    def move_clock(self, seconds):
        self.now += seconds
        # When something old goes away is up to each store, unless it is told to.
        self.both(lambda store: store.purge())

    @invariant()
    def same_depth(self):
        self.both(lambda store: store.inbox.depth())
        self.both(lambda store: store.inbox.given_up())


async def end_item(queue, item, end):
    if end == "done":
        return await queue.done(item)
    if end == "release":
        return await queue.release(item)
    if end == "release later":
        return await queue.release(item, after=60)
    if end == "give up":
        return await queue.give_up(item, "reason")
    return await queue.extend(item, 30)


Stores.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStores = Stores.TestCase
