"""Payments, calls, standby, echoes, handovers: what the bot hears of them, and what it must not."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import PHONE, Clock, Desk
from support.eventually import eventually

from rasa_whatsapp_channel.conversation.window import wrote_key
from rasa_whatsapp_channel.settings.calls import CallSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.errors import TransportError

USER_ID = "US.13491208655302741918"
NUMBER = "106540352242922"
CONTACTS = [{"profile": {"name": "Maya"}, "wa_id": PHONE, "user_id": USER_ID}]
NOW = int(Clock().now)

PAYMENT = {
    "reference_id": "order-1",
    "amount": {"value": 21000, "offset": 100},
    "currency": "INR",
    "transaction": {"id": "pg-1", "type": "razorpay", "status": "success"},
}
PAID = {
    "id": "wamid.order",
    "recipient_id": PHONE,
    "type": "payment",
    "status": "captured",
    "timestamp": str(NOW),
    "payment": PAYMENT,
}
CONNECT = {
    "id": "wacid.1",
    "from": PHONE,
    "to": "15550001111",
    "event": "connect",
    "timestamp": str(NOW),
    "direction": "USER_INITIATED",
    "session": {"sdp_type": "offer", "sdp": "v=0"},
}
MISSED = {
    "id": "wacid.1",
    "from": PHONE,
    "to": "15550001111",
    "event": "terminate",
    "timestamp": str(NOW),
    "direction": "USER_INITIATED",
    "status": ["FAILED"],
}
MESSAGE = {
    "id": "wamid.m",
    "from": PHONE,
    "timestamp": str(NOW),
    "type": "text",
    "text": {"body": "Where is my order?"},
}
ECHO = {
    "id": "wamid.e",
    "timestamp": str(NOW),
    "message": {
        "messaging_product": "whatsapp",
        "to": PHONE,
        "recipient_type": "individual",
        "type": "text",
        "text": {"body": "On its way"},
    },
}
FROM_THE_APP = {
    "id": "wamid.a",
    "from": "15550001111",
    "to": PHONE,
    "timestamp": str(NOW),
    "type": "text",
    "text": {"body": "Ana here"},
}
HANDOVER = {
    "recipient": {"display_phone_number": "15550001111", "phone_number_id": NUMBER},
    "sender": {"phone_number": PHONE},
    "timestamp": str(NOW),
    "type": "control_passed",
    "control_passed": {
        "previous_owner_role": "ai_agent",
        "new_owner_role": "escalation",
        "metadata": "wants a refund",
    },
}


def change(field: str, **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550001111", "phone_number_id": NUMBER}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    return {"entry": [{"id": "WABA", "changes": [{"field": field, "value": value}]}]}


PAYMENT_TOLD = change("messages", statuses=[PAID])
CALL_RINGS = change("calls", contacts=CONTACTS, calls=[CONNECT])
CALL_MISSED = change("calls", contacts=CONTACTS, calls=[MISSED])
STANDBY = {
    "message": change("standby", standby={"contacts": CONTACTS, "messages": [MESSAGE]}),
    "echo": change("standby", standby={"message_echoes": [ECHO]}),
    "app": change("smb_message_echoes", message_echoes=[FROM_THE_APP]),
    "handover": change("messaging_handovers", **HANDOVER),
}


def counted(desk: Desk, name: str, **labels: str) -> float:
    return desk.metrics.registry.get_sample_value(f"whatsapp_{name}_total", labels) or 0


async def dead(desk: Desk) -> int:
    return (await desk.store.inbox.depth()).dead_letters


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    found = (record.getMessage() for record in caplog.records)
    return [line for line in found if line.startswith(f"whatsapp.{name}:")]


# payments


async def test_a_payment_is_a_turn_with_what_was_paid(store, clock):
    desk = Desk(store, clock)
    await store.ledger.note_sent(
        "wamid.order", key="k", recipient_id=PHONE, response="utter_pay", body={}
    )

    await desk.receives(PAYMENT_TOLD)

    assert await desk.run() == [
        '/whatsapp_payment{"reference_id": "order-1", "status": "captured", "amount": 210.0, '
        '"currency": "INR"}'
    ]
    [turn] = desk.heard
    facts = turn.metadata["whatsapp"]
    assert turn.sender_id == PHONE
    assert (facts["type"], facts["message_id"], facts["response"]) == (
        "payment",
        "wamid.order",
        "utter_pay",
    )
    assert facts["payment"] == PAYMENT
    assert counted(desk, "statuses", status="payment") == 1
    assert desk.client.receipts == []


@pytest.mark.parametrize(
    ("way", "heard", "noted"),
    [
        ("event", [], 1),
        ("ignore", [], 0),
        ("/paid{...}", ['/paid{"reference_id": "order-1", "status": "captured", '], 0),
        ("I paid {amount} {currency}", ["I paid 210.0 INR"], 0),
    ],
)
async def test_a_payment_is_what_the_setting_says(store, clock, way, heard, noted):
    desk = Desk(store, clock, wording={"payment": way})

    await desk.receives(PAYMENT_TOLD)
    told = await desk.run()

    assert [text[: len(wanted)] for text, wanted in zip(told, heard, strict=True)] == heard
    assert [event.type for event in desk.noted] == ["payment"] * noted


async def test_a_payment_that_fails_twice_is_heard_twice_and_sends_nothing_again(store, clock):
    desk = Desk(store, clock)
    await store.ledger.note_sent(
        "wamid.order", key="k", recipient_id=PHONE, body={"recipient_id": PHONE, "message": {}}
    )
    failed = {**PAID, "status": "failed", "errors": [{"code": 131026, "title": "x"}]}

    for time in (NOW, NOW, NOW + 60):  # the second is the first, delivered again
        await desk.receives(change("messages", statuses=[{**failed, "timestamp": str(time)}]))

    assert len(await desk.run()) == 2
    assert (await store.outbox.depth()).waiting == 0
    sent = await store.ledger.get("wamid.order")
    assert sent is not None
    assert sent.status == "accepted"
    assert counted(desk, "statuses", status="failed") == 0


@pytest.mark.parametrize(
    ("payment", "text"),
    [
        (None, '/whatsapp_payment{"status": "captured"}'),
        ([1], '/whatsapp_payment{"status": "captured"}'),
        ({"amount": 5, "currency": {}}, '/whatsapp_payment{"status": "captured"}'),
        (
            {"amount": {"value": "21000", "offset": 0}, "reference_id": 7},
            '/whatsapp_payment{"reference_id": "7", "status": "captured"}',
        ),
        (
            {"amount": {"value": 5, "offset": 0}, "reference_id": ["a"]},
            '/whatsapp_payment{"status": "captured"}',
        ),
    ],
)
async def test_a_payment_of_another_form_is_heard_as_far_as_it_can_be_read(
    store, clock, payment, text
):
    desk = Desk(store, clock)

    await desk.receives(change("messages", statuses=[{**PAID, "payment": payment}]))

    assert await desk.run() == [text]


async def test_the_key_of_a_payment_in_the_queue_tells_nobodys_number(store, clock):
    desk = Desk(store, clock)

    await desk.receives(PAYMENT_TOLD)

    assert [row.key for row in await store.inbox.waiting()] == [
        f"wamid.order:payment:{NOW}:captured"
    ]


# statuses that say nothing of the delivery


@pytest.mark.parametrize(
    ("word", "errors", "level", "counts_as"),
    [
        ("warning", [{"code": 2026, "title": "Some products are missing"}], "WARNING", "warning"),
        ("deleted", [], "INFO", "deleted"),
        ("in_orbit", [], "INFO", "other"),
    ],
)
async def test_a_status_that_is_no_step_of_the_delivery_is_logged_kept_and_counted(
    store, clock, caplog, word, errors, level, counts_as
):
    desk = Desk(store, clock)
    status = {**PAID, "type": "message", "status": word, "errors": errors, "pricing": {"a": 1}}
    del status["payment"]

    with caplog.at_level(logging.INFO):
        await desk.receives(change("messages", statuses=[status]))
        assert await desk.run() == []

    [event] = desk.noted
    facts = event.metadata["whatsapp"]
    assert (facts["type"], facts["status"], facts["pricing"]) == ("status", word, {"a": 1})
    assert [error["code"] for error in facts.get("errors", [])] == [e["code"] for e in errors]
    [line] = lines(caplog, "other_status")
    assert line.startswith(f"whatsapp.other_status: {word} of wamid.order: ")
    assert {record.levelname for record in caplog.records} == {level}
    assert counted(desk, "statuses", status=counts_as) == 1


# calls


async def test_a_call_is_ignored_with_one_line_that_says_what_to_do(store, clock, caplog):
    desk = Desk(store, clock)

    with caplog.at_level(logging.INFO):
        await desk.receives(CALL_RINGS)

    assert lines(caplog, "call") == [
        "whatsapp.call: wacid.1 rings: nobody takes it; `calls: {answer: reject}` ends it at once, "
        "with a text"
    ]
    assert (desk.rejected, desk.said, await desk.run(), desk.noted) == ([], [], [], [])
    assert counted(desk, "conversation_events", field="calls", event="connect") == 1


async def test_a_missed_call_is_ignored_unless_the_setting_says_otherwise(store, clock):
    desk = Desk(store, clock)

    await desk.receives(CALL_MISSED)

    assert (await desk.run(), desk.noted, await dead(desk)) == ([], [], 0)
    assert counted(desk, "ignored", type="call") == 1


@pytest.mark.parametrize(
    ("way", "heard"),
    [
        ("turn", ['/whatsapp_call{"call_id": "wacid.1"}']),
        ("/called{...}", ['/called{"call_id": "wacid.1"}']),
        ("{profile_name} called", ["Maya called"]),
        ("event", []),
    ],
)
async def test_a_missed_call_is_what_the_setting_says(store, clock, way, heard):
    desk = Desk(store, clock, wording={"call": way})

    await desk.receives(CALL_MISSED)

    assert await desk.run() == heard
    [told] = desk.heard or desk.noted
    facts = told.metadata["whatsapp"]
    assert (facts["type"], facts["status"], facts["profile_name"]) == ("call", "FAILED", "Maya")


async def test_a_call_that_was_taken_is_not_missed(store, clock):
    desk = Desk(store, clock, wording={"call": "turn"})
    taken = {**MISSED, "duration": 12, "start_time": str(NOW - 12), "status": "Completed"}

    await desk.receives(change("calls", calls=[taken]))

    assert (await desk.run(), await dead(desk)) == ([], 0)


async def test_a_call_is_rejected_with_a_text_where_the_setting_says_so(store, clock, caplog):
    desk = Desk(store, clock, calls=CallSettings("reject", "Please write to us."))

    with caplog.at_level(logging.INFO):
        await desk.receives(CALL_RINGS)
        await asyncio.sleep(0)

    assert desk.rejected == [(NUMBER, "wacid.1")]
    assert desk.said == [("call:wacid.1", PHONE, "Please write to us.")]
    assert lines(caplog, "call") == [
        "whatsapp.call: wacid.1 rings: it is rejected, as `calls` says"
    ]


async def test_a_call_is_rejected_without_a_text_where_there_is_none(store, clock):
    desk = Desk(store, clock, calls=CallSettings("reject"))

    await desk.receives(CALL_RINGS)
    await asyncio.sleep(0)

    assert (desk.rejected, desk.said) == ([(NUMBER, "wacid.1")], [])


@pytest.mark.parametrize(
    "step",
    [
        {"timestamp": str(NOW - 300)},  # over long ago
        {"direction": "BUSINESS_INITIATED"},
        {"event": "call_recording_available"},
    ],
)
async def test_what_does_not_ring_now_is_not_rejected(store, clock, step):
    desk = Desk(store, clock, calls=CallSettings("reject", "No calls"))

    await desk.receives(change("calls", contacts=CONTACTS, calls=[{**CONNECT, **step}]))
    await asyncio.sleep(0)

    assert (desk.rejected, desk.said) == ([], [])


async def test_a_rejection_that_whatsapp_does_not_take_is_said(store, clock, caplog):
    desk = Desk(store, clock, calls=CallSettings("reject"))
    desk.rejects = TransportError("no connection")

    await desk.receives(CALL_RINGS)
    await eventually(lambda: lines(caplog, "call_not_rejected"))

    assert lines(caplog, "call_not_rejected") == [
        "whatsapp.call_not_rejected: wacid.1: no connection"
    ]


@pytest.mark.parametrize("body", [CALL_RINGS, STANDBY["message"]])
async def test_a_call_and_a_message_to_others_open_the_window(store, clock, body):
    desk = Desk(store, clock)
    await store.values.set(wrote_key(PHONE), clock.now - 3 * DAY, 90 * DAY)

    await desk.receives(body)

    assert await store.values.get(wrote_key(PHONE)) == clock.now


# standby, echoes, handovers


@pytest.mark.parametrize("name", sorted(STANDBY))
async def test_what_others_say_is_in_the_tracker_and_never_a_turn(store, clock, name):
    desk = Desk(store, clock)

    await desk.receives(STANDBY[name])
    await desk.receives(STANDBY[name])

    assert await desk.run() == []
    await asyncio.sleep(0.05)
    [event] = desk.noted
    assert event.sender_id == PHONE
    assert (desk.client.receipts, await dead(desk)) == ([], 0)


async def test_the_tracker_tells_who_said_what_to_whom(store, clock):
    desk = Desk(store, clock)
    for body in STANDBY.values():
        await desk.receives(body)
    await desk.run()

    told = [event.metadata["whatsapp"] for event in desk.noted]

    heard = [
        (facts["source"], facts["what"], facts["message"]["text"]["body"])
        for facts in told
        if facts["type"] == "overheard"
    ]
    assert heard == [
        ("standby", "message", "Where is my order?"),
        ("standby", "echo", "On its way"),
        ("app", "echo", "Ana here"),
    ]
    [handover] = [facts for facts in told if facts["type"] == "handover"]
    assert handover == {
        "type": "handover",
        "id": f"handover:{PHONE}:control_passed:{NOW}",
        "timestamp": NOW,
        "from": PHONE,
        "user_id": None,
        "phone_number_id": NUMBER,
        "event": "control_passed",
        "detail": HANDOVER["control_passed"],
    }


async def test_a_message_that_comes_again_as_ours_is_answered(store, clock):
    desk = Desk(store, clock)

    await desk.receives(STANDBY["message"])
    await desk.receives(change("messages", contacts=CONTACTS, messages=[MESSAGE]))

    assert await desk.run() == ["Where is my order?"]


async def test_statuses_of_what_others_say_are_counted_and_nothing_else(store, clock):
    desk = Desk(store, clock)
    status = {"id": "wamid.e", "status": "failed", "timestamp": str(NOW), "recipient_id": PHONE}

    await desk.receives(change("standby", standby={"statuses": [status]}))

    assert (await desk.run(), desk.noted, await dead(desk)) == ([], [], 0)
    assert counted(desk, "conversation_events", field="standby", event="status") == 1
    assert counted(desk, "statuses", status="failed") == 0


@pytest.mark.parametrize("name", sorted(STANDBY))
async def test_erasing_a_person_finds_what_others_said_to_them(store, clock, name):
    desk = Desk(store, clock)

    await desk.receives(STANDBY[name])

    assert await store.inbox.erase(PHONE) == 1
    assert (await store.inbox.depth()).waiting == 0


async def test_it_is_in_the_conversation_that_the_person_has(store, clock):
    desk = Desk(store, clock)
    await desk.receives(change("messages", contacts=CONTACTS, messages=[MESSAGE]))
    echo = {**FROM_THE_APP, "to": None, "to_user_id": USER_ID}

    await desk.receives(change("smb_message_echoes", message_echoes=[echo]))
    await desk.run()

    assert [event.sender_id for event in desk.noted] == [PHONE]


async def test_it_is_in_the_conversation_with_the_number_it_was_said_at(store, clock):
    desk = Desk(store, clock, numbers=("1", NUMBER))

    await desk.receives(STANDBY["echo"])
    await desk.run()

    assert [event.sender_id for event in desk.noted] == [f"{PHONE}@{NUMBER}"]


# bodies of tomorrow

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(PHONE),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "a", "type"]), inner)
    ),
    max_leaves=5,
)
BODIES = [PAYMENT_TOLD, CALL_RINGS, CALL_MISSED, *STANDBY.values()]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    inner = [(key, item) for key, item in items if isinstance(item, (dict, list))]
    return [
        *((*path, key) for key, _ in items),
        *(place for key, item in inner for place in places(item, (*path, key))),
    ]


@given(st.data())
@settings(suppress_health_check=list(HealthCheck))
def test_a_body_with_anything_anywhere_is_taken_and_ends_nothing(data: Any) -> None:
    body = json.loads(json.dumps(data.draw(st.sampled_from(BODIES))))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(body)))
        *path, last = place
        inner = body
        for key in path:
            inner = inner[key]
        inner[last] = data.draw(ODD)

    async def take() -> None:
        clock = Clock()
        async with open_store("memory:", clock=clock) as store:
            calls = CallSettings("reject", "No calls")
            desk = Desk(store, clock, calls=calls, wording={"call": "turn"})
            await desk.receives(body)
            await desk.run()
            for told in (*desk.heard, *desk.noted):
                json.dumps(told.metadata)

    asyncio.run(take())
