"""Claims over every store: processes that die, ends of a claim, tries."""

from __future__ import annotations

import asyncio

import pytest
from support.crashes import crash_with_next_item, notice_silence
from support.eventually import eventually
from support.queue_items import ANNA, BEN, HELLO, claim_all, end_item, in_steps, put_all

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    SUSPECT_FROM,
    ItemState,
)
from rasa_whatsapp_channel.store.heartbeat import LOOKS
from rasa_whatsapp_channel.unix_time import DAY


async def test_an_item_comes_back_when_the_process_that_claimed_it_died(store, another):
    await store.inbox.put("k", ANNA, HELLO)
    await crash_with_next_item(store, another, "inbox")

    again = await store.inbox.claim()

    assert (again.key, again.attempts, again.crashes) == ("k", 2, 1)


async def test_what_a_living_process_claimed_stays_its_own_for_ever(store, another, clock):
    await store.inbox.put("k", ANNA, HELLO)
    item = await another.inbox.claim()

    for _ in range(5 * LOOKS):
        another.beat()
        store.beat()
        clock.now += DAY

    assert await store.inbox.claim() is None
    await another.inbox.done(item)
    assert (await store.inbox.depth()).waiting == 0


async def test_a_process_takes_nothing_from_itself_and_needs_nobody_to_see_it_live(store):
    await store.inbox.put("k", ANNA, HELLO)
    await store.inbox.claim()

    notice_silence(store)

    assert await store.inbox.claim() is None


async def test_crashes_in_a_row_are_counted_and_a_failure_in_between_forgets_them(
    store, store_url, clock
):
    if store_url == "memory:":
        pytest.skip("a store in memory belongs to one process")
    await store.inbox.put("k", ANNA, HELLO)

    async def crash():
        async with open_store(store_url, clock=clock) as dying:
            await crash_with_next_item(store, dying, "inbox")

    await crash()
    await crash()
    item = await store.inbox.claim_suspect()
    assert (item.crashes, item.tries) == (2, 3)
    await store.inbox.retry_later(item, counted=False)
    await crash()
    item = await store.inbox.claim_suspect()
    assert item.crashes == 3
    await store.inbox.retry_later(item, error="it only failed")

    item = await store.inbox.claim()
    assert (item.crashes, item.last_error) == (0, "it only failed")


async def test_an_item_that_came_back_is_claimed_before_younger_ones(store, another):
    await put_all(store.inbox, ("a1", ANNA), ("b1", BEN))
    await crash_with_next_item(store, another, "inbox")

    assert [item.key for item in await claim_all(store.inbox)] == ["a1", "b1"]


async def test_a_crash_does_not_let_the_next_item_pass(store, another):
    await put_all(store.inbox, ("a1", ANNA), ("a2", ANNA))
    await crash_with_next_item(store, another, "inbox")

    assert [item.key for item in await claim_all(store.inbox)] == ["a1"]


async def test_who_was_held_for_dead_can_still_end_an_item_that_nobody_took(store, another):
    await store.inbox.put("k", ANNA, HELLO)
    item = await crash_with_next_item(store, another, "inbox")

    await another.inbox.done(item)

    assert await store.inbox.claim() is None
    assert (await store.inbox.depth()).waiting == 0


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_who_was_held_for_dead_cannot_end_an_item_that_somebody_took(store, another, end):
    await store.inbox.put("k", ANNA, HELLO)
    stale = await crash_with_next_item(store, another, "inbox")
    current = await store.inbox.claim()

    await end_item(another.inbox, stale, end)

    assert await store.inbox.claim() is None
    assert (await store.inbox.depth()).waiting == 1
    await store.inbox.done(current)
    assert (await store.inbox.depth()).waiting == 0


async def test_what_a_process_has_is_given_back_when_it_ends_in_good_order(store, store_url, clock):
    if store_url == "memory:":
        pytest.skip("a store in memory belongs to one process")
    await store.inbox.put("k", ANNA, HELLO)
    async with open_store(store_url, clock=clock) as ending:
        await ending.inbox.claim()

    item = await store.inbox.claim()

    assert (item.key, item.crashes) == ("k", 0)


async def test_what_may_have_killed_its_process_is_claimed_apart_from_the_others(
    store, store_url, clock
):
    if store_url == "memory:":
        pytest.skip("a store in memory belongs to one process")
    await put_all(store.inbox, ("a1", ANNA), ("a2", ANNA))
    for _ in range(SUSPECT_FROM):
        async with open_store(store_url, clock=clock) as dying:
            await crash_with_next_item(store, dying, "inbox")
    await store.inbox.put("b1", BEN, HELLO)

    assert [item.key for item in await claim_all(store.inbox)] == ["b1"]
    suspect = await store.inbox.claim_suspect()
    assert (suspect.key, suspect.crashes) == ("a1", SUSPECT_FROM)
    assert await store.inbox.claim_suspect() is None

    await store.inbox.retry_later(suspect, 5, counted=False)
    clock.now += 5
    assert await store.inbox.claim() is None
    await store.inbox.retry_later(await store.inbox.claim_suspect())  # it lived through it
    assert (await store.inbox.claim()).key == "a1"


@pytest.mark.parametrize("first", ["done", "retry later", "dead letter"])
@pytest.mark.parametrize("second", ["done", "retry later", "dead letter"])
async def test_an_item_is_ended_once(queue, first, second):
    await put_all(queue, ("k", ANNA), ("next", ANNA))
    item = await queue.claim()
    await end_item(queue, item, first)
    before = await queue.depth()

    await end_item(queue, item, second)

    assert await queue.depth() == before
    expected = "k" if first == "retry later" else "next"
    assert (await queue.claim()).key == expected


