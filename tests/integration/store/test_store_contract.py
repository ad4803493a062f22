"""What `store.base` promises, over every store."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.crashes import crash_with_next_entry, notice_silence

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    INFRASTRUCTURE,
    SUSPECT_FROM,
    THROUGHPUT,
    TIME,
    TOKEN,
    WINDOW,
    Depth,
    Sent,
    State,
    status_of,
)
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.heartbeat import LEASE, LOOKS
from rasa_whatsapp_channel.store.token_bucket import Limit

ANNA, BEN = "491511111111", "491522222222"
HELLO = {"type": "text", "text": {"body": "hello"}}


async def claim_all(queue):
    items = []
    while item := await queue.claim():
        items.append(item)
    return items


async def put_all(queue, *entries):
    for key, conversation in entries:
        assert await queue.put(key, conversation, HELLO)


# The queue: putting and claiming


async def test_what_was_put_is_claimed_with_all_its_parts(queue, clock):
    await queue.put("wamid.1", ANNA, HELLO)
    clock.now += 5

    item = await queue.claim()

    assert (item.key, item.conversation, item.body) == ("wamid.1", ANNA, HELLO)
    assert (item.attempts, item.put_at) == (1, clock.now - 5)


async def test_an_empty_queue_has_nothing_to_claim(queue):
    assert await queue.claim() is None


async def test_a_conversation_is_handled_in_the_order_its_entries_were_put(queue):
    await put_all(queue, ("a", ANNA), ("c", ANNA), ("b", ANNA))

    order = []
    while item := await queue.claim():
        order.append(item.key)
        await queue.done(item)

    assert order == ["a", "c", "b"]


async def test_entries_put_at_one_moment_keep_the_order_of_the_calls(queue):
    await asyncio.gather(*(queue.put(f"{n:03}", ANNA, HELLO) for n in range(150)))

    order = []
    while item := await queue.claim():
        order.append(item.key)
        await queue.done(item)

    assert order == [f"{n:03}" for n in range(150)]


async def test_one_entry_of_a_conversation_is_out_at_a_time(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    assert [item.key for item in await claim_all(queue)] == ["a1"]


async def test_other_conversations_go_on_while_one_is_out(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))

    assert [item.key for item in await claim_all(queue)] == ["a1", "b1"]


async def test_the_oldest_free_entry_of_all_conversations_comes_first(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA))
    first = await queue.claim()
    await queue.done(first)

    assert [item.key for item in await claim_all(queue)] == ["b1", "a2"]


async def test_claims_of_one_moment_get_different_entries(queue):
    await put_all(queue, *((f"k{n}", f"user {n}") for n in range(50)))

    items = await asyncio.gather(*(queue.claim() for _ in range(60)))

    keys = [item.key for item in items if item]
    assert sorted(keys) == sorted(f"k{n}" for n in range(50))


async def test_inbox_and_outbox_know_nothing_of_each_other(store):
    assert await store.inbox.put("same key", ANNA, HELLO)
    assert await store.outbox.put("same key", ANNA, HELLO)
    await store.inbox.done(await store.inbox.claim())

    assert await store.inbox.claim() is None
    assert (await store.outbox.claim()).key == "same key"


@pytest.mark.parametrize(
    "body",
    [
        {"text": "żółć, 日本語, 👩‍👩‍👧, \u0000, \u2028"},
        {"half an emoji": "\ud83d"},
        {"deep": [[[{"a": None, "b": True, "c": 1.5, "d": 2**70}]]]},
        {},
    ],
)
async def test_a_body_comes_back_as_it_was(queue, body):
    await queue.put("k", ANNA, body)

    assert (await queue.claim()).body == body


async def test_half_an_emoji_in_a_key_or_a_reason_does_no_harm(queue):
    assert await queue.put("\ud83d", "\ud83d", HELLO)
    assert not await queue.put("\ud83d", "\ud83d", HELLO)

    item = await queue.claim()
    await queue.dead_letter(item, "cannot read \ud83d")

    assert (await queue.depth()).dead_letters == 1


async def test_changing_a_body_after_putting_it_changes_nothing(queue):
    body = {"text": {"body": "before"}}
    await queue.put("k", ANNA, body)
    body["text"]["body"] = "after"

    assert (await queue.claim()).body == {"text": {"body": "before"}}


async def test_what_is_not_json_is_refused_and_nothing_is_kept(queue):
    with pytest.raises(StoreError, match="not JSON"):
        await queue.put("k", ANNA, {"bytes": b"\xff"})

    assert await queue.put("k", ANNA, HELLO)


# No duplicates


async def test_a_key_is_refused_while_its_entry_waits(queue):
    assert await queue.put("k", ANNA, HELLO)

    assert not await queue.put("k", ANNA, HELLO)
    assert len(await claim_all(queue)) == 1


async def test_a_key_is_refused_after_its_entry_is_done(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.done(await queue.claim())

    assert not await queue.put("k", ANNA, HELLO)
    assert await queue.claim() is None


async def test_a_key_is_refused_in_another_conversation_too(queue):
    await queue.put("k", ANNA, HELLO)

    assert not await queue.put("k", BEN, HELLO)


async def test_of_fifty_puts_of_one_key_at_once_one_counts(queue):
    answers = await asyncio.gather(*(queue.put("k", ANNA, HELLO) for _ in range(50)))

    assert answers.count(True) == 1
    assert (await queue.depth()).waiting == 1


async def test_a_key_is_refused_for_a_week_and_forgotten_after_its_retention(store, clock):
    queue = store.inbox
    await queue.put("k", ANNA, HELLO)
    await queue.done(await queue.claim())

    clock.now += 7 * DAY
    await store.expire()
    assert not await queue.put("k", ANNA, HELLO)

    clock.now += 2 * DAY
    await store.expire()
    assert await queue.put("k", ANNA, HELLO)


# Claims and processes that die


async def test_an_entry_comes_back_when_the_process_that_claimed_it_died(store, another):
    await store.inbox.put("k", ANNA, HELLO)
    await crash_with_next_entry(store, another, "inbox")

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
            await crash_with_next_entry(store, dying, "inbox")

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


async def test_an_entry_that_came_back_is_claimed_before_younger_ones(store, another):
    await put_all(store.inbox, ("a1", ANNA), ("b1", BEN))
    await crash_with_next_entry(store, another, "inbox")

    assert [item.key for item in await claim_all(store.inbox)] == ["a1", "b1"]


async def test_a_crash_does_not_let_the_next_entry_pass(store, another):
    await put_all(store.inbox, ("a1", ANNA), ("a2", ANNA))
    await crash_with_next_entry(store, another, "inbox")

    assert [item.key for item in await claim_all(store.inbox)] == ["a1"]


async def test_who_was_held_for_dead_can_still_end_an_entry_that_nobody_took(store, another):
    await store.inbox.put("k", ANNA, HELLO)
    item = await crash_with_next_entry(store, another, "inbox")

    await another.inbox.done(item)

    assert await store.inbox.claim() is None
    assert (await store.inbox.depth()).waiting == 0


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_who_was_held_for_dead_cannot_end_an_entry_that_somebody_took(store, another, end):
    await store.inbox.put("k", ANNA, HELLO)
    stale = await crash_with_next_entry(store, another, "inbox")
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
            await crash_with_next_entry(store, dying, "inbox")
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


async def end_item(queue, item, end):
    if end == "done":
        await queue.done(item)
    elif end == "retry later":
        await queue.retry_later(item)
    else:
        await queue.dead_letter(item, "reason")


async def test_ending_one_entry_frees_the_next_of_its_conversation(queue):
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


async def test_entries_put_before_the_clock_was_set_back_can_be_claimed(queue, clock):
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
    await asyncio.sleep(0.05)

    someone_has_it = not claiming.cancelled()
    someone_can_claim_it = await queue.claim() is not None

    assert someone_has_it != someone_can_claim_it


async def test_an_entry_that_was_handed_back_for_its_claimant_was_never_tried(queue):
    await queue.put("k", ANNA, HELLO)
    claiming = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    claiming.cancel()
    await asyncio.wait([claiming])
    await asyncio.sleep(0.05)

    again = claiming.result() if not claiming.cancelled() else await queue.claim()

    assert (again.key, again.tries) == ("k", 1)


async def test_many_are_claimed_at_once_one_of_each_conversation(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN), ("c1", "cem"))

    first = await queue.claim_many(2)
    second = await queue.claim_many(2)

    assert [item.key for item in first] == ["a1", "b1"]
    assert [item.key for item in second] == ["c1"]
    assert await queue.claim_many(2) == []


async def test_a_claim_that_was_no_fault_of_the_entry_does_not_count_as_a_try(queue):
    await queue.put("k", ANNA, HELLO)
    await queue.retry_later(await queue.claim())
    await queue.retry_later(await queue.claim(), counted=False)
    await queue.retry_later(await queue.claim(), 0, counted=False)

    item = await queue.claim()

    assert (item.tries, item.attempts) == (2, 4)


async def test_a_retried_entry_has_all_its_tries_before_it(queue):
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

    assert [entry.body for entry in await queue.dead_letters()] == [{"text": "another way"}]
    await queue.requeue("k")
    assert (await queue.claim()).body == {"text": "another way"}


async def test_the_last_error_and_the_time_of_the_first_stay_with_the_entry(queue, clock):
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


# Waits, and what ends them

CAUSES = [TIME, WINDOW, TOKEN, THROUGHPUT, INFRASTRUCTURE, status_of("wamid.1"), "status:wamid.2"]


@pytest.mark.parametrize("kind", ["an entry", "what is behind", "an empty conversation"])
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("event", CAUSES)
async def test_a_wait_ends_by_what_it_names_and_by_nothing_else(queue, kind, cause, event):
    await queue.put("a1", ANNA, HELLO)
    if kind == "an entry":
        await queue.retry_later(await queue.claim(), 3600, cause=cause)
    else:
        if kind == "what is behind":
            await queue.put("a2", ANNA, HELLO)
        await queue.done(await queue.claim(), 3600, cause=cause)

    ended = await queue.end_wait(ANNA, event)

    assert ended == (event == cause)
    await queue.put("a3", ANNA, HELLO)
    assert (await queue.claim() is not None) == ended


async def test_a_wait_and_its_cause_are_seen(queue, clock):
    await put_all(queue, ("a1", ANNA), ("b1", BEN))
    await queue.retry_later(await queue.claim(), 60, cause=WINDOW)
    await queue.retry_later(await queue.claim(), 30)

    rows = await queue.waiting()

    assert [(row.state, row.due_at, row.cause) for row in rows] == [
        (State.WAITING, clock.now + 60, WINDOW),
        (State.WAITING, clock.now + 30, TIME),
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


async def test_no_wait_ends_while_an_entry_is_claimed(queue):
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


# Dead letters


async def test_a_dead_letter_can_be_looked_at(queue, clock):
    await queue.put("k", ANNA, HELLO)
    item = await queue.claim()
    clock.now += 3
    await queue.dead_letter(item, "131026 Message undeliverable")

    (dead_letter,) = await queue.dead_letters()

    assert (dead_letter.key, dead_letter.conversation, dead_letter.body) == ("k", ANNA, HELLO)
    assert dead_letter.reason == "131026 Message undeliverable"
    assert (dead_letter.attempts, dead_letter.put_at) == (1, item.put_at)
    assert dead_letter.died_at == clock.now


async def test_a_conversation_goes_on_after_a_dead_letter(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.dead_letter(await queue.claim(), "reason")

    assert (await queue.claim()).key == "a2"


async def test_the_newest_dead_letters_come_first(queue):
    for key in ("a", "b", "c"):
        await queue.put(key, ANNA, HELLO)
        await queue.dead_letter(await queue.claim(), "reason")

    assert [entry.key for entry in await queue.dead_letters(limit=2)] == ["c", "b"]


async def test_a_retried_entry_starts_anew_at_the_end_of_its_conversation(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.dead_letter(await queue.claim(), "reason")
    await queue.put("a2", ANNA, HELLO)
    clock.now += 60

    assert await queue.requeue("a1")

    assert await queue.dead_letters() == []
    await queue.done(await queue.claim())
    again = await queue.claim()
    assert (again.key, again.body, again.attempts) == ("a1", HELLO, 1)
    assert again.put_at == clock.now


async def test_what_is_no_dead_letter_cannot_be_retried(queue):
    await queue.put("k", ANNA, HELLO)

    assert not await queue.requeue("k")
    assert not await queue.requeue("never seen")


async def test_an_entry_can_be_a_dead_letter_and_retried_again(queue):
    await queue.put("k", ANNA, HELLO)
    for reason in ("first", "second"):
        await queue.dead_letter(await queue.claim(), reason)
        assert [entry.reason for entry in await queue.dead_letters()] == [reason]
        assert await queue.requeue("k")

    assert (await queue.claim()).key == "k"


async def test_what_cannot_be_handled_is_kept_without_ever_waiting(queue, clock):
    assert await queue.put_dead_letter("k", "", {"raw": "not json"}, "not JSON")

    assert await queue.claim() is None
    (entry,) = await queue.dead_letters()
    assert (entry.key, entry.body, entry.reason) == ("k", {"raw": "not json"}, "not JSON")
    assert (entry.attempts, entry.died_at) == (0, clock.now)


async def test_what_cannot_be_handled_is_kept_once(queue):
    assert await queue.put_dead_letter("k", "", {"raw": "x"}, "first")

    assert not await queue.put_dead_letter("k", "", {"raw": "x"}, "second")
    assert not await queue.put("k", ANNA, HELLO)
    assert [entry.reason for entry in await queue.dead_letters()] == ["first"]


async def test_dead_letters_go_away_after_a_month(store, clock):
    await store.inbox.put_dead_letter("k", "", HELLO, "reason")

    clock.now += 29 * DAY
    await store.expire()
    assert len(await store.inbox.dead_letters()) == 1

    clock.now += 2 * DAY
    await store.expire()
    assert await store.inbox.dead_letters() == []


async def test_entries_that_wait_never_go_away(store, clock):
    await store.inbox.put("k", ANNA, HELLO)
    clock.now += 365 * DAY
    await store.expire()

    assert (await store.inbox.claim()).key == "k"


async def test_a_discarded_entry_is_gone_and_its_key_stays_seen(queue):
    for key in ("a", "b"):
        await queue.put_dead_letter(key, ANNA, HELLO, "reason")

    assert await queue.discard("a")

    assert not await queue.discard("a")
    assert not await queue.requeue("a")
    assert not await queue.put("a", ANNA, HELLO)
    assert [entry.key for entry in await queue.dead_letters()] == ["b"]


async def test_what_is_no_dead_letter_cannot_be_discarded(queue):
    await queue.put("k", ANNA, HELLO)

    assert not await queue.discard("k")
    assert (await queue.claim()).key == "k"


# Looking at what waits


async def test_what_waits_is_seen_oldest_first_with_its_state(queue, clock):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA), ("c1", "cem"))
    await queue.claim()
    await queue.retry_later(await queue.claim(), after=60)

    seen = await queue.waiting()

    assert [(entry.key, entry.state, entry.due_at) for entry in seen] == [
        ("a1", State.CLAIMED, None),
        ("b1", State.WAITING, clock.now + 60),
        ("a2", State.BEHIND, None),
        ("c1", State.READY, None),
    ]
    assert [entry.attempts for entry in seen] == [1, 1, 0, 0]
    assert {entry.put_at for entry in seen} == {clock.now}
    assert (seen[2].conversation, seen[2].body) == (ANNA, HELLO)


async def test_looking_at_what_waits_claims_nothing(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN))

    assert [entry.key for entry in await queue.waiting(limit=1)] == ["a1"]

    assert [item.attempts for item in await claim_all(queue)] == [1, 1]


async def test_what_may_be_claimed_again_is_seen_as_ready(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), after=30)
    clock.now += 30

    assert [entry.state for entry in await queue.waiting()] == [State.READY]


async def test_what_waits_for_the_end_of_a_hold_is_seen_as_such(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.done(await queue.claim(), hold=3)

    assert [(entry.state, entry.due_at) for entry in await queue.waiting()] == [
        (State.WAITING, clock.now + 3)
    ]


async def test_nothing_waits_in_an_empty_queue(queue):
    assert await queue.waiting() == []


# Forgetting one person


async def test_all_entries_of_one_conversation_are_forgotten(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA), ("a3", ANNA))
    await queue.put_dead_letter("a0", ANNA, HELLO, "reason")
    await queue.put_dead_letter("b0", BEN, HELLO, "reason")
    await queue.dead_letter(await queue.claim(), "reason")

    assert await queue.erase(ANNA) == 4
    assert await queue.erase(ANNA) == 0

    assert [entry.key for entry in await queue.waiting()] == ["b1"]
    assert [entry.key for entry in await queue.dead_letters()] == ["b0"]
    assert (await queue.depth()).waiting == 1
    assert [item.key for item in await claim_all(queue)] == ["b1"]


async def test_what_was_forgotten_of_a_conversation_is_still_seen(queue):
    await put_all(queue, ("a1", ANNA))
    await queue.erase(ANNA)

    assert not await queue.put("a1", ANNA, HELLO)
    assert await queue.put("a2", ANNA, HELLO)
    assert (await queue.claim()).key == "a2"


@pytest.mark.parametrize("with_next", [False, True])
async def test_the_hold_of_a_forgotten_conversation_is_over(queue, with_next):
    await queue.put("a1", ANNA, HELLO)
    if with_next:
        await queue.put("a2", ANNA, HELLO)
    await queue.done(await queue.claim(), hold=3600)

    assert await queue.erase(ANNA) == with_next

    await queue.put("a3", ANNA, HELLO)
    assert (await queue.claim()).key == "a3"


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_who_works_on_a_forgotten_entry_can_no_longer_end_it(queue, clock, end):
    await queue.put("a1", ANNA, HELLO)
    item = await queue.claim()
    assert await queue.erase(ANNA) == 1

    await end_item(queue, item, end)

    assert await queue.depth() == Depth(waiting=0, dead_letters=0, oldest=None)


async def test_nobody_else_begins_while_a_forgotten_entry_may_be_worked_on(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.claim()
    await queue.erase(ANNA)
    await queue.put("a2", ANNA, HELLO)

    assert await queue.claim() is None
    clock.now += LEASE
    assert (await queue.claim()).key == "a2"


# Depth


async def test_an_empty_queue_has_no_depth(queue):
    assert await queue.depth() == Depth(waiting=0, dead_letters=0, oldest=None)


async def test_depth_counts_what_waits_and_what_is_out_and_dead_letters(queue, clock):
    start = clock.now
    for n in range(5):
        await queue.put(f"k{n}", f"user {n % 2}", HELLO)
        clock.now += 1

    assert await queue.depth() == Depth(waiting=5, dead_letters=0, oldest=start)
    await queue.dead_letter(await queue.claim(), "reason")
    await queue.done(await queue.claim())
    await queue.claim()
    assert await queue.depth() == Depth(waiting=3, dead_letters=1, oldest=start + 2)


# Waiting


@pytest.fixture
async def rested(queue):
    """The queue, after the first look that is always worth it."""
    await queue.wait(0)
    await asyncio.sleep(0.3)  # SQLite's first look at other processes
    await queue.wait(0)
    return queue


async def seconds(awaitable):
    start = time.monotonic()
    await awaitable
    return time.monotonic() - start


async def test_waiting_ends_with_its_timeout(rested):
    assert 0.15 < await seconds(rested.wait(0.2)) < 1


async def test_waiting_ends_when_an_entry_is_put(rested):
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    await asyncio.sleep(0.05)
    await rested.put("k", ANNA, HELLO)

    assert await waiting < 1


async def test_an_entry_put_before_waiting_is_not_missed(rested):
    await rested.put("k", ANNA, HELLO)

    assert await seconds(rested.wait(10)) < 1


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_waiting_ends_when_the_next_entry_becomes_free(rested, end):
    await put_all(rested, ("a1", ANNA), ("a2", ANNA))
    item = await rested.claim()
    await rested.wait(0)
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    await asyncio.sleep(0.05)

    await end_item(rested, item, end)

    assert await waiting < 1


async def test_waiting_ends_when_a_dead_letter_is_retried(rested):
    await rested.put_dead_letter("k", ANNA, HELLO, "reason")
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    await asyncio.sleep(0.05)

    await rested.requeue("k")

    assert await waiting < 1


async def test_waiting_ends_when_a_released_item_may_be_claimed(rested, clock):
    await rested.put("k", ANNA, HELLO)
    await rested.retry_later(await rested.claim(), after=0.2)
    await rested.wait(0)
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    clock.now += 0.2

    assert await waiting < 1
    assert await rested.claim()


async def test_waiting_ends_when_a_hold_ends(rested, clock):
    await rested.put("a1", ANNA, HELLO)
    await rested.done(await rested.claim(), hold=0.2)
    await rested.put("a2", ANNA, HELLO)
    await rested.wait(0)
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    clock.now += 0.2

    assert await waiting < 1
    assert await rested.claim()


async def test_waiting_ends_when_a_wait_is_ended(rested):
    await put_all(rested, ("a1", ANNA), ("a2", ANNA))
    await rested.done(await rested.claim(), hold=3600)
    await rested.wait(0)
    waiting = asyncio.create_task(seconds(rested.wait(10)))
    await asyncio.sleep(0.05)

    await rested.end_wait(ANNA, TIME)

    assert await waiting < 1


async def test_one_entry_wakes_one_of_many(rested):
    waiting = [asyncio.create_task(rested.wait(10)) for _ in range(20)]
    await asyncio.sleep(0.05)
    await rested.put("k", ANNA, HELLO)
    await asyncio.sleep(0.05)

    assert sum(task.done() for task in waiting) == 1
    await cancel(waiting)


async def test_many_entries_are_worked_on_by_as_many_as_wait(rested):
    claimed = []

    async def work():
        while True:
            if item := await rested.claim():
                claimed.append(item.key)
                await asyncio.sleep(3600)
            await rested.wait(10)

    workers = [asyncio.create_task(work()) for _ in range(20)]
    await asyncio.sleep(0.05)
    await asyncio.gather(*(rested.put(f"k{n}", f"user {n}", HELLO) for n in range(20)))
    await asyncio.sleep(0.2)

    assert sorted(claimed) == sorted(f"k{n}" for n in range(20))
    await cancel(workers)


async def test_one_who_is_woken_wakes_the_next_while_there_is_more(rested):
    await put_all(rested, *((f"k{n}", f"user {n}") for n in range(20)))
    claimed = []

    async def work():
        await rested.wait(10)
        claimed.append((await rested.claim()).key)

    workers = [asyncio.create_task(work()) for _ in range(20)]
    await asyncio.wait(workers, timeout=5)

    assert sorted(claimed) == sorted(f"k{n}" for n in range(20))


@pytest.mark.parametrize("steps", range(8))
async def test_a_worker_that_is_cancelled_does_not_keep_an_entry_from_the_others(rested, steps):
    claimed = asyncio.Queue()

    async def work():
        while not (item := await rested.claim()):
            await rested.wait(10)
        claimed.put_nowait(item.key)

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.sleep(0.05)
    putting = await in_steps(steps, rested.put("k", ANNA, HELLO))
    workers[0].cancel()

    assert await asyncio.wait_for(claimed.get(), timeout=5) == "k"
    await cancel([*workers, putting])


async def in_steps(steps, doing):
    """Start *doing*, and go on after so many rounds of the event loop."""
    task = asyncio.create_task(doing)
    for _ in range(steps):
        await asyncio.sleep(0)
    return task


async def cancel(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


# The ledger


async def note(ledger, message_id="wamid.1", key="out:0"):
    return await ledger.note_sent(message_id, key=key, recipient_id=ANNA, response="utter_invoice")


async def test_a_sent_message_is_found_by_its_id_and_by_its_key(store, clock):
    noted = await note(store.ledger)

    assert noted == Sent("wamid.1", "out:0", ANNA, "utter_invoice", "accepted", clock.now)
    assert await store.ledger.get("wamid.1") == noted
    assert await store.ledger.by_key("out:0") == noted


async def test_nothing_is_known_of_what_was_never_sent(store):
    assert await store.ledger.get("wamid.1") is None
    assert await store.ledger.by_key("out:0") is None


async def test_the_last_message_of_a_key_counts(store):
    await note(store.ledger, "wamid.1")
    await note(store.ledger, "wamid.2")
    await store.ledger.note_status("wamid.1", "delivered")

    assert (await store.ledger.by_key("out:0")).message_id == "wamid.2"


async def test_a_status_is_news_once(store, clock):
    await note(store.ledger)
    clock.now += 2

    news = await store.ledger.note_status("wamid.1", "delivered")

    assert (news.status, news.at, news.key) == ("delivered", clock.now, "out:0")
    assert await store.ledger.note_status("wamid.1", "delivered") is None
    assert await store.ledger.get("wamid.1") == news


@pytest.mark.parametrize(
    ("statuses", "end", "news"),
    [
        (["sent", "delivered", "read", "played"], "played", 4),
        (["read", "delivered", "sent"], "read", 1),
        (["sent", "failed"], "failed", 2),
        (["failed", "sent"], "failed", 1),
        (["failed", "delivered"], "delivered", 2),
        (["delivered", "failed"], "delivered", 1),
        (["read", "failed", "delivered"], "read", 1),
        (["sent", "a status of tomorrow"], "sent", 1),
        (["accepted"], "accepted", 0),
    ],
)
async def test_a_status_never_goes_backwards(store, statuses, end, news):
    await note(store.ledger)

    answers = [await store.ledger.note_status("wamid.1", status) for status in statuses]

    assert (await store.ledger.get("wamid.1")).status == end
    assert len([answer for answer in answers if answer]) == news


async def test_the_reason_of_a_failure_is_kept_until_the_message_is_delivered_after_all(store):
    await note(store.ledger)

    failed = await store.ledger.note_status("wamid.1", "failed", reason="131053 Media upload")
    delivered = await store.ledger.note_status("wamid.1", "delivered")

    assert failed.reason == "131053 Media upload"
    assert delivered.reason is None


async def test_a_status_that_comes_before_our_note_is_joined(store, clock):
    assert await store.ledger.note_status("wamid.1", "sent") is None
    assert await store.ledger.note_status("wamid.1", "failed", reason="131026") is None
    assert await store.ledger.get("wamid.1") is None
    clock.now += 1

    noted = await note(store.ledger)

    assert (noted.status, noted.reason, noted.at) == ("failed", "131026", clock.now - 1)
    assert (noted.key, noted.response) == ("out:0", "utter_invoice")
    assert await store.ledger.get("wamid.1") == noted
    assert await store.ledger.note_status("wamid.1", "sent") is None
    assert (await store.ledger.note_status("wamid.1", "read")).status == "read"


async def test_the_code_of_a_failure_is_kept_also_where_it_comes_before_our_note(store):
    await store.ledger.note_status("wamid.1", "failed", reason="131047 title", code=131047)

    noted = await note(store.ledger)

    assert (noted.status, noted.code) == ("failed", 131047)
    await note(store.ledger, "wamid.2", "out:1")
    failed = await store.ledger.note_status("wamid.2", "failed", code=131053)
    assert failed.code == 131053
    assert (await store.ledger.note_status("wamid.2", "read")).code == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("status", "is_kept"),
    [("sent", True), ("failed", True), ("delivered", False), ("read", False), ("played", False)],
)
async def test_the_body_of_a_message_is_kept_until_it_arrived(store, status, is_kept, when):
    if when == "before":
        await store.ledger.note_status("wamid.1", status)
    await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA, body=HELLO)
    if when == "after":
        await store.ledger.note_status("wamid.1", status)

    assert (await store.ledger.get("wamid.1")).body == (HELLO if is_kept else None)


async def test_the_body_of_a_message_that_never_arrived_is_forgotten_after_a_day(
    store, store_url, clock
):
    if store_url.startswith("redis"):
        pytest.skip("Redis ends it by its own clock: test_redis.py looks at the ends of its keys")
    await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA, body=HELLO)
    clock.now += DAY + 1
    await store.expire()

    sent = await store.ledger.get("wamid.1")

    assert sent.body is None


async def test_noting_a_message_again_keeps_its_status(store):
    await note(store.ledger)
    await store.ledger.note_status("wamid.1", "read")

    assert (await note(store.ledger)).status == "read"


async def test_sent_messages_are_forgotten_a_month_after_their_last_status(store, clock):
    await note(store.ledger, "wamid.1", "out:1")
    await note(store.ledger, "wamid.2", "out:2")
    clock.now += 20 * DAY
    await store.ledger.note_status("wamid.2", "read")
    clock.now += 20 * DAY
    await store.expire()

    assert await store.ledger.get("wamid.1") is None
    assert (await store.ledger.get("wamid.2")).status == "read"


async def test_all_that_was_sent_to_one_person_is_forgotten(store):
    await note(store.ledger, "wamid.1", "out:1")
    await note(store.ledger, "wamid.2", "out:2")
    await store.ledger.note_status("wamid.2", "read")
    await store.ledger.note_sent("wamid.3", key="out:3", recipient_id=BEN)

    assert await store.ledger.erase(ANNA) == 2
    assert await store.ledger.erase(ANNA) == 0

    assert await store.ledger.get("wamid.1") is None
    assert await store.ledger.by_key("out:2") is None
    assert (await store.ledger.by_key("out:3")).recipient_id == BEN
    assert await store.ledger.note_status("wamid.2", "played") is None


# Values


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, [1, "a"], {"a": [{"b": None}]}])
async def test_a_value_comes_back_as_it_was(store, value):
    await store.values.set("k", value, ttl=60)

    assert await store.values.get("k") == value


async def test_a_value_is_gone_at_its_end(store, clock):
    await store.values.set("k", "v", ttl=60)
    clock.now += 59
    assert await store.values.get("k") == "v"
    clock.now += 1

    assert await store.values.get("k") is None


async def test_setting_a_value_again_sets_its_end_again(store, clock):
    await store.values.set("k", "old", ttl=60)
    await store.values.set("k", "new", ttl=600)
    clock.now += 300
    await store.expire()

    assert await store.values.get("k") == "new"


async def test_a_value_may_be_set_again_and_again(store):
    for n in range(300):
        await store.values.set("k", n, ttl=60)

    assert await store.values.get("k") == 299


async def test_several_values_are_set_in_one_step(store, clock):
    await store.values.set("a", "before", ttl=10)
    await store.values.set_many({"a": 1, "b": {"c": ["half of one \ud83d"]}}, ttl=60)
    await store.values.set_many({}, ttl=60)

    assert await store.values.get("a") == 1
    assert await store.values.get("b") == {"c": ["half of one \ud83d"]}
    clock.now += 60
    assert await store.values.get("a") is None
    assert await store.values.get("b") is None


async def test_a_key_is_taken_until_its_value_ends(store, clock):
    assert await store.values.add("k", "first", ttl=60)
    assert not await store.values.add("k", "second", ttl=60)
    assert await store.values.get("k") == "first"
    clock.now += 60

    assert await store.values.add("k", "third", ttl=60)
    assert await store.values.get("k") == "third"


async def test_of_fifty_who_add_at_once_one_succeeds(store):
    answers = await asyncio.gather(*(store.values.add("k", n, ttl=60) for n in range(50)))

    assert answers.count(True) == 1
    assert await store.values.get("k") == answers.index(True)


async def test_a_deleted_value_is_gone_and_its_key_is_free(store):
    await store.values.set("k", "v", ttl=60)
    await store.values.delete("k")
    await store.values.delete("never there")

    assert await store.values.get("k") is None
    assert await store.values.add("k", "w", ttl=60)


async def test_values_are_forgotten_by_what_their_keys_begin_with(store):
    keys = ["wrote:1", "wrote:12", "wrote:2", "wrote", "a wrote:1", "wrote:1\U0001f600"]
    for key in keys:
        await store.values.set(key, key, ttl=60)

    assert await store.values.erase("wrote:1") == 3
    assert await store.values.erase("wrote:1") == 0

    kept = [key for key in keys if await store.values.get(key)]
    assert kept == ["wrote:2", "wrote", "a wrote:1"]


@pytest.mark.parametrize("prefix", ["a*", "a?", "a[bc]", "a%", "a_", "a\\"])
async def test_a_prefix_means_nothing_but_itself(store, prefix):
    await store.values.set(f"{prefix}:1", 1, ttl=60)
    await store.values.set("abc:1", 2, ttl=60)

    assert await store.values.erase(prefix) == 1
    assert await store.values.get("abc:1") == 2


# Tokens


async def take(store, key, rate, burst):
    (wait,) = await store.values.take(Limit(key, rate, burst))
    return wait


async def test_a_full_bucket_gives_its_tokens_and_then_tells_how_long_to_wait(store, clock):
    takes = [await take(store, "pair", 0.5, 3) for _ in range(4)]

    assert takes == [0.0, 0.0, 0.0, 2.0]


async def test_there_is_a_token_after_the_wait_and_not_before(store, clock):
    await take(store, "pair", 1 / 6, 1)
    clock.now += 2
    wait = await take(store, "pair", 1 / 6, 1)
    assert wait == pytest.approx(4)

    clock.now += wait - 0.5
    assert await take(store, "pair", 1 / 6, 1) == pytest.approx(0.5)
    clock.now += 0.5
    assert await take(store, "pair", 1 / 6, 1) == 0.0


async def test_who_always_waits_as_long_as_told_gets_the_whole_rate(store, clock):
    start = clock.now
    taken = 0
    while clock.now < start + 5:
        if wait := await take(store, "all", 80, 1):
            clock.now += wait
        else:
            taken += 1

    assert 399 <= taken <= 402


async def test_a_bucket_never_holds_more_than_its_burst(store, clock):
    await take(store, "pair", 1, 2)
    clock.now += DAY
    await store.expire()

    takes = [await take(store, "pair", 1, 2) for _ in range(3)]

    assert takes == [0.0, 0.0, 1.0]


async def test_of_a_hundred_who_take_at_once_as_many_get_a_token_as_there_are(store):
    takes = await asyncio.gather(*(take(store, "all", 1, 45) for _ in range(100)))

    assert takes.count(0.0) == 45
    assert {wait for wait in takes if wait} == {1.0}


async def test_from_several_buckets_a_token_each_is_taken_or_none_at_all(store, clock):
    pair, all_ = Limit("pair", 1 / 6, 1), Limit("all", 80, 3)

    assert await store.values.take(all_, pair) == [0.0, 0.0]
    assert await store.values.take(all_, pair) == [0.0, pytest.approx(6)]
    clock.now += 6
    assert [await take(store, *all_) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert await store.values.take(all_, pair) == [pytest.approx(1 / 80), 0.0]
    clock.now += 1 / 80
    assert await store.values.take(all_, pair) == [0.0, 0.0]


async def test_who_finds_no_token_in_one_bucket_leaves_the_other_as_it_was(store):
    pair, all_ = Limit("pair", 1, 1), Limit("all", 1, 2)
    await store.values.take(all_, pair)

    for _ in range(5):
        assert await store.values.take(all_, pair) == [0.0, 1.0]

    assert await take(store, *all_) == 0.0


async def test_buckets_know_nothing_of_each_other_nor_of_values(store):
    await store.values.set("one", "v", ttl=60)

    assert await take(store, "one", 1, 1) == 0.0
    assert await take(store, "two", 1, 1) == 0.0
    assert await take(store, "one", 1, 1) == 1.0
    assert await store.values.get("one") == "v"


async def test_a_clock_that_was_set_back_keeps_nobody_from_the_next_token(store, clock):
    await take(store, "all", 1, 1)
    clock.now -= 3600

    assert await take(store, "all", 1, 1) == 1.0
    clock.now += 1
    assert await take(store, "all", 1, 1) == 0.0


# Opening and closing


async def test_an_open_store_can_be_written(store):
    await store.ping()


async def test_a_closed_store_says_so(store):
    await store.close()
    await store.close()

    for operation in (
        store.ping,
        store.expire,
        store.inbox.depth,
        lambda: store.inbox.put("k", ANNA, HELLO),
        lambda: store.outbox.claim(),
        lambda: store.ledger.get("wamid.1"),
        lambda: store.values.set("k", 1, ttl=1),
    ):
        with pytest.raises(StoreError, match="not open"):
            await operation()


async def test_closing_wakes_those_who_wait(store):
    await store.inbox.wait(0)
    waiting = asyncio.create_task(seconds(store.inbox.wait(10)))
    await asyncio.sleep(0.05)
    await store.close()

    assert await waiting < 5


async def test_what_was_asked_for_before_closing_is_done(store):
    puts = [asyncio.create_task(store.inbox.put(f"k{n}", ANNA, HELLO)) for n in range(300)]
    await asyncio.sleep(0)
    await store.close()

    assert await asyncio.gather(*puts) == [True] * 300


async def test_a_closed_store_can_be_opened_again(store, store_url):
    if store_url == "memory:":
        pytest.skip("what a store in memory holds ends with it")
    await store.inbox.put("k", ANNA, HELLO)
    await store.close()
    await store.open()

    assert (await store.inbox.claim()).key == "k"
