"""The queue interface, over every store: put, claim, dead letters, what an operator sees."""

from __future__ import annotations

import asyncio

import pytest
from support.queue_items import ANNA, BEN, HELLO, claim_all, end_item, put_all

from rasa_whatsapp_channel.store.base import (
    Depth,
    ItemState,
    Notes,
    PlaceOf,
    StoreError,
    status_cause,
)
from rasa_whatsapp_channel.store.heartbeat import LEASE
from rasa_whatsapp_channel.unix_time import DAY

# The queue: putting and claiming


async def test_what_was_put_is_claimed_with_all_its_parts(queue, clock):
    await queue.put("wamid.1", ANNA, HELLO)
    clock.now += 5

    item = await queue.claim()

    assert (item.key, item.conversation, item.body) == ("wamid.1", ANNA, HELLO)
    assert (item.attempts, item.put_at) == (1, clock.now - 5)


async def test_an_empty_queue_has_nothing_to_claim(queue):
    assert await queue.claim() is None


async def test_a_conversation_is_handled_in_the_order_its_items_were_put(queue):
    await put_all(queue, ("a", ANNA), ("c", ANNA), ("b", ANNA))

    order = []
    while item := await queue.claim():
        order.append(item.key)
        await queue.done(item)

    assert order == ["a", "c", "b"]


async def test_items_put_at_one_moment_keep_the_order_of_the_calls(queue):
    await asyncio.gather(*(queue.put(f"{n:03}", ANNA, HELLO) for n in range(150)))

    order = []
    while item := await queue.claim():
        order.append(item.key)
        await queue.done(item)

    assert order == [f"{n:03}" for n in range(150)]


async def test_one_item_of_a_conversation_is_out_at_a_time(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))

    assert [item.key for item in await claim_all(queue)] == ["a1"]


async def test_other_conversations_go_on_while_one_is_out(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))

    assert [item.key for item in await claim_all(queue)] == ["a1", "b1"]


async def test_the_oldest_free_item_of_all_conversations_comes_first(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA))
    first = await queue.claim()
    await queue.done(first)

    assert [item.key for item in await claim_all(queue)] == ["b1", "a2"]


async def test_claims_of_one_moment_get_different_items(queue):
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


# In the place of an item that failed


async def order_of(queue):
    order = []
    while item := await queue.claim():
        order.append(item.key)
        await queue.done(item)
    return order


async def test_what_replaces_an_item_comes_before_those_that_wait_for_it(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA), ("a3", ANNA))
    await queue.done(await queue.claim(), 60, cause=status_cause("wamid.1"))

    await queue.put("again", ANNA, HELLO, place=PlaceOf("a1", status_cause("wamid.1")))

    rows = {row.key: row.state for row in await queue.waiting()}
    assert (rows["again"], rows["a2"]) == (ItemState.READY, ItemState.BEHIND)
    order = await order_of(queue)
    assert sorted(order) == ["a2", "a3", "again", "b1"]
    assert [key for key in order if key != "b1"] == ["again", "a2", "a3"]


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_what_replaces_a_claimed_item_comes_right_behind_it(queue, end):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("b1", BEN))
    item = await queue.claim()

    await queue.put("again", ANNA, HELLO, place=PlaceOf("a1", status_cause("wamid.1")))
    assert [each.key for each in await claim_all(queue)] == ["b1"]
    await end_item(queue, item, end)

    assert await order_of(queue) == [*(["a1"] if end == "retry later" else []), "again", "a2"]


async def test_where_nothing_waits_for_it_what_replaces_an_item_comes_last(queue):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA), ("a3", ANNA))
    await queue.done(await queue.claim())
    await queue.retry_later(await queue.claim(), 0.0)
    place = PlaceOf("a1", status_cause("wamid.1"))

    assert await queue.put("again", ANNA, HELLO, place=place)
    assert await queue.put("alone", BEN, HELLO, place=place)
    assert not await queue.put("again", ANNA, HELLO, place=place)

    order = await order_of(queue)
    assert [key for key in order if key != "alone"] == ["a2", "a3", "again"]


