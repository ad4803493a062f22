"""The ledger of sent messages, over every store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.queue_items import ANNA, BEN, HELLO

from rasa_whatsapp_channel.store.base import (
    Charge,
    ChargedMessage,
    SentMessage,
)
from rasa_whatsapp_channel.unix_time import DAY


async def note(ledger, message_id="wamid.1", key="out:0"):
    return await ledger.note_sent(message_id, key=key, recipient_id=ANNA, response="utter_invoice")


async def test_a_sent_message_is_found_by_its_id_and_by_its_key(store, clock):
    noted = await note(store.ledger)

    assert noted == SentMessage("wamid.1", "out:0", ANNA, "utter_invoice", "accepted", clock.now)
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

    news = (await store.ledger.note_status("wamid.1", "delivered")).message

    assert (news.status, news.at, news.key) == ("delivered", clock.now, "out:0")
    assert (await store.ledger.note_status("wamid.1", "delivered")).message is None
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

    answers = [(await store.ledger.note_status("wamid.1", status)).message for status in statuses]

    assert (await store.ledger.get("wamid.1")).status == end
    assert len([answer for answer in answers if answer]) == news


async def test_the_reason_of_a_failure_is_kept_until_the_message_is_delivered_after_all(store):
    await note(store.ledger)

    failed = (
        await store.ledger.note_status("wamid.1", "failed", reason="131053 Media upload")
    ).message
    delivered = (await store.ledger.note_status("wamid.1", "delivered")).message

    assert failed.reason == "131053 Media upload"
    assert delivered.reason is None


async def test_a_status_that_comes_before_our_note_is_joined(store, clock):
    assert (await store.ledger.note_status("wamid.1", "sent")).message is None
    assert (await store.ledger.note_status("wamid.1", "failed", reason="131026")).message is None
    assert await store.ledger.get("wamid.1") is None
    clock.now += 1

    noted = await note(store.ledger)

    assert (noted.status, noted.reason, noted.at) == ("failed", "131026", clock.now - 1)
    assert (noted.key, noted.response) == ("out:0", "utter_invoice")
    assert await store.ledger.get("wamid.1") == noted
    assert (await store.ledger.note_status("wamid.1", "sent")).message is None
    assert (await store.ledger.note_status("wamid.1", "read")).message.status == "read"


async def test_the_code_of_a_failure_is_kept_also_where_it_comes_before_our_note(store):
    await store.ledger.note_status("wamid.1", "failed", reason="131047 title", code=131047)

    noted = await note(store.ledger)

    assert (noted.status, noted.code) == ("failed", 131047)
    await note(store.ledger, "wamid.2", "out:1")
    failed = (await store.ledger.note_status("wamid.2", "failed", code=131053)).message
    assert failed.code == 131053
    assert (await store.ledger.note_status("wamid.2", "read")).message.code == 0


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

    await store.ledger.note_sent("wamid.4", key="out:4", recipient_id=f"{ANNA}@206540352242922")
    await store.ledger.note_sent("wamid.5", key="out:5", recipient_id=f"{ANNA}0@206540352242922")

    assert await store.ledger.erase(ANNA) == 3
    assert await store.ledger.erase(ANNA) == 0

    assert await store.ledger.get("wamid.1") is None
    assert await store.ledger.by_key("out:2") is None
    assert await store.ledger.get("wamid.4") is None
    assert await store.ledger.get("wamid.5") is not None
    assert (await store.ledger.by_key("out:3")).recipient_id == BEN
    assert (await store.ledger.note_status("wamid.2", "played")).message is None


REPLY = Charge(1_700_000_000.0, "106540352242922", "49", "service", "regular", "2023-11")


async def charge(ledger, message_id, charge=REPLY):
    return (await ledger.note_status(message_id, "delivered", charge=charge)).charge


async def test_a_charge_is_kept_once_with_its_count_in_the_month(store, another):
    await note(store.ledger)

    first = await charge(store.ledger, "wamid.1")
    again = await charge(another.ledger, "wamid.1")
    second = await charge(another.ledger, "wamid.2")
    december = await charge(store.ledger, "wamid.3", replace(REPLY, month="2023-12"))
    template = await charge(store.ledger, "wamid.4", replace(REPLY, category="utility", month=""))

    assert first == replace(REPLY, nth=1)
    assert again is None
    assert [each.nth for each in (second, december, template)] == [2, 1, 0]
    assert await another.ledger.allowance_used("106540352242922", "2023-11") == 2
    assert await store.ledger.allowance_used("another number", "2023-11") == 0


async def test_charges_are_listed_by_their_time_with_what_is_known_of_the_message(store):
    await charge(store.ledger, "wamid.2", replace(REPLY, at=REPLY.at + 1.5))
    await note(store.ledger)
    await charge(store.ledger, "wamid.1")
    await charge(store.ledger, "wamid.3", replace(REPLY, at=REPLY.at + 60))

    minute = await store.ledger.charges(REPLY.at, REPLY.at + 60)

    assert minute == [
        ChargedMessage("wamid.1", ANNA, "utter_invoice", replace(REPLY, nth=2)),
        ChargedMessage("wamid.2", None, None, replace(REPLY, at=REPLY.at + 1.5, nth=1)),
    ]
    assert await store.ledger.charges(0, REPLY.at) == []


async def test_a_charge_that_comes_before_our_note_is_joined(store):
    await charge(store.ledger, "wamid.1")
    await note(store.ledger)

    (found,) = await store.ledger.charges(0, REPLY.at + 1)

    assert (found.recipient_id, found.response, found.charge.nth) == (ANNA, "utter_invoice", 1)
    assert await charge(store.ledger, "wamid.1") is None


async def test_a_message_of_which_nothing_is_known_is_not_charged(store):
    assert (await store.ledger.note_status("wamid.1", "deleted", charge=REPLY)).charge is None


async def test_who_is_erased_leaves_no_charge_but_the_month_stays_counted(store):
    await note(store.ledger)
    await charge(store.ledger, "wamid.1")

    assert await store.ledger.erase(ANNA) == 1

    assert await store.ledger.charges(0, REPLY.at + 1) == []
    assert await store.ledger.allowance_used("106540352242922", "2023-11") == 1
