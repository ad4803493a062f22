"""Preferences, calls, standby, echoes and handovers; bodies typed in from the documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.events import (
    Call,
    Event,
    Handover,
    Overheard,
    Preference,
    Unknown,
)

MAYA = "15550002222"
USER_ID = "US.13491208655302741918"
NUMBER = "106540352242922"
METADATA = {"display_phone_number": "15550001111", "phone_number_id": NUMBER}
CONTACTS = [{"profile": {"name": "Maya"}, "wa_id": MAYA, "user_id": USER_ID}]


def read(field: str, **value: Any) -> tuple[Event, ...]:
    value = {"messaging_product": "whatsapp", "metadata": METADATA, **value}
    body = {"entry": [{"id": "WABA", "changes": [{"field": field, "value": value}]}]}
    return webhook.read(json.dumps(body).encode())


def test_a_person_who_wants_no_marketing_is_a_preference() -> None:
    told = {
        "wa_id": MAYA,
        "user_id": USER_ID,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1731705721,
    }

    assert read("user_preferences", contacts=CONTACTS, user_preferences=[told]) == (
        Preference(
            "marketing_messages",
            "stop",
            phone=MAYA,
            user_id=USER_ID,
            timestamp=1731705721,
            detail="User requested to stop marketing messages",
            phone_number_id=NUMBER,
        ),
    )


def test_a_call_of_a_person_is_a_call() -> None:
    call = {
        "id": "wacid.ABGG",
        "from": MAYA,
        "from_user_id": USER_ID,
        "to": "15550001111",
        "event": "connect",
        "timestamp": "1671644824",
        "direction": "USER_INITIATED",
        "session": {"sdp_type": "offer", "sdp": "v=0"},
    }

    (event,) = read("calls", contacts=CONTACTS, calls=[call])

    assert event == Call(
        "wacid.ABGG",
        "connect",
        phone=MAYA,
        user_id=USER_ID,
        profile_name="Maya",
        direction="USER_INITIATED",
        timestamp=1671644824,
        phone_number_id=NUMBER,
        extra={
            "to": "15550001111",
            "session": {"sdp_type": "offer", "sdp": "v=0"},
        },
    )


@pytest.mark.parametrize(
    ("changes", "is_missed"),
    [
        ({"status": "FAILED"}, True),
        ({"status": ["Failed", "Completed"]}, True),
        ({"status": "COMPLETED", "start_time": "1671644824", "duration": 120}, False),
        ({"status": "FAILED", "direction": "BUSINESS_INITIATED"}, False),
        ({"event": "connect"}, False),
    ],
)
def test_a_call_that_nobody_picked_up_is_a_missed_one(
    changes: dict[str, Any], is_missed: bool
) -> None:
    call = {"id": "wacid.1", "from": MAYA, "event": "terminate", "direction": "USER_INITIATED"}

    (event,) = read("calls", calls=[{**call, **changes}])

    assert isinstance(event, Call)
    assert event.is_missed is is_missed


def test_the_status_of_a_call_that_we_made_is_a_call_too() -> None:
    status = {
        "id": "wacid.2",
        "type": "call",
        "status": "RINGING",
        "timestamp": "1749197000",
        "recipient_id": MAYA,
    }

    (event,) = read("calls", statuses=[status])

    assert isinstance(event, Call)
    assert (event.event, event.phone, event.status) == ("ringing", MAYA, "RINGING")


STANDBY_MESSAGE = {
    "from": MAYA,
    "from_user_id": USER_ID,
    "id": "wamid.A",
    "timestamp": "1700000000",
    "type": "text",
    "text": {"body": "hi"},
}


def test_what_a_person_writes_to_another_owner_is_overheard() -> None:
    standby = {"contacts": CONTACTS, "messages": [STANDBY_MESSAGE]}

    assert read("standby", standby=standby) == (
        Overheard(
            "standby",
            "message",
            "wamid.A",
            "text",
            phone=MAYA,
            user_id=USER_ID,
            timestamp=1700000000,
            content={"body": "hi"},
            phone_number_id=NUMBER,
        ),
    )


def test_what_another_owner_answers_is_an_echo() -> None:
    echo = {
        "id": "wamid.B",
        "timestamp": "1700000000",
        "message": {
            "messaging_product": "whatsapp",
            "to": MAYA,
            "recipient": USER_ID,
            "recipient_type": "individual",
            "type": "text",
            "text": {"body": "answer of the other responder"},
        },
    }

    (event,) = read("standby", standby={"message_echoes": [echo]})

    assert isinstance(event, Overheard)
    assert (event.what, event.id, event.type) == ("echo", "wamid.B", "text")
    assert event.content == {"body": "answer of the other responder"}
    assert (event.phone, event.user_id) == (MAYA, USER_ID)
    assert event.extra == {}


def test_an_echo_on_standby_has_its_own_id_and_keeps_what_is_new_in_it() -> None:
    body = {"id": "none", "to": MAYA, "type": "text", "text": {"body": "Hi"}, "tomorrow": [1]}

    (event,) = read("standby", standby={"message_echoes": [{"id": "wamid.B", "message": body}]})

    assert isinstance(event, Overheard)
    assert (event.id, event.extra) == ("wamid.B", {"tomorrow": [1]})


def test_a_status_on_standby_is_overheard() -> None:
    status = {
        "id": "wamid.B",
        "status": "delivered",
        "timestamp": "1700000001",
        "recipient_id": MAYA,
    }

    (event,) = read("standby", standby={"statuses": [status]})

    assert isinstance(event, Overheard)
    assert (event.what, event.id, event.type, event.phone) == (
        "status",
        "wamid.B",
        "delivered",
        MAYA,
    )


def test_what_somebody_writes_from_the_phone_is_an_echo() -> None:
    echo = {
        "from": "15550001111",
        "to": MAYA,
        "to_user_id": USER_ID,
        "id": "wamid.E",
        "timestamp": "1739321024",
        "type": "text",
        "text": {"body": "sent from the phone"},
    }

    assert read("smb_message_echoes", message_echoes=[echo]) == (
        Overheard(
            "app",
            "echo",
            "wamid.E",
            "text",
            phone=MAYA,
            user_id=USER_ID,
            timestamp=1739321024,
            content={"body": "sent from the phone"},
            phone_number_id=NUMBER,
        ),
    )


def test_the_copy_on_standby_is_not_taken_for_the_message_itself() -> None:
    (overheard,) = read("standby", standby={"messages": [STANDBY_MESSAGE]})
    (message,) = read("messages", messages=[STANDBY_MESSAGE])

    assert overheard.key != message.key  # type: ignore[union-attr]


def test_a_conversation_that_is_passed_on_is_a_handover() -> None:
    value = {
        "messaging_product": "whatsapp",
        "recipient": METADATA,
        "sender": {"phone_number": MAYA},
        "timestamp": "1700000002",
        "type": "control_passed",
        "control_passed": {
            "previous_owner_role": "ai_agent",
            "new_owner_role": "escalation",
            "metadata": "order 123",
        },
    }
    body = {"entry": [{"changes": [{"field": "messaging_handovers", "value": value}]}]}

    assert webhook.read(json.dumps(body).encode()) == (
        Handover(
            "control_passed",
            phone=MAYA,
            timestamp=1700000002,
            detail=value["control_passed"],
            phone_number_id=NUMBER,
        ),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_preferences", {"user_preferences": [{"value": "stop"}]}),
        ("user_preferences", {"user_preferences": [{"wa_id": MAYA}]}),
        ("user_preferences", {}),
        ("calls", {"calls": [{"id": "wacid.1"}]}),
        ("calls", {}),
        ("standby", {"standby": []}),
        ("standby", {}),
        ("messaging_handovers", {"sender": {"phone_number": MAYA}}),
        ("messaging_handovers", {"type": "control_passed"}),
    ],
)
def test_what_says_too_little_is_kept_as_unknown(field: str, value: dict[str, Any]) -> None:
    assert [type(event) for event in read(field, **value)] == [Unknown]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "from", "message", "status", "contacts", "messages", "value"]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@given(
    st.sampled_from(
        ["user_preferences", "calls", "standby", "smb_message_echoes", "messaging_handovers"]
    ),
    st.dictionaries(
        st.sampled_from(
            ["standby", "calls", "statuses", "message_echoes", "user_preferences", "type", "sender"]
        ),
        json_values,
    ),
)
def test_nothing_in_these_fields_raises(field: str, value: dict[str, Any]) -> None:
    assert read(field, **value)