# No duplicates


async def test_a_key_is_refused_while_its_item_waits(queue):
    assert await queue.put("k", ANNA, HELLO)

    assert not await queue.put("k", ANNA, HELLO)
    assert len(await claim_all(queue)) == 1


async def test_a_key_is_refused_after_its_item_is_done(queue):
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

    assert [row.key for row in await queue.dead_letters(limit=2)] == ["c", "b"]


async def test_a_retried_item_starts_anew_at_the_end_of_its_conversation(queue, clock):
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


async def test_an_item_can_be_a_dead_letter_and_retried_again(queue):
    await queue.put("k", ANNA, HELLO)
    for reason in ("first", "second"):
        await queue.dead_letter(await queue.claim(), reason)
        assert [row.reason for row in await queue.dead_letters()] == [reason]
        assert await queue.requeue("k")

    assert (await queue.claim()).key == "k"


async def test_what_cannot_be_handled_is_kept_without_ever_waiting(queue, clock):
    assert await queue.put_dead_letter("k", "", {"raw": "not json"}, "not JSON")

    assert await queue.claim() is None
    (row,) = await queue.dead_letters()
    assert (row.key, row.body, row.reason) == ("k", {"raw": "not json"}, "not JSON")
    assert (row.attempts, row.died_at) == (0, clock.now)


async def test_what_cannot_be_handled_is_kept_once(queue):
    assert await queue.put_dead_letter("k", "", {"raw": "x"}, "first")

    assert not await queue.put_dead_letter("k", "", {"raw": "x"}, "second")
    assert not await queue.put("k", ANNA, HELLO)
    assert [row.reason for row in await queue.dead_letters()] == ["first"]


async def test_dead_letters_go_away_after_a_month(store, clock):
    await store.inbox.put_dead_letter("k", "", HELLO, "reason")

    clock.now += 29 * DAY
    await store.expire()
    assert len(await store.inbox.dead_letters()) == 1

    clock.now += 2 * DAY
    await store.expire()
    assert await store.inbox.dead_letters() == []


async def test_items_that_wait_never_go_away(store, clock):
    await store.inbox.put("k", ANNA, HELLO)
    clock.now += 365 * DAY
    await store.expire()

    assert (await store.inbox.claim()).key == "k"


async def test_a_discarded_item_is_gone_and_its_key_stays_seen(queue):
    for key in ("a", "b"):
        await queue.put_dead_letter(key, ANNA, HELLO, "reason")

    assert await queue.discard("a")

    assert not await queue.discard("a")
    assert not await queue.requeue("a")
    assert not await queue.put("a", ANNA, HELLO)
    assert [row.key for row in await queue.dead_letters()] == ["b"]


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

    assert [(row.key, row.state, row.due_at) for row in seen] == [
        ("a1", ItemState.CLAIMED, None),
        ("b1", ItemState.WAITING, clock.now + 60),
        ("a2", ItemState.BEHIND, None),
        ("c1", ItemState.READY, None),
    ]
    assert [row.attempts for row in seen] == [1, 1, 0, 0]
    assert {row.put_at for row in seen} == {clock.now}
    assert (seen[2].conversation, seen[2].body) == (ANNA, HELLO)


async def test_looking_at_what_waits_claims_nothing(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN))

    assert [row.key for row in await queue.waiting(limit=1)] == ["a1"]

    assert [item.attempts for item in await claim_all(queue)] == [1, 1]


async def test_what_may_be_claimed_again_is_seen_as_ready(queue, clock):
    await queue.put("a1", ANNA, HELLO)
    await queue.retry_later(await queue.claim(), after=30)
    clock.now += 30

    assert [row.state for row in await queue.waiting()] == [ItemState.READY]


async def test_what_waits_for_the_end_of_a_hold_is_seen_as_such(queue, clock):
    await put_all(queue, ("a1", ANNA), ("a2", ANNA))
    await queue.done(await queue.claim(), hold=3)

    assert [(row.state, row.due_at) for row in await queue.waiting()] == [
        (ItemState.WAITING, clock.now + 3)
    ]


