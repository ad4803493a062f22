"""Whether a message is a turn, an event in the tracker, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support import samples

from rasa_whatsapp_channel.conversation.message_notes import failure_key
from rasa_whatsapp_channel.inbound.intents import INTENTS, wordless_intents
from rasa_whatsapp_channel.inbound.turn import (
    failure_event,
    failure_turn,
    handling_of_failure,
    handling_of_message,
    to_event,
    to_turn,
)
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.inbound import FIELDS, Handling
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage
from rasa_whatsapp_channel.whatsapp.webhook import read

EVERYTHING_IGNORED = dict.fromkeys(FIELDS, "ignore")


def message_of(name: str) -> InboundMessage:
    (event,) = read(samples.webhook(name))
    assert isinstance(event, InboundMessage)
    return event


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("cloud/text", "turn"),
        ("cloud/image", "turn"),
        ("cloud/voice", "turn"),
        ("cloud/sticker", "turn"),
        ("cloud/location", "turn"),
        ("cloud/contacts", "turn"),
        ("cloud/order", "turn"),
        ("cloud/button", "turn"),
        ("cloud/button_reply", "turn"),
        ("cloud/flow_reply", "turn"),
        ("cloud/unsupported", "turn"),
        ("cloud/unknown_type", "turn"),
        ("cloud/reaction", "event"),
        ("cloud/reaction_removed", "event"),
        ("cloud/edit", "event"),
        ("cloud/revoke", "event"),
    ],
)
def test_what_nobody_waits_for_an_answer_to_is_no_turn(name: str, way: str) -> None:
    assert handling_of_message(message_of(name)) is Handling(way)


@pytest.mark.parametrize(
    ("name", "words", "way"),
    [
        ("cloud/reaction", {"reaction": "turn"}, "turn"),
        ("cloud/reaction", {"reaction": "[reacted with {emoji}]"}, "turn"),
        ("cloud/reaction", {"reaction": "ignore"}, "ignore"),
        ("cloud/reaction", {"sticker": "ignore"}, "event"),
        ("cloud/edit", {"edit": "I meant: {text}"}, "turn"),
        ("cloud/sticker", {"sticker": "ignore"}, "ignore"),
        ("cloud/sticker", {"sticker": "event"}, "event"),
        ("cloud/image", {"image": "event"}, "event"),  # with a caption, too
        ("cloud/flow_reply", {"flow": "event"}, "event"),
        ("cloud/unknown_type", {"unsupported": "ignore"}, "ignore"),
        # Words and taps are not of a kind that can be told to go another way.
        ("cloud/text", EVERYTHING_IGNORED, "turn"),
        ("cloud/button", EVERYTHING_IGNORED, "turn"),
        ("cloud/button_reply", EVERYTHING_IGNORED, "turn"),
        ("cloud/list_reply", EVERYTHING_IGNORED, "turn"),
    ],
)
def test_the_author_says_what_becomes_of_each_kind(
    name: str, words: Mapping[str, str], way: str
) -> None:
    assert handling_of_message(message_of(name), words) is Handling(way)


def test_a_reaction_that_cannot_be_read_is_one_all_the_same() -> None:
    event = InboundMessage(id="m1", type="reaction", phone="15550002222")

    assert handling_of_message(event) is Handling.EVENT


def test_a_kind_that_is_told_to_be_a_turn_keeps_its_own_intent() -> None:
    turn = to_turn(message_of("cloud/sticker"), wording={"sticker": "turn"})

    assert turn is not None
    assert turn.text.startswith("/whatsapp_sticker{")


def test_an_event_tells_what_a_turn_would_tell() -> None:
    reaction = message_of("cloud/reaction")
    turn = to_turn(reaction, sender_id="Maya", response="utter_menu")

    event = to_event(reaction, sender_id="Maya", response="utter_menu")

    assert turn is not None
    assert (event.sender_id, event.id, event.metadata) == ("Maya", reaction.id, turn.metadata)
    assert event.metadata["whatsapp"]["reaction"]["emoji"] == "👍"
    assert event.metadata["whatsapp"]["reaction"]["response"] == "utter_menu"


FAILED = DeliveryFailed(
    key=failure_key("wamid.in1:0"),
    recipient_id="15550002222",
    code=131026,
    reason="131026 Message undeliverable: Message Undeliverable.",
    response="utter_menu",
    title="Message undeliverable",
)


@pytest.mark.parametrize(
    ("key", "intent", "way"),
    [
        ("wamid.in1:0", None, "event"),
        ("wamid.in1:0", "message_failed", "turn"),
        ("failed:wamid.in1:0:0", "message_failed", "event"),  # said about a failure
        ("failed:wamid.in1:0:0", None, "event"),
    ],
)
def test_the_bot_hears_of_a_failure_where_it_asked_for_it_and_never_in_circles(
    key: str, intent: str | None, way: str
) -> None:
    event = DeliveryFailed(failure_key(key), "15550002222", 131026, "gone")

    assert handling_of_failure(event, intent) is Handling(way)


def test_what_failed_and_why_is_told_in_the_same_words_either_way() -> None:
    facts = {
        "type": "delivery_failed",
        "id": "failed:wamid.in1:0",
        "title": "Message undeliverable",
        "code": 131026,
        "reason": "131026 Message undeliverable: Message Undeliverable.",
        "response": "utter_menu",
    }

    assert failure_event(FAILED).metadata == {"whatsapp": facts}
    assert failure_turn(FAILED, "message_failed").metadata == {"whatsapp": facts}


@pytest.mark.parametrize(
    ("words", "more", "fewer"),
    [
        ({}, (), ("whatsapp_reaction",)),
        ({"reaction": "turn"}, (), ()),
        ({"payment": "event"}, (), ("whatsapp_reaction", "whatsapp_payment")),
        ({"sticker": "event"}, (), ("whatsapp_reaction", "whatsapp_sticker")),
        ({"image": "/upload{...}"}, ("upload",), ("whatsapp_reaction", "whatsapp_image")),
        ({"image": "[picture]"}, (), ("whatsapp_reaction", "whatsapp_image")),
        ({"revoke": "turn"}, (), ("whatsapp_reaction",)),
    ],
)
def test_which_intents_come_without_a_word(
    words: Mapping[str, str], more: tuple[str, ...], fewer: tuple[str, ...]
) -> None:
    assert set(wordless_intents(words)) == {*INTENTS, *more} - {*fewer, "whatsapp_call"}
    assert set(wordless_intents(words, "message_failed")) - set(wordless_intents(words)) == {
        "message_failed"
    }


def test_a_missed_call_comes_without_a_word_where_it_is_a_turn() -> None:
    assert set(wordless_intents({"call": "turn"})) - set(wordless_intents({})) == {"whatsapp_call"}


@pytest.mark.parametrize("kind", ["payment", "call"])
def test_a_message_of_a_type_of_that_name_is_a_turn_like_any_unknown_one(kind: str) -> None:
    event = InboundMessage("m1", kind, phone="15550002222", content={"a": 1})

    assert handling_of_message(event, {kind: "ignore"}) is Handling.TURN


def test_the_settings_take_ways_beside_texts() -> None:
    words = {"reaction": "event", "sticker": " ignore ", "image": "I sent you a picture"}
    block = {
        "phone_number_id": "106540352242922",
        "access_token": "a",
        "app_secret": "b",
        "verify_token": "c",
        "inbound": words,
    }

    settings = Settings.from_credentials(block, environ={})

    assert settings.inbound == {**words, "sticker": "ignore"}
