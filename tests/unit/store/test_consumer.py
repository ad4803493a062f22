"""The consumer on the memory store, with the real event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from rasa_whatsapp_channel.store.base import Item, Retention
from rasa_whatsapp_channel.store.consumer import (
    DONE,
    SLIPS,
    Consumer,
    Done,
    Handle,
    Outcome,
    Release,
    SetAside,
)
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.queue import MemoryQueue
from rasa_whatsapp_channel.whatsapp.errors import StoreError

ANNA, BEN = "491511111111", "491522222222"
HELLO = {"text": "hello"}


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class ShakyQueue(MemoryQueue):
    """Fails as often as told to, operation by operation; answers claims while its gate is open."""

    def __init__(self, clock: Clock) -> None:
        door = Door()
        door.is_open = True
        super().__init__(door, clock=clock, retention=Retention())
        self.failures: dict[str, int] = defaultdict(int)
        self.error: Exception = StoreError("store: it is not there")
        self.gate = asyncio.Event()
        self.gate.set()

    def _may_fail(self, operation: str) -> None:
        if self.failures[operation]:
            self.failures[operation] -= 1
            raise self.error

    async def claim_many(self, lease, limit):
        self._may_fail("claim")
        items = await super().claim_many(lease, limit)
        await self.gate.wait()
        return items

    async def extend(self, item, lease):
        self._may_fail("extend")
        return await super().extend(item, lease)

    async def done(self, item, hold=0.0):
        self._may_fail("done")
        await super().done(item, hold)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    return ShakyQueue(clock)


@asynccontextmanager
async def consuming(queue: MemoryQueue, handle: Handle, **options) -> AsyncIterator[Consumer]:
    consumer = Consumer(queue, handle, name="inbox", **{"pause": 0.02, **options})
    consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop(grace=0)


async def put_all(queue, *entries):
    for key, conversation in entries:
        assert await queue.put(key, conversation, HELLO)


async def eventually(condition, *, within=5.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


async def until_empty(queue):
    end = time.monotonic() + 10
    while (await queue.depth()).waiting:
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


class Desk:
    """Keeps what is in hand until it is told how that ends."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.items: list[Item] = []
        self.in_hand: dict[str, asyncio.Future[Outcome]] = {}

    async def __call__(self, item):
        self.taken.append(item.key)
        self.items.append(item)
        self.in_hand[item.key] = asyncio.get_running_loop().create_future()
        try:
            return await self.in_hand[item.key]
        finally:
            del self.in_hand[item.key]

    def end(self, key, outcome=DONE):
        self.in_hand[key].set_result(outcome)


# Order


async def test_entries_of_one_conversation_are_handled_one_after_the_other(queue):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        await asyncio.sleep(0.05)
        assert desk.taken == ["a1"]

        desk.end("a1")
        await eventually(lambda: "a2" in desk.in_hand)


async def test_conversations_are_handled_side_by_side(queue):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("b1", BEN))

    async with consuming(queue, desk):
        await eventually(lambda: {"a1", "b1"} == set(desk.in_hand))


async def test_a_slow_conversation_does_not_delay_another(queue):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), *((f"b{n}", BEN) for n in range(20)))

    async with consuming(queue, desk):
        for n in range(20):
            await eventually(lambda n=n: f"b{n}" in desk.in_hand)
            desk.end(f"b{n}")

        assert "a1" in desk.in_hand


async def test_many_conversations_are_each_handled_in_order_without_overlap(queue):
    seen = defaultdict(list)
    busy = set()

    async def handle(item):
        assert item.conversation not in busy
        busy.add(item.conversation)
        await asyncio.sleep(0.001)
        busy.remove(item.conversation)
        seen[item.conversation].append(item.body["n"])
        return DONE

    async with consuming(queue, handle):
        for n in range(1000):
            await queue.put(f"k{n}", f"user {n % 100}", {"n": n})
        await until_empty(queue)

    assert seen == {f"user {user}": list(range(user, 1000, 100)) for user in range(100)}


async def test_no_more_are_in_hand_than_there_are_slots(queue):
    desk = Desk()
    await put_all(queue, *((f"k{n}", f"user {n}") for n in range(10)))

    async with consuming(queue, desk, slots=3):
        await eventually(lambda: len(desk.in_hand) == 3)
        await asyncio.sleep(0.05)
        assert desk.taken == ["k0", "k1", "k2"]

        desk.end("k1")
        await eventually(lambda: "k3" in desk.in_hand)
        assert set(desk.in_hand) == {"k0", "k2", "k3"}


async def test_what_waits_for_a_slot_can_be_claimed_by_another_server(queue):
    here, there = Desk(), Desk()
    await put_all(queue, *((f"k{n}", f"user {n}") for n in range(5)))

    async with consuming(queue, here, slots=2), consuming(queue, there):
        await eventually(lambda: len(here.in_hand) + len(there.in_hand) == 5)

    assert len(here.taken) == 2
    assert len(there.taken) == 3


# Outcomes


async def test_an_entry_that_is_done_is_forgotten(queue):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1")
        await until_empty(queue)


