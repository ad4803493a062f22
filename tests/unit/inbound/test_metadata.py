"""What of a message reaches the bot: every part of it, also those that nobody has heard of yet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.inbound.turn import Turn, to_turn
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.events import (
    Event,
    InboundMessage,
    Unknown,
    from_body,
    to_body,
)

MAYA = "15550002222"
CONTACT = {"profile": {"name": "Maya"}, "wa_id": MAYA}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def read(*messages: Any, contact: Any = CONTACT, **value: Any) -> tuple[Event, ...]:
    value = {"contacts": [contact], "messages": list(messages), **value}
    body = {"entry": [{"changes": [{"field": "messages", "value": value}]}]}
    return webhook.read(json.dumps(body).encode())


def text(body: str = "Hi", number: int = 1, **parts: Any) -> dict[str, Any]:
    return {
        "from": MAYA,
        "id": f"wamid.{number}",
        "timestamp": "1757000000",
        "type": "text",
        "text": {"body": body},
        **parts,
    }


def heard(message: dict[str, Any], **value: Any) -> Turn:
    event = next(event for event in read(message, **value) if isinstance(event, InboundMessage))
    turn = to_turn(event)
    assert turn is not None
    return turn


def facts(message: dict[str, Any], **value: Any) -> Any:
    return heard(message, **value).metadata["whatsapp"]


def texts(*messages: Any) -> list[str]:
    return [e.content.get("body") for e in read(*messages) if isinstance(e, InboundMessage)]


def test_the_sender_has_a_country_and_the_hash_of_their_key() -> None:
    contact = {
        "profile": {"name": "Maya", "country_code": "US"},
        "wa_id": MAYA,
        "identity_key_hash": "DF2lS5v2W6x=",
    }

    known = facts(text(), contact=contact)

    assert known["country_code"] == "US"
    assert known["identity_key_hash"] == "DF2lS5v2W6x="
    assert "extra" not in known


def test_the_answer_to_a_request_for_contact_details_says_so_beside_the_card() -> None:
    card = {"vcard": "BEGIN:VCARD\nEND:VCARD", "phones": [{"phone": "+16505551234"}]}
    message = {**text(), "type": "contacts", "contacts": [card], "origin": "contact_request"}

    known = facts(message)

    assert known["origin"] == "contact_request"
    assert known["contacts"] == [card]


def test_what_has_no_name_yet_stands_under_extra() -> None:
    known = facts(
        text(_vnd={"v1": {"author": "bot"}}, from_logical_id="131063108133020", tomorrow=[1]),
        contact={**CONTACT, "profile": {"name": "Maya", "pronouns": "she"}, "badge": "blue"},
    )

    assert known["extra"] == {
        "_vnd": {"v1": {"author": "bot"}},
        "from_logical_id": "131063108133020",
        "tomorrow": [1],
        "contact": {"profile": {"pronouns": "she"}, "badge": "blue"},
    }


def test_a_text_beside_the_type_unsupported_is_not_lost() -> None:
    message = {
        **text("Test"),
        "type": "unsupported",
        "unsupported": {"type": "video_note"},
        "errors": [{"code": 131051, "title": "Message type unknown"}],
    }

    turn = heard(message)

    assert turn.text == '/whatsapp_unsupported{"type": "video_note", "code": 131051}'
    assert turn.metadata["whatsapp"]["extra"] == {"text": {"body": "Test"}}


def test_a_context_tells_all_that_whatsapp_says_of_it() -> None:
    context = {"id": "wamid.a", "forwarded": True, "tomorrow": {"a": 1}}

    assert facts(text(context=context))["context"] == {
        "id": "wamid.a",
        "forwarded": True,
        "extra": {"tomorrow": {"a": 1}},
    }


def test_the_summary_that_comes_with_a_handover_is_beside_the_message() -> None:
    summary = {"type": "summary", "summary": {"text": "wants a refund"}}

    known = facts(text(), conversation_context=summary)

    assert known["extra"] == {"conversation_context": summary}


def test_a_list_that_nobody_knows_is_kept_for_a_person_beside_what_is_understood() -> None:
    message, unknown = read(text(), holograms=[{"id": "1"}])

    assert isinstance(message, InboundMessage)
    assert unknown == Unknown("a list of holograms in field messages", [{"id": "1"}])


@pytest.mark.parametrize(
    ("cards", "entities"),
    [
        (
            [{"name": {"formatted_name": "Ana"}}, {"phones": [{"phone": "+1 555"}]}],
            {"name": ["Ana", ""], "phone": ["", "+1 555"]},
        ),
        (
            [{"name": {"formatted_name": "Ana"}, "phones": [{"phone": "1"}, {"wa_id": "2"}]}],
            {"name": ["Ana", "Ana"], "phone": ["1", "+2"]},
        ),
        ([{"phones": [{"wa_id": "15550003333"}]}], {"phone": ["+15550003333"]}),
        ([{"name": {"formatted_name": "Ana"}, "phones": [{}]}], {"name": ["Ana"]}),
        ([{"name": "Ana", "phones": {"phone": "1"}}, None, 7, "card"], {}),
    ],
)
def test_each_number_of_a_card_has_its_name_at_the_same_place(
    cards: list[Any], entities: dict[str, Any]
) -> None:
    turn = heard({**text(), "type": "contacts", "contacts": cards})

    assert json.loads(turn.text.removeprefix("/whatsapp_contacts") or "{}") == entities
    assert turn.metadata["whatsapp"]["contacts"] == cards


def test_messages_of_one_webhook_are_heard_in_the_order_they_were_written() -> None:
    late, early = text("second", 1, timestamp="1757000400"), text("first", 2, timestamp=1757000300)

    assert texts(late, early) == ["first", "second"]


def test_messages_of_the_same_second_stay_in_their_order() -> None:
    assert texts(*(text(word, n) for n, word in enumerate("abcd"))) == list("abcd")


@pytest.mark.parametrize("time", [None, "soon", {}, True])
def test_a_message_without_a_time_stays_behind_the_one_before_it(time: Any) -> None:
    first = text("first", 1, timestamp="1757000300")
    follows = text("follows", 2, timestamp=time)
    second = text("second", 3, timestamp="1757000400")

    assert texts(second, first, follows) == ["first", "follows", "second"]


def test_messages_of_several_entries_are_in_order_and_other_events_keep_their_place() -> None:
    status = {"id": "wamid.s", "status": "sent", "recipient_id": MAYA}
    changes = [
        {"field": "messages", "value": {"contacts": [CONTACT], **value}}
        for value in (
            {"messages": [text("second", 1, timestamp="1757000400")], "statuses": [status]},
            {"messages": [text("first", 2, timestamp="1757000300")]},
        )
    ]
    events = webhook.read(json.dumps({"entry": [{"changes": changes}]}).encode())

    assert [getattr(event, "content", {}).get("body") for event in events[::2]] == [
        "first",
        "second",
    ]
    assert type(events[1]).__name__ == "Status"


@given(st.dictionaries(st.text(max_size=12), ANYTHING, max_size=4), ANYTHING, ANYTHING)
def test_whatever_stands_in_a_message_is_heard_and_survives_the_store(
    parts: dict[str, Any], context: Any, profile: Any
) -> None:
    given_parts = {key: value for key, value in parts.items() if key not in text()}
    message = {**text(), "context": context, **given_parts}

    (event, *_) = read(message, contact={"wa_id": MAYA, "profile": profile})

    assert isinstance(event, InboundMessage)
    assert from_body(json.loads(json.dumps(to_body(event)))) == event
    known = heard(message).metadata["whatsapp"]
    extra = known.get("extra", {})
    for key, value in event.extra.items():
        assert value is None or key in ("identity", "origin", "contact") or extra[key] == value
