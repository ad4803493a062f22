"""The consumer on a store in a file, with the real event loop."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest
from support.crashes import crash_with_next_item, fall_silent, notice_silence
from support.eventually import PATIENCE, eventually

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    DONE,
    DeadLetter,
    Done,
    Handler,
    ItemState,
    Outcome,
    Queue,
    QueueItem,
    Retry,
    StoreError,
)
from rasa_whatsapp_channel.store.consumer import CRASHES, FAILURES, Consumer
from rasa_whatsapp_channel.store.isolation import Isolation
from rasa_whatsapp_channel.store.sqlite import SQLiteStore

ANNA, BEN = "491511111111", "491522222222"
HELLO = {"text": "hello"}


class Clock:
    """Stands still, and goes on as far as a test says."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return 1_790_000_000.0 + self.ahead


class ShakyQueue:
    """A queue that fails as often as told to, operation by operation."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.failures: dict[str, int] = defaultdict(int)
        self.error: Exception = StoreError("store: it is not there")

    def __getattr__(self, name: str) -> Any:
        if self.failures[name]:
            self.failures[name] -= 1
            raise self.error
        return getattr(self._queue, name)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/whatsapp.db"


@pytest.fixture
async def store(url, clock):
    async with open_store(url, clock=clock) as opened:
        yield opened


@pytest.fixture
def queue(store):
    return ShakyQueue(store.inbox)


@asynccontextmanager
async def consuming(queue: Queue, handle: Handler, **options) -> AsyncIterator[Consumer]:
    consumer = Consumer(queue, handle, name="inbox", **{"pause": 0.02, **options})
    consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop(grace=0)


async def put_all(queue, *items):
    for key, conversation in items:
        assert await queue.put(key, conversation, HELLO)


async def until_empty(queue):
    async def is_empty() -> bool:
        return (await queue.depth()).waiting == 0

    await eventually(is_empty)


async def until_states(queue, **states):
    """Wait until the queue holds these: what happened to an item is stored a moment later."""

    async def are_so() -> bool:
        return {row.key: row.state for row in await queue.waiting()} == states

    await eventually(are_so)


class Desk:
    """Keeps what is in hand until it is told how that ends."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.items: list[QueueItem] = []
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


async def test_items_of_one_conversation_are_handled_one_after_the_other(queue):
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


async def test_an_item_that_is_done_is_forgotten(queue):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1")
        await until_empty(queue)


async def test_an_outcome_may_hold_its_conversation(queue, clock):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", Done(hold=60))
        await until_states(queue, a2=ItemState.WAITING)
        assert desk.taken == ["a1"]

        clock.ahead = 60
        await eventually(lambda: "a2" in desk.in_hand)


async def test_a_released_item_comes_back_after_its_seconds_with_its_new_body(queue, clock):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", Retry(60, body={"text": "healed"}))
        await until_states(queue, a1=ItemState.WAITING)
        assert len(desk.items) == 1

        clock.ahead = 60
        await eventually(lambda: desk.in_hand)

    assert (desk.items[1].body, desk.items[1].tries) == ({"text": "healed"}, 2)


async def test_an_item_released_without_fault_has_as_many_tries_as_before(queue):
    desk = Desk()
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", Retry(0, counted=False))
        await eventually(lambda: len(desk.items) == 2)

    assert (desk.items[1].tries, desk.items[1].attempts) == (1, 2)


async def test_what_cannot_be_handled_is_a_dead_letter_and_logged_without_its_text(queue, caplog):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        desk.end("a1", DeadLetter("131026 Message undeliverable"))
        await eventually(lambda: "a2" in desk.in_hand)

    assert [row.reason for row in await queue.dead_letters()] == ["131026 Message undeliverable"]
    (record,) = [record for record in caplog.records if "whatsapp.dead_letter" in record.message]
    assert record.message == "whatsapp.dead_letter: a1 of the inbox: 131026 Message undeliverable"
    assert "hello" not in str(vars(record))