async def test_nothing_waits_in_an_empty_queue(queue):
    assert await queue.waiting() == []


# Forgetting one person


async def test_all_items_of_one_conversation_are_forgotten(queue):
    await put_all(queue, ("a1", ANNA), ("b1", BEN), ("a2", ANNA), ("a3", ANNA))
    await queue.put_dead_letter("a0", ANNA, HELLO, "reason")
    await queue.put_dead_letter("b0", BEN, HELLO, "reason")
    await queue.dead_letter(await queue.claim(), "reason")

    assert await queue.erase(ANNA) == 4
    assert await queue.erase(ANNA) == 0

    assert [row.key for row in await queue.waiting()] == ["b1"]
    assert [row.key for row in await queue.dead_letters()] == ["b0"]
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

    assert await queue.holds() == ([] if with_next else [ANNA])

    assert await queue.erase(ANNA) == with_next

    assert await queue.holds() == []
    await queue.put("a3", ANNA, HELLO)
    assert (await queue.claim()).key == "a3"


@pytest.mark.parametrize("end", ["done", "retry later", "dead letter"])
async def test_who_works_on_a_forgotten_item_can_no_longer_end_it(queue, clock, end):
    await queue.put("a1", ANNA, HELLO)
    item = await queue.claim()
    assert await queue.erase(ANNA) == 1

    await end_item(queue, item, end)

    assert await queue.depth() == Depth(waiting=0, dead_letters=0, oldest=None)


async def test_nobody_else_begins_while_a_forgotten_item_may_be_worked_on(queue, clock):
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


async def test_what_is_out_is_late_since_its_first_put_whatever_the_clock_says(queue, clock):
    await queue.put("a", ANNA, HELLO)
    clock.now -= 7200
    set_back = clock.now
    await queue.put("b", BEN, HELLO)

    await queue.claim_many(2)

    assert (await queue.depth()).oldest == set_back


async def test_what_waits_as_it_should_is_not_late_until_its_wait_is_over(queue, clock):
    start = clock.now
    await queue.put("reminder", ANNA, HELLO, after=3600)
    await queue.put("behind it", ANNA, HELLO)
    await queue.put("timer", BEN, HELLO)
    await queue.retry_later(await queue.claim(), 2 * 3600, counted=False)
    clock.now += 3600 - 1
    assert await queue.depth() == Depth(waiting=3, dead_letters=0, oldest=None)

    clock.now += 31

    assert (await queue.depth()).oldest == start + 3600


async def test_what_fails_is_late_since_it_failed_first(queue, clock):
    await queue.put("k", ANNA, HELLO)
    clock.now += 10
    failed = clock.now
    await queue.retry_later(await queue.claim(), 60, error="HTTP 503")
    clock.now += 61
    await queue.retry_later(await queue.claim(), 3600, error="HTTP 503")
    clock.now += 1

    assert (await queue.depth()).oldest == failed


# Notes beside an item


async def test_what_is_noted_with_an_item_is_there_as_soon_as_the_item_is(store, clock):
    notes = Notes({"wrote:anna": 1.5, "known:anna": True}, ttl=60)

    assert await store.inbox.put("k", ANNA, HELLO, notes=notes)

    assert await store.values.get_many("wrote:anna", "known:anna") == notes.values
    clock.now += 60
    assert not await store.values.get_many("wrote:anna", "known:anna")


async def test_what_is_noted_with_an_item_is_noted_again_when_the_item_comes_again(store):
    await store.inbox.put("k", ANNA, HELLO, notes=Notes({"wrote:anna": 1.5}, ttl=60))

    assert not await store.inbox.put("k", ANNA, HELLO, notes=Notes({"wrote:anna": 2.5}, ttl=60))

    assert await store.values.get("wrote:anna") == 2.5
    assert (await store.inbox.depth()).waiting == 1
