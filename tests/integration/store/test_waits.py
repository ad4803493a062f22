"""Waits of conversations and of workers, over every store."""

from __future__ import annotations

import asyncio

import pytest
from support.eventually import PATIENCE, eventually
from support.queue_items import (
    ANNA,
    BEN,
    HELLO,
    cancel,
    claim_all,
    end_item,
    in_steps,
    put_all,
)

from rasa_whatsapp_channel.store.base import (
    ACCOUNT,
    INFRASTRUCTURE,
    THROUGHPUT,
    TIME,
    TOKEN,
    WINDOW,
    ItemState,
    status_cause,
    template_cause,
)

# Waits, and what ends them

CAUSES = [
    TIME,
    WINDOW,
    TOKEN,
    THROUGHPUT,
    INFRASTRUCTURE,
    status_cause("wamid.1"),
    "status:wamid.2",
]


@pytest.mark.parametrize("kind", ["an item", "what is behind", "an empty conversation"])
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("event", CAUSES)
async def test_a_wait_ends_by_what_it_names_and_by_nothing_else(queue, kind, cause, event):
    await queue.put("a1", ANNA, HELLO)
    if kind == "an item":
        await queue.retry_later(await queue.claim(), 3600, cause=cause)
    else:
        if kind == "what is behind":
            await queue.put("a2", ANNA, HELLO)
        await queue.done(await queue.claim(), 3600, cause=cause)

    ended = await queue.end_wait(ANNA, event)

    assert ended == (event == cause)
    await queue.put("a3", ANNA, HELLO)
    assert (await queue.claim() is not None) == ended


async def test_all_waits_for_one_thing_end_together(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("c1", "cara"), ("d1", "dora"))
    order, menu = template_cause("order"), template_cause("menu")
    for cause in (order, order, menu, ACCOUNT):
        await queue.retry_later(await queue.claim(), 3600, cause=cause)

    assert await queue.end_waits(order) == 2
    assert await queue.end_waits(order) == 0

    assert [item.key for item in await claim_all(queue)] == ["a1", "b1"]


async def test_a_wait_and_its_cause_are_seen(queue, clock):
    await put_all(queue, ("a1", ANNA), ("b1", BEN))
    await queue.retry_later(await queue.claim(), 60, cause=WINDOW)
    await queue.retry_later(await queue.claim(), 30)

    rows = await queue.waiting()

    assert [(row.state, row.due_at, row.cause) for row in rows] == [
        (ItemState.WAITING, clock.now + 60, WINDOW),
        (ItemState.WAITING, clock.now + 30, TIME),
    ]


async def test_the_cause_of_a_wait_that_ended_ends_no_later_wait(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), 3, cause=WINDOW)
    clock.now += 3
    await queue.retry_later(await queue.claim(), 60)

    assert not await queue.end_wait(ANNA, WINDOW)
    assert await queue.claim() is None


# Holds


async def test_a_conversation_on_hold_does_not_go_on_before_the_hold_ends(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))
    await queue.done(await queue.claim(), hold=3)

    assert [item.key for item in await claim_all(queue)] == ["b1"]
    clock.now += 3
    assert [item.key for item in await claim_all(queue)] == ["a2"]