# Functions that fail


async def test_an_item_whose_function_failed_comes_back_later(queue, clock):
    taken = []

    async def handle(item):
        taken.append((item.key, item.tries))
        if item.attempts == 1 and item.key == "a1":
            raise ValueError("a slip")
        return DONE

    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    async with consuming(queue, handle):
        await until_states(queue, a1=ItemState.WAITING, a2=ItemState.BEHIND)
        assert taken == [("a1", 1)]

        clock.ahead = 2
        await until_empty(queue)

    assert taken == [("a1", 1), ("a1", 2), ("a2", 1)]


async def test_an_item_whose_function_always_fails_is_a_dead_letter_in_the_end(queue):
    async def handle(item):
        if item.key == "a2":
            return DONE
        raise ValueError("a slip")

    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    for _ in range(FAILURES - 1):
        await queue.retry_later(await queue.claim())

    async with consuming(queue, handle):
        await until_empty(queue)

    (dead_letter,) = await queue.dead_letters()
    assert (dead_letter.key, dead_letter.attempts) == ("a1", FAILURES)
    assert dead_letter.reason == "ValueError: a slip"


async def test_a_function_that_was_cancelled_from_within_has_failed(queue, clock):
    async def handle(item):
        raise asyncio.CancelledError

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, handle):
        await until_states(queue, a1=ItemState.WAITING)
        (row,) = await queue.waiting()

    assert row.due_at - clock() > 1
    assert (row.attempts, row.last_error) == (1, "what it waited for was cancelled")


async def test_a_function_that_failed_for_the_store_is_no_fault_of_the_item(queue):
    tries = []

    async def handle(item):
        tries.append((item.tries, item.attempts))
        if item.attempts < 20:
            raise StoreError("store: it is not there")
        return DONE

    await queue.put("a1", ANNA, HELLO)
    async with consuming(queue, handle, pause=0):
        await until_empty(queue)

    assert tries == [(1, attempt) for attempt in range(1, 21)]
    assert await queue.dead_letters() == []


# Stopping


async def test_what_is_in_hand_may_finish_within_the_grace(queue):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    async with consuming(queue, desk) as consumer:
        await eventually(lambda: desk.in_hand)
        stopping = asyncio.create_task(consumer.stop(grace=600))
        await asyncio.sleep(0.05)
        desk.end("a1")
        await asyncio.wait_for(stopping, PATIENCE)

    assert desk.taken == ["a1"]
    assert [row.key for row in await queue.waiting()] == ["a2"]


async def test_what_is_not_finished_by_then_is_handed_back_to_others_at_once(queue):
    desk = Desk()
    await put_all(queue, *((f"k{n}", f"user {n}") for n in range(50)))

    async with consuming(queue, desk) as consumer:
        await eventually(lambda: len(desk.in_hand) == 50)
        await asyncio.wait_for(consumer.stop(grace=0.1), PATIENCE)

    items = await queue.claim_many(100)
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


@pytest.mark.slow
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
        await asyncio.wait_for(consumer.stop(grace=0.1), PATIENCE)
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
        assert [row.attempts for row in await queue.waiting()] == [0]

        is_ready = True
        await eventually(lambda: desk.in_hand)


async def test_who_is_not_ready_takes_no_wake_from_those_who_are(tmp_path):
    async with SQLiteStore(tmp_path / "whatsapp.db", listen=600) as store:
        queue = store.inbox
        await queue.wait(0)  # the first look is always worth it
        unready = Consumer(queue, Desk(), name="inbox", ready=lambda: False)
        stepping = asyncio.create_task(unready.step())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(queue.wait(600))
        await asyncio.sleep(0)
        await queue.put("a1", ANNA, HELLO)

        await asyncio.wait_for(waiting, PATIENCE)
        await stepping


# Processes that die


async def dies_with(store, url, clock, times=1):
    for _ in range(times):
        async with open_store(url, clock=clock) as dying:
            await crash_with_next_item(store, dying, "inbox")