async def test_ending_one_item_frees_the_next_of_its_conversation(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.done(await queue.claim())

    assert (await queue.claim()).key == "a2"


async def test_a_released_item_can_be_claimed_at_once(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.retry_later(await queue.claim())

    again = await queue.claim()

    assert (again.key, again.attempts) == ("a1", 2)


async def test_a_conversation_waits_until_its_released_item_may_be_claimed(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))
    await queue.retry_later(await queue.claim(), after=60)

    assert [item.key for item in await claim_all(queue)] == ["b1"]
    clock.now += 61
    assert [item.key for item in await claim_all(queue)] == ["a1"]


async def test_a_wait_lasts_for_its_seconds_though_the_clock_was_set_back(queue, clock):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), 30)
    clock.now -= 3600
    assert await queue.claim() is None
    clock.now += 31

    assert (await queue.claim()).attempts == 2


async def test_items_put_before_the_clock_was_set_back_can_be_claimed(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    clock.now -= 3600

    await queue.done(await queue.claim())

    assert (await queue.claim()).key == "a2"


@pytest.mark.parametrize("steps", range(5))
async def test_an_item_whose_claimant_was_cancelled_is_not_lost(queue, steps):
    await queue.put("k", ANNA, HELLO)
    claiming = await in_steps(steps, queue.claim())
    claiming.cancel()
    await asyncio.wait([claiming])

    if claiming.cancelled():
        await eventually(queue.claim)  # it is handed back in a moment
    else:
        assert await queue.claim() is None


async def test_an_item_that_was_handed_back_for_its_claimant_was_never_tried(queue):
    await queue.put("k", ANNA, HELLO)
    claiming = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    claiming.cancel()
    await asyncio.wait([claiming])

    again = claiming.result() if not claiming.cancelled() else await eventually(queue.claim)

    assert (again.key, again.tries) == ("k", 1)


async def test_many_are_claimed_at_once_one_of_each_conversation(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN), ("c1", "cem"))

    first = await queue.claim_many(2)
    second = await queue.claim_many(2)

    assert [item.key for item in first] == ["a1", "b1"]
    assert [item.key for item in second] == ["c1"]
    assert await queue.claim_many(2) == []


async def test_a_claim_that_was_no_fault_of_the_item_does_not_count_as_a_try(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim())
    await queue.retry_later(await queue.claim(), counted=False)
    await queue.retry_later(await queue.claim(), 0, counted=False)

    item = await queue.claim()

    assert (item.tries, item.attempts) == (2, 4)


async def test_a_retried_item_has_all_its_tries_before_it(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), counted=False)
    await queue.dead_letter(await queue.claim(), "reason")
    await queue.requeue("k")

    item = await queue.claim()

    assert (item.tries, item.attempts) == (1, 1)


async def test_a_changed_body_is_what_the_next_claim_finds(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), body={"text": "another way"})

    assert (await queue.claim()).body == {"text": "another way"}


async def test_a_changed_body_is_what_becomes_a_dead_letter_and_goes_again(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), body={"text": "another way"})
    await queue.dead_letter(await queue.claim(), "reason")

    assert [row.body for row in await queue.dead_letters()] == [{"text": "another way"}]
    await queue.requeue("k")
    assert (await queue.claim()).body == {"text": "another way"}


async def test_the_last_error_and_the_time_of_the_first_stay_with_the_item(queue, clock):
    await queue.put("k", ANNA, HELLO)
    begun = clock.now
    await queue.retry_later(await queue.claim(), error="first")
    clock.now += 5
    await queue.retry_later(await queue.claim(), error="second")
    await queue.retry_later(await queue.claim(), counted=False)

    (row,) = await queue.waiting()
    assert row.last_error == "second"
    assert (await queue.depth()).last_error == "second"
    item = await queue.claim()
    assert (item.failing_since, item.last_error) == (begun, "second")
    await queue.done(item)
    assert (await queue.depth()).last_error is None


async def test_one_conversation_is_claimed_by_its_name_in_its_order(store, another):
    await put_all(store.inbox, ("b1", BEN), ("a1", ANNA), ("a2", ANNA))

    first = await another.inbox.claim_first(ANNA)

    assert (first.key, first.attempts) == ("a1", 1)
    assert await store.inbox.claim_first(ANNA) is ItemState.CLAIMED
    await another.inbox.done(first)
    assert (await store.inbox.claim_first(ANNA)).key == "a2"
    assert [item.key for item in await claim_all(store.inbox)] == ["b1"]


async def test_who_names_a_conversation_claims_nothing_that_waits(store, clock):
    assert await store.inbox.claim_first(ANNA) is None
    await put_all(store.inbox, ("a1", ANNA), ("a2", ANNA))
    await store.inbox.retry_later(await store.inbox.claim(), after=10.0, counted=False)

    assert await store.inbox.claim_first(ANNA) is ItemState.WAITING

    clock.now += 10.0
    assert (await store.inbox.claim_first(ANNA)).key == "a1"


async def test_a_suspect_is_claimed_by_the_name_of_its_conversation(store, store_url, clock):
    if store_url == "memory:":
        pytest.skip("a store in memory belongs to one process")
    await store.inbox.put("k", ANNA, HELLO)
    for _ in range(SUSPECT_FROM):
        async with open_store(store_url, clock=clock) as dying:
            await crash_with_next_item(store, dying, "inbox")

    assert (await store.inbox.claim_first(ANNA)).crashes == SUSPECT_FROM


async def test_each_queue_has_items_of_its_own(store):
    for queue in store.queues:
        assert await queue.put("k", ANNA, HELLO)

    assert [(await queue.depth()).waiting for queue in store.queues] == [1, 1, 1]
    assert [len(await claim_all(queue)) for queue in store.queues] == [1, 1, 1]
