"""What Rasa hears of each thing a person can send."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import samples

from rasa_whatsapp_channel.conversation.identity import sender_of
from rasa_whatsapp_channel.inbound.intents import INTENTS, keep_entities
from rasa_whatsapp_channel.inbound.metadata import media_of, quoted_id
from rasa_whatsapp_channel.inbound.turn import (
    Turn,
    tapped_id,
    to_turn,
    written,
)
from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile
from rasa_whatsapp_channel.whatsapp.events import InboundMessage
from rasa_whatsapp_channel.whatsapp.webhook import read

PHONE = "15550002222"
USER_ID = "US.13491208655302741918"
NUMBER = "106540352242922"
URL = (
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/"
    "?mid=1003383421387256&source=webhook&ext=1757000300&hash=ARu"
)
FILE = {"sha256": "SfInY0gGUI1c0kB2lBqoXKXjgFLhjDW6OHTyEHZ9GUI=", "id": "1003383421387256"}
KEPT = {
    "id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683",
    "sha256": "29ed500fa64eb55fc19dc4124acb300e5dcca0f822a301ae99944db3a0a2ab1b",
}
NOT_FETCHED = {"path": None, "size": None}
SENT = {"id": "wamid.HBgLsent", "from": "15550001111"}
ASKED = {"id": "gBGGFlA5FpafAgkOuJbRq54qwbM", "from": "15550001111"}

Expected = tuple[str, dict[str, Any]]


def cloud(text: str, kind: str, part: Any, **changes: Any) -> Expected:
    facts = {
        "type": kind,
        "timestamp": 1757000000,
        "from": PHONE,
        "user_id": USER_ID,
        "profile_name": "Ines Castro",
        "phone_number_id": NUMBER,
        "context": None,
        "referral": None,
        kind: part,
    }
    return text, {**facts, **changes}


def flat(text: str, kind: str, part: Any, **changes: Any) -> Expected:
    return cloud(
        text,
        kind,
        part,
        **{"timestamp": 1657000000, "user_id": None, "phone_number_id": None, **changes},
    )


def said(body: str, **changes: Any) -> Expected:
    return cloud(body, "text", {"body": body}, **changes)


# The text is written as Rasa gets it, the metadata without the id, which is the sample's name.
CLOUD: dict[str, Expected] = {
    "text": said("Do you have a room with a view? 🌊"),
    "text_command": cloud("restart", "text", {"body": " /restart"}),
    "text_empty": cloud('/whatsapp_unsupported{"type": "text"}', "text", {"body": ""}),
    "text_reply": said("Yes, that one", context=SENT),
    "text_forwarded": said("Look at this", context={"forwarded": True}),
    "text_forwarded_often": said("Everybody sends this", context={"frequently_forwarded": True}),
    "text_about_product": said(
        "Is this still there?",
        context={
            **SENT,
            "referred_product": {
                "catalog_id": "194836987003835",
                "product_retailer_id": "di9ozbzfi4",
            },
        },
    ),
    "text_from_ad": said(
        "Tell me more",
        referral={
            "source_url": "https://fb.me/3cr4Wqqkv",
            "source_id": "120226305854810726",
            "source_type": "ad",
            "body": "A week at the lake",
            "headline": "Lakeside",
            "media_type": "image",
            "image_url": "https://scontent.example/ad.jpg",
            "ctwa_clid": (
                "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchpti"
                "ErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50"
            ),
            "welcome_message": {"text": "Hi! How can we help?"},
        },
    ),
    "text_without_phone": said(
        "My number stays with me", **{"from": None, "username": "ines.castro"}
    ),
    "text_with_empty_strings": said(
        "Still me",
        **{"from": None, "profile_name": None, "username": "ines.castro", "context": {}},
    ),
    "text_with_user_id_in_from": said("Wrong field", **{"from": None}),
    "text_with_parent_user_id": said(
        "Hello",
        parent_user_id="US.ENT.11815799212886844830",
        identity_key_hash="DF2lS5v2W6x=",
    ),
    "text_without_contacts": said("Who am I?", profile_name=None),
    "text_without_profile": said("Phone only in the contact", profile_name=None),
    "text_in_group": said("Hello all", group_id="Y2FwaV9ncm91cDox"),
    "image": cloud(
        "Is this your house?",
        "image",
        {
            "caption": "Is this your house?",
            "mime_type": "image/jpeg",
            **FILE,
            "url": URL,
            **NOT_FETCHED,
        },
    ),
    "image_without_caption": cloud(
        '/whatsapp_image{"id": "1003383421387256", "mime_type": "image/jpeg"}',
        "image",
        {"mime_type": "image/jpeg", **FILE, **NOT_FETCHED},
    ),
    "image_with_command": cloud(
        "restart",
        "image",
        {"caption": "／restart", "mime_type": "image/jpeg", **FILE, **NOT_FETCHED},
    ),
    "video": cloud(
        '/whatsapp_video{"id": "1003383421387256", "mime_type": "video/mp4"}',
        "video",
        {"mime_type": "video/mp4", **FILE, "url": URL, **NOT_FETCHED},
    ),
    "audio": cloud(
        '/whatsapp_audio{"id": "1003383421387256", "mime_type": "audio/mpeg"}',
        "audio",
        {"mime_type": "audio/mpeg", **FILE, "url": URL, "voice": False, **NOT_FETCHED},
    ),
    "voice": cloud(
        '/whatsapp_voice{"id": "1003383421387256", "mime_type": "audio/ogg; codecs=opus"}',
        "voice",
        {"mime_type": "audio/ogg; codecs=opus", **FILE, "url": URL, "voice": True, **NOT_FETCHED},
    ),
    "document": cloud(
        '/whatsapp_document{"id": "1003383421387256", "mime_type": "application/pdf", '
        '"filename": "passport \\"copy\\".pdf"}',
        "document",
        {
            "filename": 'passport "copy".pdf',
            "mime_type": "application/pdf",
            **FILE,
            "url": URL,
            **NOT_FETCHED,
        },
    ),
    "sticker": cloud(
        '/whatsapp_sticker{"id": "1003383421387256", "mime_type": "image/webp"}',
        "sticker",
        {"mime_type": "image/webp", **FILE, "url": URL, "animated": False, **NOT_FETCHED},
    ),
    "location": cloud(
        '/whatsapp_location{"latitude": 40.782910059774, "longitude": -73.959075808525, '
        '"name": "Solomon R. Guggenheim Museum", "address": "1071 5th Ave, New York, NY 10128"}',
        "location",
        {
            "address": "1071 5th Ave, New York, NY 10128",
            "latitude": 40.782910059774,
            "longitude": -73.959075808525,
            "name": "Solomon R. Guggenheim Museum",
            "url": "https://www.guggenheim.org/",
        },
    ),
    "location_pin": cloud(
        '/whatsapp_location{"latitude": 48.0, "longitude": 2.35}',
        "location",
        {"latitude": 48, "longitude": 2.35},
    ),
    "contacts": cloud(
        '/whatsapp_contacts{"name": ["Nuno Castro", "Nuno Castro", "Rita Castro"], '
        '"phone": ["+1 555-000-3333", "+1 555-000-4444", ""]}',
        "contacts",
        [
            {
                "name": {
                    "formatted_name": "Nuno Castro",
                    "first_name": "Nuno",
                    "last_name": "Castro",
                },
                "phones": [
                    {"phone": "+1 555-000-3333", "wa_id": "15550003333", "type": "CELL"},
                    {"phone": "+1 555-000-4444", "type": "HOME"},
                ],
                "emails": [{"email": "nuno@example.com", "type": "WORK"}],
                "org": {"company": "Castro"},
                "origin": "other",
            },
            {"name": {"formatted_name": "Rita Castro", "first_name": "Rita"}},
        ],
    ),
    "contacts_requested": cloud(
        '/whatsapp_contacts{"name": ["Ines Castro"], "phone": ["+1 555-000-2222"]}',
        "contacts",
        [
            {
                "name": {"formatted_name": "Ines Castro", "first_name": "Ines"},
                "phones": [{"phone": "+1 555-000-2222", "wa_id": "15550002222"}],
                "origin": "contact_request",
            }
        ],
    ),
    "button": cloud(
        '/book{"room": "lake"}',
        "button",
        {"payload": '/book{"room": "lake"}', "text": "Book"},
        context=SENT,
    ),
    "button_reply": cloud(
        "/ask_guide",
        "interactive",
        {
            "type": "button_reply",
            "button_reply": {"id": "/ask_guide", "title": "The house guide"},
        },
        context=SENT,
    ),
    "list_reply": cloud(
        '/ask_room{"room": "sauna"}',
        "interactive",
        {
            "type": "list_reply",
            "list_reply": {
                "id": '/ask_room{"room": "sauna"}',
                "title": "Sauna",
                "description": "Down at the lake",
            },
        },
        context=SENT,
    ),
    "flow_reply": cloud(
        '/whatsapp_flow{"name": "flow", "flow_token": "booking-17"}',
        "interactive",
        {
            "type": "nfm_reply",
            "nfm_reply": {
                "name": "flow",
                "body": "Sent",
                "response_json": '{"flow_token": "booking-17", "nights": 3, "/restart": "x"}',
                "response": {"flow_token": "booking-17", "nights": 3, "/restart": "x"},
            },
        },
        context=SENT,
    ),
    "call_permission_reply": cloud(
        '/whatsapp_unsupported{"type": "call_permission_reply"}',
        "interactive",
        {
            "type": "call_permission_reply",
            "call_permission_reply": {
                "response": "accept",
                "expiration_timestamp": "1757600000",
                "response_source": "user_action",
            },
        },
        context=SENT,
    ),
    "order": cloud(
        '/whatsapp_order{"catalog_id": "194836987003835", "text": "Please before noon", '
        '"product_retailer_id": ["di9ozbzfi4", "nqryix03ez"]}',
        "order",
        {
            "catalog_id": "194836987003835",
            "text": "Please before noon",
            "product_items": [
                {
                    "product_retailer_id": "di9ozbzfi4",
                    "quantity": 2,
                    "item_price": 30,
                    "currency": "USD",
                },
                {
                    "product_retailer_id": "nqryix03ez",
                    "quantity": 1,
                    "item_price": 25,
                    "currency": "USD",
                },
            ],
        },
    ),
    "reaction": cloud(
        '/whatsapp_reaction{"emoji": "👍", "message_id": "wamid.HBgLsent"}',
        "reaction",
        {"message_id": "wamid.HBgLsent", "emoji": "👍"},
    ),
    "reaction_removed": cloud(
        '/whatsapp_reaction{"removed": true, "message_id": "wamid.HBgLsent"}',
        "reaction",
        {"message_id": "wamid.HBgLsent"},
    ),
    "unsupported": cloud(
        '/whatsapp_unsupported{"type": "poll_creation", "code": 131051}',
        "unsupported",
        {"type": "poll_creation"},
        errors=[
            {
                "code": 131051,
                "title": "Message type unknown",
                "details": "Message type is currently not supported.",
            }
        ],
    ),
    "unsupported_unavailable": cloud(
        '/whatsapp_unsupported{"type": "unsupported", "code": 131060}',
        "unsupported",
        {},
        errors=[
            {
                "code": 131060,
                "title": "This message is currently unavailable.",
                "details": "Ask the sender to send it again.",
            }
        ],
    ),
    "edit": cloud(
        '/whatsapp_unsupported{"type": "edit"}',
        "edit",
        {
            "original_message_id": "wamid.text",
            "message": {"type": "text", "text": {"body": "With a view of the lake"}},
        },
    ),
    "revoke": cloud(
        '/whatsapp_unsupported{"type": "revoke"}',
        "revoke",
        {"original_message_id": "wamid.text"},
    ),
    "unknown_type": cloud(
        '/whatsapp_unsupported{"type": "hologram"}',
        "hologram",
        {"id": "77", "depth": 3},
        extra={"new_key": {"a": 1}},
    ),
    "message_without_its_part": cloud(
        "/whatsapp_image",
        "image",
        {**NOT_FETCHED, "problem": "WhatsApp did not hand over the file"},
    ),
}

ON_PREMISES: dict[str, Expected] = {
    "text": flat("Hello there", "text", {"body": "Hello there"}),
    "text_reply": flat(
        "Yes",
        "text",
        {"body": "Yes"},
        context=ASKED,
        identity={
            "acknowledged": True,
            "created_timestamp": 1602532300000,
            "hash": "Sjvjlx8G6Z0=",
        },
    ),
    "text_from_ad": flat(
        "Tell me more",
        "text",
        {"body": "Tell me more"},
        referral={
            "headline": "Lakeside",
            "body": "A week at the lake",
            "source_type": "ad",
            "source_id": "120226305854810726",
            "source_url": "https://fb.me/3cr4Wqqkv",
            "image": {"id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683"},
        },
    ),
    "image": flat(
        "Is this your house?",
        "image",
        {
            **KEPT,
            "mime_type": "image/jpeg",
            "caption": "Is this your house?",
            "file": "/usr/local/wamedia/shared/b1cf38",
            **NOT_FETCHED,
        },
        profile_name=None,
    ),
    "audio": flat(
        '/whatsapp_audio{"id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683", "mime_type": "audio/mpeg", '
        '"filename": "song.mp3"}',
        "audio",
        {**KEPT, "mime_type": "audio/mpeg", "filename": "song.mp3", **NOT_FETCHED},
        profile_name=None,
    ),
    "voice": flat(
        '/whatsapp_voice{"id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683", '
        '"mime_type": "audio/ogg; codecs=opus"}',
        "voice",
        {**KEPT, "mime_type": "audio/ogg; codecs=opus", **NOT_FETCHED},
        profile_name=None,
    ),
    "video": flat(
        '/whatsapp_video{"id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683", "mime_type": "video/mp4"}',
        "video",
        {**KEPT, "mime_type": "video/mp4", **NOT_FETCHED},
        profile_name=None,
    ),
    "document": flat(
        "My bill",
        "document",
        {
            **KEPT,
            "mime_type": "application/pdf",
            "filename": "bill.pdf",
            "caption": "My bill",
            **NOT_FETCHED,
        },
        profile_name=None,
    ),
    "document_undownloaded": flat(
        "/whatsapp_document",
        "document",
        {
            "status": "undownloaded",
            "mime_type": "application/pdf",
            "filename": "bill.pdf",
            **NOT_FETCHED,
            "problem": "WhatsApp did not hand over the file",
        },
        profile_name=None,
    ),
    "sticker": flat(
        '/whatsapp_sticker{"id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683", "mime_type": "image/webp"}',
        "sticker",
        {
            **KEPT,
            "mime_type": "image/webp",
            "metadata": {
                "sticker-pack-id": "463343d6",
                "sticker-pack-name": "Lake",
                "sticker-pack-publisher": "Castro",
                "emojis": ["🐥"],
                "is-first-party-sticker": 0,
            },
            **NOT_FETCHED,
        },
        profile_name=None,
    ),
    "location": flat(
        '/whatsapp_location{"latitude": 38.9806263495, "longitude": -131.9428612257, '
        '"name": "Main Street Beach", "address": "Main Street Beach, CA"}',
        "location",
        {
            "latitude": 38.9806263495,
            "longitude": -131.9428612257,
            "name": "Main Street Beach",
            "address": "Main Street Beach, CA",
            "url": "https://foursquare.com/v/4d7031d35b5df7744",
        },
    ),
    "contacts": flat(
        '/whatsapp_contacts{"name": ["Nuno Castro"], "phone": ["+1 (555) 000-3333"]}',
        "contacts",
        [
            {
                "name": {"formatted_name": "Nuno Castro", "first_name": "Nuno"},
                "phones": [{"phone": "+1 (555) 000-3333", "type": "WORK", "wa_id": "15550003333"}],
                "ims": [],
            }
        ],
    ),
    "button": flat(
        "/no", "button", {"payload": "/no", "text": "No"}, context=ASKED, profile_name=None
    ),
    "button_reply": flat(
        "/ask_guide",
        "interactive",
        {
            "type": "button_reply",
            "button_reply": {"id": "/ask_guide", "title": "The house guide"},
        },
        context=ASKED,
    ),
    "list_reply": flat(
        "/ask_house",
        "interactive",
        {
            "type": "list_reply",
            "list_reply": {"id": "/ask_house", "title": "The house", "description": "All rooms"},
        },
        context=ASKED,
    ),
    "flow_reply": flat(
        '/whatsapp_flow{"name": "address_message"}',
        "interactive",
        {
            "type": "nfm_reply",
            "nfm_reply": {
                "name": "address_message",
                "body": "CASTRO",
                "response_json": "this is no JSON",
                "response": None,
            },
        },
        context=ASKED,
    ),
    "order": flat(
        '/whatsapp_order{"catalog_id": "194836987003835", "product_retailer_id": ["di9ozbzfi4"]}',
        "order",
        {
            "catalog_id": "194836987003835",
            "product_items": [
                {
                    "product_retailer_id": "di9ozbzfi4",
                    "quantity": 1,
                    "item_price": 30.5,
                    "currency": "USD",
                }
            ],
        },
    ),
    "unknown": flat(
        '/whatsapp_unsupported{"type": "unsupported", "code": 501}',
        "unsupported",
        {},
        errors=[
            {
                "code": 501,
                "title": "Unknown message type",
                "details": "Message type is not currently supported",
            }
        ],
    ),
    "ephemeral": flat(
        '/whatsapp_unsupported{"type": "ephemeral", "code": 501}',
        "ephemeral",
        {},
        profile_name=None,
        errors=[
            {
                "code": 501,
                "title": "Unsupported message type",
                "details": "Disappearing messages are not supported",
            }
        ],
    ),
}

TURN: dict[str, Expected] = {
    "text": flat(
        "Hello there",
        "text",
        {"body": "Hello there"},
        user_id=USER_ID,
        extra={"_vnd": {"v1": {"direction": "inbound", "in_reply_to": None}}},
    ),
    "text_without_phone": flat(
        "No number", "text", {"body": "No number"}, **{"from": None, "user_id": USER_ID}
    ),
    "text_with_user_id_in_from": flat(
        "Wrong field",
        "text",
        {"body": "Wrong field"},
        **{"from": None, "user_id": USER_ID, "profile_name": None},
    ),
    "voice": flat(
        '/whatsapp_voice{"id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68", '
        '"mime_type": "audio/ogg; codecs=opus"}',
        "voice",
        {
            "id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68",
            "mime_type": "audio/ogg; codecs=opus",
            "sha256": "29ed500fa64eb55fc19dc4124acb300e5dcca0f822a301ae99944db3a0a2ab1b",
            **NOT_FETCHED,
        },
        user_id=USER_ID,
    ),
    "reaction": flat(
        '/whatsapp_reaction{"emoji": "❤️", "message_id": "gBEGsent"}',
        "reaction",
        {"message_id": "gBEGsent", "emoji": "❤️"},
        user_id=USER_ID,
    ),
    "unsupported": flat(
        '/whatsapp_unsupported{"type": "unsupported", "code": 131051}',
        "unsupported",
        {},
        user_id=USER_ID,
        errors=[
            {
                "code": 131051,
                "title": "Message type is not currently supported",
                "details": "Message type is not currently supported",
            }
        ],
    ),
}

DIALOG360: dict[str, Expected] = {
    "text": said("Hello there", user_id=None),
    "image": cloud(
        "Is this your house?",
        "image",
        {"caption": "Is this your house?", "mime_type": "image/jpeg", **FILE, **NOT_FETCHED},
        user_id=None,
    ),
}

EXPECTED: dict[str, Expected] = {
    **{f"cloud/{name}": turn for name, turn in CLOUD.items()},
    **{f"on_premises/{name}": turn for name, turn in ON_PREMISES.items()},
    **{f"turn/{name}": turn for name, turn in TURN.items()},
    **{f"360dialog/{name}": turn for name, turn in DIALOG360.items()},
}
SILENT = ["cloud/system_changed_number", "cloud/system_changed_user_id", "on_premises/system"]
# Their messages are texts like others; the events in them are tested one by one elsewhere.
SEVERAL = ["cloud/batch", "cloud/broken_parts", "on_premises/batch"]


def message_of(name: str) -> InboundMessage:
    (event,) = read(samples.webhook(name))
    assert isinstance(event, InboundMessage)
    return event


def typed(body: str) -> InboundMessage:
    return InboundMessage(id="m1", type="text", phone=PHONE, content={"body": body})


def heard(event: InboundMessage, **options: Any) -> str:
    turn = to_turn(event, **options)
    assert turn is not None
    return turn.text


def test_every_message_among_the_samples_has_its_turn_written_down() -> None:
    with_messages = [
        name
        for name in samples.names()
        if any(isinstance(event, InboundMessage) for event in read(samples.webhook(name)))
    ]

    assert with_messages == sorted([*EXPECTED, *SILENT, *SEVERAL])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_message_is_heard_exactly_like_this(name: str) -> None:
    text, facts = EXPECTED[name]
    event = message_of(name)

    title = {"button_title": written(event)} if tapped_id(event) else {}

    assert to_turn(event, payload=tapped_id(event)) == Turn(
        text=text,
        sender_id=facts.get("group_id") or facts["from"] or facts["user_id"],
        message_id=event.id,
        metadata={"whatsapp": {"id": event.id, **facts}, **title},
    )
    assert event.id == ("wamid." if facts["phone_number_id"] else "ABGG") + name.partition("/")[2]


@pytest.mark.parametrize("name", SILENT)
def test_a_changed_number_is_nothing_that_somebody_said(name: str) -> None:
    assert to_turn(message_of(name)) is None


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_metadata_can_be_stored_with_the_tracker(name: str) -> None:
    turn = to_turn(message_of(name))

    assert turn is not None
    assert json.loads(json.dumps(turn.metadata)) == turn.metadata


# files


def test_a_fetched_file_is_named_in_the_entities_and_in_the_metadata() -> None:
    file = StoredFile("/media/1003383421387256.mp4", 2048, "video/mp4", "ab" * 32)

    turn = to_turn(message_of("cloud/video"), file=file)

    assert turn is not None
    assert turn.text == (
        '/whatsapp_video{"id": "1003383421387256", "mime_type": "video/mp4", '
        '"path": "/media/1003383421387256.mp4"}'
    )
    assert turn.metadata["whatsapp"]["video"] == {
        "mime_type": "video/mp4",
        **FILE,
        "url": URL,
        "path": "/media/1003383421387256.mp4",
        "size": 2048,
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('/whatsapp_image{"id": "1", "path": "a.jpg"}', '/whatsapp_image{"path": "a.jpg"}'),
        ('/whatsapp_location{"latitude": 1.5}', "/whatsapp_location"),
        ("/whatsapp_image", "/whatsapp_image"),
        ('/book{"id": "1"}', '/book{"id": "1"}'),  # the author's own
        ("/whatsapp_image{what}", "/whatsapp_image{what}"),
        ("hi {id}", "hi {id}"),
    ],
)
def test_of_an_intent_without_words_only_what_the_domain_lists_is_an_entity(text, kept) -> None:
    assert keep_entities(text, {"path"}) == kept


def test_the_file_of_a_message_is_what_the_downloader_needs() -> None:
    assert media_of(message_of("cloud/document")) == InboundMedia(
        kind="document",
        id="1003383421387256",
        url=URL,
        mime_type="application/pdf",
        sha256="SfInY0gGUI1c0kB2lBqoXKXjgFLhjDW6OHTyEHZ9GUI=",
        filename='passport "copy".pdf',
    )


@pytest.mark.parametrize(
    "name",
    ["cloud/text", "cloud/unknown_type", "cloud/contacts", "on_premises/document_undownloaded"],
)
def test_a_message_without_a_file_has_none_to_fetch(name: str) -> None:
    assert media_of(message_of(name)) is None


# who speaks


@pytest.mark.parametrize(
    ("ids", "by_phone", "by_user_id"),
    [
        ({"phone": PHONE, "user_id": USER_ID}, PHONE, USER_ID),
        ({"phone": PHONE}, PHONE, PHONE),
        ({"user_id": USER_ID}, USER_ID, USER_ID),
        ({"phone": PHONE, "user_id": USER_ID, "group_id": "g"}, "g", "g"),
        ({"group_id": "g"}, "g", "g"),
        ({}, "m1", "m1"),
    ],
)
def test_the_sender_is_who_the_setting_prefers(
    ids: dict[str, str], by_phone: str, by_user_id: str
) -> None:
    event = InboundMessage(id="m1", type="text", content={"body": "hi"}, **ids)

    assert sender_of(event) == by_phone
    assert sender_of(event, "user_id") == by_user_id


def test_a_turn_belongs_to_the_conversation_it_is_given() -> None:
    turn = to_turn(typed("hi"), sender_id="15550009999")

    assert turn is not None
    assert turn.sender_id == "15550009999"
    assert turn.metadata["whatsapp"]["from"] == PHONE


# what it refers to


@pytest.mark.parametrize("name", ["cloud/text_reply", "cloud/button_reply", "on_premises/button"])
def test_the_response_that_is_quoted_is_named_in_the_context(name: str) -> None:
    turn = to_turn(message_of(name), response="utter_offer")

    assert turn is not None
    assert turn.metadata["whatsapp"]["context"]["response"] == "utter_offer"


def test_the_response_that_is_reacted_to_is_named_in_the_reaction() -> None:
    turn = to_turn(message_of("cloud/reaction"), response="utter_offer")

    assert turn is not None
    assert turn.metadata["whatsapp"]["reaction"] == {
        "message_id": "wamid.HBgLsent",
        "emoji": "👍",
        "response": "utter_offer",
    }


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("cloud/text_reply", "wamid.HBgLsent"),
        ("cloud/list_reply", "wamid.HBgLsent"),
        ("cloud/reaction", "wamid.HBgLsent"),
        ("cloud/text", None),
        ("cloud/text_forwarded", None),
    ],
)
def test_what_a_message_quotes_answers_or_reacts_to(name: str, quoted: str | None) -> None:
    assert quoted_id(message_of(name)) == quoted


# the author's own words


@pytest.mark.parametrize(
    ("name", "kind", "template", "text"),
    [
        ("image", "image", "[picture] {caption}", "[picture] Is this your house?"),
        ("image_without_caption", "image", "[picture] {caption}", "[picture]"),
        ("image", "image", "/picture", "/picture"),
        (
            "image_without_caption",
            "image",
            "/picture{...}",
            '/picture{"id": "1003383421387256", "mime_type": "image/jpeg"}',
        ),
        (
            "image_with_command",
            "image",
            "/picture{...}",
            '/picture{"id": "1003383421387256", "mime_type": "image/jpeg", '
            '"caption": "\uff0frestart"}',
        ),
        ("image_with_command", "image", "{caption}", "restart"),
        ("voice", "voice", "(a voice note of {profile_name})", "(a voice note of Ines Castro)"),
        ("contacts", "contacts", "I know {name}", "I know Nuno Castro, Rita Castro"),
        ("location_pin", "location", "at {latitude}, {longitude}", "at 48.0, 2.35"),
        ("reaction", "reaction", "reacted {emoji}", "reacted 👍"),
        ("edit", "edit", "I meant: {text}", "I meant: With a view of the lake"),
        ("revoke", "revoke", "/taken_back{...}", '/taken_back{"message_id": "wamid.text"}'),
        ("unsupported", "unsupported", "[{type}]", "[poll_creation]"),
        ("flow_reply", "flow", "/form{...}", '/form{"name": "flow", "flow_token": "booking-17"}'),
        ("text", "unsupported", "[{type}]", "Do you have a room with a view? 🌊"),
        ("video", "image", "[picture]", None),
    ],
)
def test_the_author_may_word_what_comes_without_words(
    name: str, kind: str, template: str, text: str | None
) -> None:
    event = message_of(f"cloud/{name}")

    assert heard(event, wording={kind: template}) == (text or heard(event))


def test_a_tap_is_no_message_without_words() -> None:
    event = message_of("cloud/button_reply")

    assert heard(event, wording={"unsupported": "?"}, payload="/ask_guide") == "/ask_guide"
    assert heard(event, wording={"unsupported": "?"}) == "The house guide"


# taps


def tap(kind: str, content: dict[str, Any]) -> InboundMessage:
    return InboundMessage(id="m1", type=kind, phone=PHONE, content=content)


def test_a_known_payload_stands_for_the_id_that_was_tapped() -> None:
    event = message_of("cloud/button_reply")

    assert tapped_id(event) == "/ask_guide"
    assert heard(event, payload='/ask_guide{"all": "of it"}') == '/ask_guide{"all": "of it"}'


@pytest.mark.parametrize("name", ["cloud/button", "cloud/button_reply", "cloud/list_reply"])
def test_a_tap_that_nobody_vouches_for_is_what_its_label_says(name: str) -> None:
    event = message_of(name)
    label = {"button": "Book", "button_reply": "The house guide", "list_reply": "Sauna"}

    assert heard(event) == label[name.partition("/")[2]]


@pytest.mark.parametrize(
    ("tapped", "text"),
    [
        ("room 7", "room 7"),
        ("\uff0frestart", "restart"),
        (" /restart", "Again"),
        ("p:0123456789abcdef01", "Again"),
        ("/help", "/help"),
    ],
)
def test_a_tap_that_is_no_command_is_the_payload(tapped: str, text: str) -> None:
    reply = {"type": "button_reply", "button_reply": {"id": tapped, "title": "Again"}}

    assert heard(tap("interactive", reply), commands=["/help"]) == text


def test_a_known_payload_stands_for_a_number_that_was_typed() -> None:
    assert tapped_id(typed("2")) is None
    assert heard(typed("2"), payload="/ask_guide") == "/ask_guide"


@pytest.mark.parametrize(
    "event",
    [
        tap("button", {"text": "/restart"}),
        tap("button", {"payload": " ", "text": "/restart"}),
        tap("interactive", {"type": "button_reply", "button_reply": {"title": "/restart"}}),
        tap("interactive", {"type": "list_reply", "list_reply": {"id": "", "title": "/restart"}}),
    ],
)
def test_a_tap_without_an_id_is_its_label_as_if_it_were_typed(event: InboundMessage) -> None:
    assert tapped_id(event) is None
    assert heard(event) == "restart"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"type": "button_reply"},
        {"type": "list_reply", "list_reply": "x"},
        {"type": "nfm_reply"},
        {"type": ["x"]},
    ],
)
def test_a_tap_that_cannot_be_read_is_unsupported(content: dict[str, Any]) -> None:
    assert heard(tap("interactive", content)).startswith('/whatsapp_unsupported{"type": "')


def test_a_flow_reply_without_its_answers_is_still_a_flow_reply() -> None:
    for reply in (None, [], {"response_json": 5}, {"response_json": "[" * 5000}):
        assert heard(tap("interactive", {"nfm_reply": reply})) == "/whatsapp_flow"


def test_a_filled_in_form_is_a_line_of_words_for_a_model() -> None:
    """With several ticks, an opt-in, a photo, a range of days, and a field left empty."""
    answers = {
        "flow_token": "unused",
        "extras": ["breakfast", "sauna"],
        "newsletter": False,
        "terms": True,
        "nights": 3,
        "photos": [{"id": 790, "mime_type": "image/jpeg", "sha256": "x", "file_name": "IMG_1.jpg"}],
        "stay": {"start-date": "2026-12-01", "end-date": "2026-12-04"},
        "note": "",
        "other": None,
        "none": [],
    }
    event = tap("interactive", {"nfm_reply": {"response_json": json.dumps(answers)}})
    turn = to_turn(event, readable=True)

    assert turn is not None
    assert turn.text == (
        "[flow: extras: breakfast and sauna, newsletter: no, terms: yes, nights: 3, "
        "photos: IMG_1.jpg, stay: start-date: 2026-12-01, end-date: 2026-12-04]"
    )


# what somebody typed


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("hello", "hello"),
        ("  hello ", "  hello "),
        ("and/or", "and/or"),
        ("\u200dhello", "\u200dhello"),
        ("/restart", "restart"),
        ("   /restart", "restart"),
        ("\u00a0/restart", "restart"),
        ("\t\r\n/restart", "restart"),
        ("\x1c/restart", "restart"),
        ("//restart", "restart"),
        ("/ / restart", "restart"),
        ("/ restart", "restart"),
        ("\uff0frestart", "restart"),
        ("\u2044restart", "restart"),
        ("\u200b/restart", "restart"),
        ("\ufeff/\u2060/restart", "restart"),
        ("\u202e/restart", "restart"),
        ("\u3164/restart", "restart"),
        ("\u2800/restart", "restart"),
        ("/\ufe0frestart", "restart"),
        ('/greet{"name": "x"}', 'greet{"name": "x"}'),
        ("/SetSlots(admin=true)", "SetSlots(admin=true)"),
        ("hi\n/restart", "hi\n/restart"),
        ("/home/me is full", "home/me is full"),
    ],
)
def test_a_typed_slash_is_taken_away(body: str, text: str) -> None:
    assert heard(typed(body)) == text


@pytest.mark.parametrize("body", ["", "   ", "/", " // ", "\u200b", "\uff0f\u2800", "\n"])
def test_nothing_to_be_seen_is_unsupported(body: str) -> None:
    assert heard(typed(body)) == '/whatsapp_unsupported{"type": "text"}'


def test_a_caption_of_nothing_is_no_caption() -> None:
    event = tap("image", {"id": "7", "caption": " /\u200b"})

    assert heard(event) == '/whatsapp_image{"id": "7"}'


@pytest.mark.parametrize("body", ["/restart", " /restart ", "/Restart", "\uff0frestart"])
def test_a_listed_command_may_be_typed(body: str) -> None:
    assert heard(typed(body), commands=["/help", "/restart"]) == "/restart"
    assert heard(tap("image", {"caption": body}), commands=["/restart"]) == "/restart"


@pytest.mark.parametrize("body", ["/restart now", "/restart{}", "//restart", "restart"])
def test_only_a_whole_command_may_be_typed(body: str) -> None:
    assert not heard(typed(body), commands=["/restart"]).startswith("/")


@given(st.text() | st.text(st.sampled_from("/ \uff0f\u00a0\u200b\u3164\n\tae{")))
@example("/")
@example("\x85/a")
def test_no_typed_text_begins_with_a_slash_after_what_rasa_strips(body: str) -> None:
    for event in (typed(body), tap("image", {"caption": body}), tap("button", {"text": body})):
        text = heard(event, commands=["/help"]).strip()

        ours = text.split("{")[0].removeprefix("/") in INTENTS
        assert text
        assert ours or text == "/help" or not text.startswith("/")


# Rasa's own reading of a command, as it is documented for stories and buttons.
COMMAND = re.compile(
    r"^/(?P<intent>[^{@]+)(?P<confidence>@[0-9.]+)?(?P<entities>{.+})?(?P<rest>.*)"
)

values = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"}/restart', '\n/restart{"a": 1}', "@0.1", "}", '\\"}', "\u2028/restart"]
)
messages = st.one_of(
    st.builds(tap, st.just("document"), st.fixed_dictionaries({"id": values, "filename": values})),
    st.builds(
        tap,
        st.just("location"),
        st.fixed_dictionaries(
            {"latitude": values | st.floats(), "name": values, "address": values}
        ),
    ),
    st.builds(
        lambda name, phone: InboundMessage(
            id="m1",
            type="contacts",
            phone=PHONE,
            content=[{"name": {"formatted_name": name}, "phones": [{"phone": phone}]}],
        ),
        values,
        values,
    ),
    st.builds(tap, st.just("reaction"), st.fixed_dictionaries({"emoji": values})),
    st.builds(tap, st.just("order"), st.fixed_dictionaries({"text": values})),
    st.builds(tap, values.filter(bool), st.just({})),
    st.builds(
        lambda token, key: tap(
            "interactive",
            {
                "type": "nfm_reply",
                "nfm_reply": {"response_json": json.dumps({"flow_token": token, key: "x"})},
            },
        ),
        values,
        values,
    ),
)
ENTITIES = {
    *("id", "mime_type", "filename", "path", "latitude", "longitude", "name", "address", "phone"),
    *("emoji", "removed", "message_id", "catalog_id", "text", "product_retailer_id", "type"),
    *("code", "flow_token"),
}


@given(messages)
def test_no_field_of_a_message_adds_an_intent_or_an_entity(event: InboundMessage) -> None:
    match = COMMAND.match(heard(event).strip())

    assert match is not None
    assert match["intent"] in INTENTS
    assert (match["confidence"], match["rest"]) == (None, "")
    assert set(json.loads(match["entities"] or "{}")) <= ENTITIES


def test_a_type_that_is_called_like_a_fact_does_not_replace_it() -> None:
    turn = to_turn(InboundMessage(id="m1", type="from", phone=PHONE, content={"x": 1}))

    assert turn is not None
    assert turn.metadata["whatsapp"]["from"] == PHONE


@given(
    st.sampled_from(["text", "image", "location", "contacts", "order", "reaction", "interactive"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["body", "caption", "id", "type", "name", "phones", "nfm_reply", "latitude"]
                ),
                children,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
)
def test_no_content_of_a_message_raises(kind: str, content: Any) -> None:
    message = {"id": "m1", "from": PHONE, "type": kind, kind: content}
    (event,) = read(json.dumps({"messages": [message]}).encode())
    assert isinstance(event, InboundMessage)

    assert heard(event).strip()
