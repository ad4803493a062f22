"""What a bot hears whose engine lets a model read every text, such as Rasa Pro's Mantle."""

from __future__ import annotations

from typing import Any

import pytest
from support import samples
from support.desk import Desk

from rasa_whatsapp_channel.conversation.numbered_replies import Choice, NumberedReplies
from rasa_whatsapp_channel.inbound.conversation_events import tell
from rasa_whatsapp_channel.inbound.metadata import seed_of
from rasa_whatsapp_channel.inbound.turn import Turn, to_turn
from rasa_whatsapp_channel.media.values import Transcript
from rasa_whatsapp_channel.whatsapp.events import Call, InboundMessage
from rasa_whatsapp_channel.whatsapp.webhook import read

PHONE = "15550002222"


def message_of(name: str) -> InboundMessage:
    (message,) = (each for each in read(samples.webhook(name)) if isinstance(each, InboundMessage))
    return message


def heard(name: str, **options: Any) -> Turn:
    turn = to_turn(message_of(name), readable=True, **options)
    assert turn is not None
    return turn


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cloud/image", "[image: Is this your house?]"),
        ("cloud/image_without_caption", "[image]"),
        ("cloud/image_with_command", "[image: ／restart]"),
        ("cloud/document", '[document: passport "copy".pdf]'),
        ("on_premises/document", "[document: bill.pdf, My bill]"),
        ("cloud/voice", "[voice]"),
        ("cloud/sticker", "[sticker]"),
        ("cloud/location_pin", "[location: 48.0, 2.35]"),
        ("on_premises/contacts", "[contacts: Nuno Castro, +1 (555) 000-3333]"),
        ("cloud/order", "[order: Please before noon, di9ozbzfi4, nqryix03ez]"),
        ("cloud/flow_reply", "[flow: nights: 3, /restart: x]"),
        ("cloud/unknown_type", "[unsupported: hologram]"),
        ("cloud/text", "Do you have a room with a view? 🌊"),
        ("cloud/list_reply", "Sauna"),
        ("cloud/button", "Book"),
    ],
)
def test_what_has_no_words_is_a_line_that_a_model_can_read(name: str, text: str) -> None:
    assert heard(name).text == text


def test_a_voice_note_with_a_transcript_is_what_it_says() -> None:
    said = Transcript("A room for two, please")

    assert heard("cloud/voice", transcript=said).text == "A room for two, please"


def test_a_text_of_the_author_goes_before_the_line() -> None:
    wording = {"image": "I sent a picture: {caption}", "flow": "My answers: {answers}"}

    assert heard("cloud/image", wording=wording).text == "I sent a picture: Is this your house?"
    assert heard("cloud/flow_reply", wording=wording).text == "My answers: nights: 3, /restart: x"
    assert heard("cloud/sticker", wording=wording).text == "[sticker]"


def test_a_missed_call_is_a_line_too() -> None:
    call = Call("wacid.1", "terminate", phone=PHONE, profile_name="Ines")

    told = tell(call, PHONE, {"call": "turn"}, readable=True)

    assert isinstance(told, Turn)
    assert told.text == "[call]"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cloud/button_reply", "The house guide"),
        ("cloud/list_reply", "Sauna"),
        ("cloud/button", "Book"),
        ("on_premises/list_reply", "The house"),
        ("cloud/text", None),
        ("cloud/image", None),
        ("cloud/flow_reply", None),
    ],
)
def test_a_tap_has_the_title_of_what_was_tapped(name: str, title: str | None) -> None:
    assert heard(name, payload="set:session.stay.room=1").metadata.get("button_title") == title


async def test_a_typed_number_has_the_title_of_its_option(store, clock) -> None:
    desk = Desk(store, clock)
    choices = {"1": Choice("set:session.stay.room=1", "With a view")}
    await NumberedReplies(store.values).offer(PHONE, "wamid.0", choices)

    await desk.says("1")
    await desk.run()

    (turn,) = desk.heard
    assert (turn.text, turn.metadata["button_title"]) == ("set:session.stay.room=1", "With a view")


def test_memory_can_be_seeded_by_flat_names() -> None:
    assert seed_of(heard("cloud/text").metadata["whatsapp"]) == {
        "phone": PHONE,
        "profile_name": "Ines Castro",
        "user_id": "US.13491208655302741918",
        "phone_number_id": "106540352242922",
    }
    advert = seed_of(heard("cloud/text_from_ad").metadata["whatsapp"])
    referral = message_of("cloud/text_from_ad").referral
    assert referral is not None
    assert (advert["ad"], advert["ad_headline"]) == (referral["source_id"], referral["headline"])