@pytest.mark.parametrize("outcome", [Done(hold=60), SetAside("reason", hold=60)])
async def test_an_outcome_may_hold_its_conversation(queue, clock, outcome):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", outcome)
        await asyncio.sleep(0.05)
        assert desk.taken == ["a1"]

        clock.ahead = 60
        await eventually(lambda: "a2" in desk.in_hand)


async def test_a_released_entry_comes_back_after_its_seconds_with_its_new_body(queue, clock):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", Release(60, body={"text": "healed"}))
        await eventually(lambda: not desk.in_hand)
        await asyncio.sleep(0.05)
        assert len(desk.items) == 1

        clock.ahead = 60
        await eventually(lambda: desk.in_hand)

    assert (desk.items[1].body, desk.items[1].tries) == ({"text": "healed"}, 2)


async def test_an_entry_released_without_fault_has_as_many_tries_as_before(queue):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", Release(0, attempt=False))
        await eventually(lambda: len(desk.items) == 2)

    assert (desk.items[1].tries, desk.items[1].attempts) == (1, 2)


async def test_what_cannot_be_handled_is_set_aside_and_logged_without_its_text(queue, caplog):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", SetAside("131026 Message undeliverable"))
        await eventually(lambda: "a2" in desk.in_hand)

    assert [entry.reason for entry in await queue.given_up()] == ["131026 Message undeliverable"]
    (record,) = [record for record in caplog.records if record.message == "whatsapp.given_up"]
    assert (record.key, record.reason) == ("a1", "131026 Message undeliverable")
    assert "hello" not in str(vars(record))


# Functions that fail


async def test_an_entry_whose_function_failed_comes_back_later(queue, clock):
    taken = []

    async def handle(item):
        taken.append((item.key, item.tries))
        if item.attempts == 1 and item.key == "a1":
            raise ValueError("a slip")
        return DONE

    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    async with consuming(queue, handle):
        await eventually(lambda: taken)
        await asyncio.sleep(0.05)
        assert taken == [("a1", 1)]

        clock.ahead = 2
        await until_empty(queue)

    assert taken == [("a1", 1), ("a1", 2), ("a2", 1)]


async def test_an_entry_whose_function_always_fails_is_set_aside_in_the_end(queue):
    async def handle(item):
        if item.key == "a2":
            return DONE
        raise ValueError("a slip")

    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    for _ in range(SLIPS - 1):
        await queue.release(await queue.claim(30))

    async with consuming(queue, handle):
        await until_empty(queue)

    (given_up,) = await queue.given_up()
    assert (given_up.key, given_up.attempts) == ("a1", SLIPS)
    assert given_up.reason == "ValueError: a slip"


async def test_a_function_that_was_cancelled_from_within_has_failed(queue):
    async def handle(item):
        raise asyncio.CancelledError

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, handle):
        await eventually(lambda: not queue.line.is_empty)
        (entry,) = await queue.waiting()

    assert not entry.out
    assert entry.due_at - time.time() > 1
    assert entry.attempts == 1


async def test_a_function_that_failed_for_the_store_is_no_fault_of_the_entry(queue):
    tries = []

    async def handle(item):
        tries.append((item.tries, item.attempts))
        if item.attempts < 20:
            raise StoreError("store: it is not there")
        return DONE

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, handle, pause=0.001):
        await until_empty(queue)

    assert tries == [(1, attempt) for attempt in range(1, 21)]
    assert await queue.given_up() == []


# Stopping


async def test_what_is_in_hand_may_finish_within_the_grace(queue):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk) as consumer:
        await eventually(lambda: desk.in_hand)
        stopping = asyncio.create_task(consumer.stop(grace=5))
        await asyncio.sleep(0.05)
        desk.end("a1")
        await asyncio.wait_for(stopping, timeout=1)

    assert desk.taken == ["a1"]
    assert [entry.key for entry in await queue.waiting()] == ["a2"]


async def test_what_is_not_finished_by_then_is_handed_back_to_others_at_once(queue):
    desk = Desk()
    await put_all(queue, *((f"k{n}", f"user {n}") for n in range(50)))

    async with consuming(queue, desk, lease=3600) as consumer:
        await eventually(lambda: len(desk.in_hand) == 50)
        start = time.monotonic()
        await consumer.stop(grace=0.1)
        assert time.monotonic() - start < 60

    items = await queue.claim_many(30, 100)
    assert [item.key for item in items] == [f"k{n}" for n in range(50)]
    assert {item.tries for item in items} == {1}
    assert {item.attempts for item in items} == {2}


async def test_nothing_is_claimed_after_the_stop(queue):
    desk = Desk()
    async with consuming(queue, desk) as consumer:
        await asyncio.sleep(0.01)
        await consumer.stop(grace=0)
        await queue.put("a1", ANNA, HELLO)
        await asyncio.sleep(0.05)

    assert desk.taken == []


async def test_a_consumer_that_never_started_can_be_stopped(queue):
    await Consumer(queue, Desk(), name="inbox").stop(grace=1)