async def test_an_item_that_killed_its_process_too_often_is_a_dead_letter_and_never_handled(
    store, queue, url, clock
):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await dies_with(store, url, clock, times=CRASHES)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)

    assert desk.taken == ["a2"]
    (dead_letter,) = await queue.dead_letters()
    assert "the process ended 5 times while it was handled" in dead_letter.reason


async def test_an_item_that_killed_its_process_twice_runs_alone(store, queue, url, clock, caplog):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("b1", BEN))
    await dies_with(store, url, clock, times=2)

    async with consuming(queue, desk):
        await eventually(lambda: "b1" in desk.in_hand)
        await asyncio.sleep(0.05)
        assert set(desk.in_hand) == {"b1"}

        desk.end("b1")
        await eventually(lambda: "a1" in desk.in_hand)
        await queue.put("c1", "cem", HELLO)
        await asyncio.sleep(0.1)
        assert set(desk.in_hand) == {"a1"}

        desk.end("a1")
        await eventually(lambda: "c1" in desk.in_hand)

    assert "whatsapp.runs_alone: a1 of the inbox" in caplog.text


async def test_while_one_runs_alone_the_other_queue_waits_too(store, queue, url, clock):
    here, there = Desk(), Desk()
    isolation = Isolation()
    await queue.put("a1", ANNA, HELLO)
    await dies_with(store, url, clock, times=2)
    await store.outbox.put("out", BEN, HELLO)

    async with consuming(store.outbox, there, isolation=isolation):
        await eventually(lambda: there.in_hand)
        async with consuming(queue, here, isolation=isolation):
            await asyncio.sleep(0.05)
            assert here.taken == []

            there.end("out")
            await eventually(lambda: here.in_hand)
            await store.outbox.put("later", BEN, HELLO)
            await asyncio.sleep(0.1)
            assert there.taken == ["out"]

            here.end("a1")
            await eventually(lambda: "later" in there.in_hand)


async def test_of_several_suspects_one_runs_at_a_time_and_the_others_are_in_no_danger(
    store, queue, url, clock
):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("b1", BEN))
    for _ in range(2):
        async with open_store(url, clock=clock) as dying:
            await dying.inbox.claim_many(2)
            fall_silent(dying)
            notice_silence(store)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)
        (alone,) = desk.in_hand
        (other,) = {"a1", "b1"} - {alone}
        await until_states(queue, **{alone: ItemState.CLAIMED, other: ItemState.READY})
        assert desk.taken == [alone]

        desk.end(alone)
        await eventually(lambda: set(desk.in_hand) == {other})


# Items that cannot be read


async def test_a_row_that_is_spoilt_is_a_dead_letter_and_holds_up_nobody(queue, url, caplog):
    desk = Desk()
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db, db:
        db.execute("UPDATE items SET body = ? WHERE key = 'a1'", ('{"text": "cut of',))

    async with consuming(queue, desk):
        await eventually(lambda: set(desk.in_hand) == {"a2", "b1"})

    (dead_letter,) = await queue.dead_letters()
    assert dead_letter.key == "a1"
    assert dead_letter.body == {"unreadable": '{"text": "cut of'}
    assert "whatsapp.dead_letter: a1 of the inbox: it cannot be read" in caplog.text


# A store that fails


@pytest.mark.parametrize("error", [StoreError("store: it is not there"), ValueError("a slip")])
async def test_work_goes_on_when_the_store_is_back(queue, caplog, error):
    desk = Desk()
    queue.error = error
    queue.failures["claim_many"] = 3
    await queue.put("a1", ANNA, HELLO)

    async with consuming(queue, desk):
        await eventually(lambda: desk.in_hand)

    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == (1 if isinstance(error, StoreError) else 3)


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

    async with consuming(queue, desk, pause=0.25):
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
        await asyncio.wait_for(consumer.stop(grace=0.1), PATIENCE)

    assert (await queue.depth()).waiting == 1