async def test_what_is_put_while_its_conversation_is_on_hold_waits_too(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.done(await queue.claim(), hold=3)
    clock.now += 1
    await put_all(queue, ("a2", ANNA), ("a3", ANNA))

    assert await queue.claim() is None
    clock.now += 2
    item = await queue.claim()
    assert item.key == "a2"
    await queue.done(item)
    assert (await queue.claim()).key == "a3"


async def test_what_is_put_after_a_hold_is_over_can_be_claimed(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.done(await queue.claim(), hold=3)
    clock.now += 3
    await queue.put("a2", ANNA, HELLO)

    assert (await queue.claim()).key == "a2"


async def test_a_hold_lasts_for_its_seconds_though_the_clock_was_set_back(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))
    await queue.done(await queue.claim(), hold=3)
    await queue.done(await queue.claim(), hold=3)
    clock.now -= 3600
    await queue.put("b2", BEN, HELLO)
    assert await queue.claim() is None
    clock.now += 3

    assert {item.key for item in await claim_all(queue)} == {"a2", "b2"}


async def test_no_wait_ends_while_an_item_is_claimed(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.claim()

    assert not await queue.end_wait(ANNA, TIME)
    assert await queue.claim() is None


async def test_there_is_no_wait_to_end_where_all_is_ready(queue, clock):
    await put_all(queue, ("a1", ANNA), ("b1", BEN))
    await queue.retry_later(await queue.claim(), 3)
    clock.now += 3

    for who in (ANNA, BEN, "nobody"):
        assert not await queue.end_wait(who, TIME)
    assert [item.key for item in await claim_all(queue)] == ["a1", "b1"]


# Waiting


@pytest.fixture
async def rested(queue):
    """The queue, after the first look that is always worth it."""
    await queue.wait(0)
    return queue


async def test_waiting_ends_with_its_timeout(rested):
    await asyncio.wait_for(rested.wait(0.2), timeout=PATIENCE)


async def test_waiting_ends_when_an_item_is_put(rested):
    waiting = asyncio.create_task(rested.wait(600))
    await asyncio.sleep(0.05)
    await rested.put("k", ANNA, HELLO)

    await asyncio.wait_for(waiting, timeout=PATIENCE)


async def test_an_item_put_before_waiting_is_not_missed(rested):
    await rested.put("k", ANNA, HELLO)

    await asyncio.wait_for(rested.wait(600), timeout=PATIENCE)


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_waiting_ends_when_the_next_item_becomes_free(rested, end):
    await put_all(rested, ("a1", ANNA), ("a2", ANNA))
    item = await rested.claim()
    await rested.wait(0)
    waiting = asyncio.create_task(rested.wait(600))
    await asyncio.sleep(0.05)

    await end_item(rested, item, end)

    await asyncio.wait_for(waiting, timeout=PATIENCE)


async def test_waiting_ends_when_a_dead_letter_is_retried(rested):
    await rested.put_dead_letter("k", ANNA, HELLO, "reason")
    waiting = asyncio.create_task(rested.wait(600))
    await asyncio.sleep(0.05)

    await rested.requeue("k")

    await asyncio.wait_for(waiting, timeout=PATIENCE)


async def test_waiting_ends_when_a_released_item_may_be_claimed(rested, clock):
    await rested.put("k", ANNA, HELLO)
    await rested.retry_later(await rested.claim(), after=0.2)
    await rested.wait(0)
    waiting = asyncio.create_task(rested.wait(600))
    clock.now += 0.2

    await asyncio.wait_for(waiting, timeout=PATIENCE)
    assert await rested.claim()


async def test_waiting_ends_when_a_hold_ends(rested, clock):
    await rested.put("a1", ANNA, HELLO)
    await rested.done(await rested.claim(), hold=0.2)
    await rested.put("a2", ANNA, HELLO)
    await rested.wait(0)
    waiting = asyncio.create_task(rested.wait(600))
    clock.now += 0.2

    await asyncio.wait_for(waiting, timeout=PATIENCE)
    assert await rested.claim()


async def test_waiting_ends_when_a_wait_is_ended(rested):
    await put_all(rested, ("a1", ANNA), ("a2", ANNA))
    await rested.done(await rested.claim(), hold=3600)
    await rested.wait(0)
    waiting = asyncio.create_task(rested.wait(600))
    await asyncio.sleep(0.05)

    await rested.end_wait(ANNA, TIME)

    await asyncio.wait_for(waiting, timeout=PATIENCE)


async def test_one_item_wakes_one_of_many(rested):
    waiting = [asyncio.create_task(rested.wait(600)) for _ in range(20)]
    await asyncio.sleep(0.05)
    await rested.put("k", ANNA, HELLO)
    await eventually(lambda: any(task.done() for task in waiting))
    await asyncio.sleep(0.05)

    assert sum(task.done() for task in waiting) == 1
    await cancel(waiting)


async def test_many_items_are_worked_on_by_as_many_as_wait(rested):
    claimed = []

    async def work():
        while True:
            if item := await rested.claim():
                claimed.append(item.key)
                await asyncio.sleep(3600)
            await rested.wait(600)

    workers = [asyncio.create_task(work()) for _ in range(20)]
    await asyncio.sleep(0.05)
    await asyncio.gather(*(rested.put(f"k{n}", f"user {n}", HELLO) for n in range(20)))
    await eventually(lambda: len(claimed) >= 20)

    assert sorted(claimed) == sorted(f"k{n}" for n in range(20))
    await cancel(workers)


async def test_one_who_is_woken_wakes_the_next_while_there_is_more(rested):
    await put_all(rested, *((f"k{n}", f"user {n}") for n in range(20)))
    claimed = []

    async def work():
        await rested.wait(600)
        claimed.append((await rested.claim()).key)

    workers = [asyncio.create_task(work()) for _ in range(20)]
    await asyncio.wait(workers, timeout=PATIENCE)

    assert sorted(claimed) == sorted(f"k{n}" for n in range(20))


@pytest.mark.parametrize("steps", range(8))
async def test_a_worker_that_is_cancelled_does_not_keep_an_item_from_the_others(rested, steps):
    claimed = asyncio.Queue()

    async def work():
        while not (item := await rested.claim()):
            await rested.wait(600)
        claimed.put_nowait(item.key)

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.sleep(0.05)
    putting = await in_steps(steps, rested.put("k", ANNA, HELLO))
    workers[0].cancel()

    assert await asyncio.wait_for(claimed.get(), timeout=PATIENCE) == "k"
    await cancel([*workers, putting])


async def test_what_is_put_for_later_cannot_be_claimed_before_and_holds_nobody_up(queue, clock):
    await queue.put("later", ANNA, HELLO, after=60.0)
    await queue.put("now", BEN, HELLO)

    assert [item.key for item in await queue.claim_many(5)] == ["now"]
    clock.now += 59
    assert await queue.claim() is None
    [row] = [row for row in await queue.waiting() if row.key == "later"]
    assert (row.state, row.cause, row.due_at) == (ItemState.WAITING, TIME, clock.now + 1)
    clock.now += 1
    item = await queue.claim()
    assert (item.key, item.attempts) == ("later", 1)