async def test_a_function_that_does_not_let_go_does_not_keep_the_stop_for_ever(queue):
    begun, gate = asyncio.Event(), asyncio.Event()

    async def handle(item):
        begun.set()
        while not gate.is_set():
            with suppress(asyncio.CancelledError):
                await gate.wait()
        return DONE

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, handle) as consumer:
        await begun.wait()
        await asyncio.wait_for(consumer.stop(grace=0.1), timeout=10)
        gate.set()
        await until_empty(queue)


# Readiness


async def test_nothing_is_claimed_while_nobody_is_ready(queue):
    desk = Desk()
    is_ready = False
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk, ready=lambda: is_ready):
        await asyncio.sleep(0.1)
        assert desk.taken == []
        assert [entry.attempts for entry in await queue.waiting()] == [0]

        is_ready = True
        await eventually(lambda: desk.in_hand)


async def test_who_is_not_ready_leaves_entries_to_those_who_are(queue):
    desk = Desk()
    async with consuming(queue, Desk(), ready=lambda: False), consuming(queue, desk):
        await asyncio.sleep(0.05)
        start = time.monotonic()
        for n in range(40):
            await queue.put(f"a{n}", ANNA, HELLO)
            await eventually(lambda n=n: f"a{n}" in desk.in_hand)
            desk.end(f"a{n}")

    assert time.monotonic() - start < 8


# Leases


async def test_the_lease_is_renewed_while_the_function_is_slow(queue):
    here, there = Desk(), Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, here, lease=0.6):
        await eventually(lambda: here.in_hand)
        async with consuming(queue, there, lease=0.6):
            await asyncio.sleep(1)
            here.end("a1")
            await until_empty(queue)

    assert (here.taken, there.taken) == (["a1"], [])


async def test_the_lease_of_an_entry_that_ended_is_not_renewed(queue, caplog):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk, lease=0.15):
        await eventually(lambda: desk.in_hand)
        desk.end("a1")
        await asyncio.sleep(0.2)

    assert "whatsapp.lease_lost" not in caplog.messages


async def test_one_failed_renewal_does_not_lose_the_lease(queue):
    here, there = Desk(), Desk()
    queue.failures["extend"] = 1
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, here, lease=1):
        await eventually(lambda: here.in_hand)
        async with consuming(queue, there):
            await asyncio.sleep(1.2)
            here.end("a1")
            await until_empty(queue)

    assert queue.failures["extend"] == 0
    assert (here.taken, there.taken) == (["a1"], [])


async def test_who_lost_the_lease_says_so_and_ends_nothing(queue, caplog):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk, lease=0.2, slots=1):
        await eventually(lambda: desk.in_hand)
        await queue.release(desk.items[0])  # as if its time had passed
        taken_over = await queue.claim(30)
        await eventually(lambda: "whatsapp.lease_lost" in caplog.messages)
        desk.end("a1")
        await eventually(lambda: not desk.in_hand)
        await asyncio.sleep(0.02)

        assert await queue.extend(taken_over, 30)


async def test_an_entry_that_ends_while_it_is_claimed_anew_is_not_handled_again(queue, clock):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk, lease=3600):
        await eventually(lambda: desk.in_hand)
        clock.ahead = 3600  # the event loop was busy, and the lease is over
        queue.gate.clear()
        await queue.put("b1", BEN, HELLO)  # wakes the consumer: it claims a1 from itself
        await asyncio.sleep(0.02)
        desk.end("a1")
        await asyncio.sleep(0.02)
        queue.gate.set()
        await eventually(lambda: {"a2", "b1"} == set(desk.in_hand))

    assert sorted(desk.taken) == ["a1", "a2", "b1"]


# A store that fails


@pytest.mark.parametrize("error", [StoreError("store: it is not there"), ValueError("a slip")])
async def test_work_goes_on_when_the_store_is_back(queue, caplog, error):
    desk = Desk()
    queue.error = error
    queue.failures["claim"] = 3
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)

    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 3


async def test_work_goes_on_when_the_question_whether_somebody_is_ready_failed(queue):
    desk = Desk()
    answers = [ValueError("a slip"), False, True]

    def ready():
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, desk, ready=ready):
        await eventually(lambda: desk.in_hand)


async def test_an_end_that_the_store_did_not_hear_is_told_again(queue):
    desk = Desk()
    queue.failures["done"] = 3
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk, lease=0.6, pause=0.25):
        await eventually(lambda: desk.in_hand)
        desk.end("a1")
        await eventually(lambda: "a2" in desk.in_hand)

    assert desk.taken == ["a1", "a2"]


async def test_an_end_that_the_store_never_hears_does_not_keep_the_stop(queue):
    desk = Desk()
    queue.failures["done"] = 1_000_000
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk) as consumer:
        await eventually(lambda: desk.in_hand)
        desk.end("a1")
        await eventually(lambda: queue.failures["done"] < 1_000_000)
        await asyncio.wait_for(consumer.stop(grace=0.1), timeout=1)

    assert (await queue.depth()).waiting == 1
