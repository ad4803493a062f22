"""Each webhook that WhatsApp documents becomes exactly these events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import samples

from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent, Condition
from rasa_whatsapp_channel.whatsapp.envelopes import EVENTS, read_events
from rasa_whatsapp_channel.whatsapp.errors import PlatformError
from rasa_whatsapp_channel.whatsapp.events import (
    Call,
    Context,
    Event,
    Handover,
    InboundMessage,
    Overheard,
    PlatformNotice,
    Preference,
    Status,
    Unknown,
    UserIdChanged,
    from_body,
    to_body,
)

PHONE = "15550002222"
USER_ID = "US.13491208655302741918"
PARENT = "US.ENT.11815799212886844830"
NUMBER = "106540352242922"
URL = (
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/"
    "?mid=1003383421387256&source=webhook&ext=1757000300&hash=ARu"
)
FILE = {"sha256": "SfInY0gGUI1c0kB2lBqoXKXjgFLhjDW6OHTyEHZ9GUI=", "id": "1003383421387256"}
SENT = Context(message_id="wamid.HBgLsent", sender="15550001111")


def cloud(name: str, kind: str, content: Any, **changes: Any) -> InboundMessage:
    fields: dict[str, Any] = {
        "phone": PHONE,
        "user_id": USER_ID,
        "timestamp": 1757000000,
        "profile_name": "Ines Castro",
        "phone_number_id": NUMBER,
    }
    return InboundMessage(id=f"wamid.{name}", type=kind, content=content, **{**fields, **changes})


def text(name: str, body: str, **changes: Any) -> InboundMessage:
    return cloud(name, "text", {"body": body}, **changes)


CLOUD: dict[str, InboundMessage] = {
    "text": text("text", "Do you have a room with a view? 🌊"),
    "text_command": text("text_command", " /restart"),
    "text_empty": text("text_empty", ""),
    "text_reply": text("text_reply", "Yes, that one", context=SENT),
    "text_forwarded": text("text_forwarded", "Look at this", context=Context(forwarded=True)),
    "text_forwarded_often": text(
        "text_forwarded_often",
        "Everybody sends this",
        context=Context(frequently_forwarded=True),
    ),
    "text_about_product": text(
        "text_about_product",
        "Is this still there?",
        context=Context(
            message_id="wamid.HBgLsent",
            sender="15550001111",
            referred_product={
                "catalog_id": "194836987003835",
                "product_retailer_id": "di9ozbzfi4",
            },
        ),
    ),
    "text_from_ad": text(
        "text_from_ad",
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
    "text_without_phone": text(
        "text_without_phone", "My number stays with me", phone=None, username="ines.castro"
    ),
    "text_with_empty_strings": text(
        "text_with_empty_strings",
        "Still me",
        phone=None,
        profile_name=None,
        username="ines.castro",
        context=Context(),
    ),
    "text_with_user_id_in_from": text("text_with_user_id_in_from", "Wrong field", phone=None),
    "text_with_parent_user_id": text(
        "text_with_parent_user_id",
        "Hello",
        parent_user_id=PARENT,
        identity_key_hash="DF2lS5v2W6x=",
    ),
    "text_without_contacts": text("text_without_contacts", "Who am I?", profile_name=None),
    "text_without_profile": text(
        "text_without_profile", "Phone only in the contact", profile_name=None
    ),
    "text_in_group": text("text_in_group", "Hello all", group_id="Y2FwaV9ncm91cDox"),
    "image": cloud(
        "image",
        "image",
        {"caption": "Is this your house?", "mime_type": "image/jpeg", **FILE, "url": URL},
    ),
    "image_without_caption": cloud(
        "image_without_caption", "image", {"mime_type": "image/jpeg", **FILE}
    ),
    "image_with_command": cloud(
        "image_with_command",
        "image",
        {"caption": "／restart", "mime_type": "image/jpeg", **FILE},
    ),
    "video": cloud("video", "video", {"mime_type": "video/mp4", **FILE, "url": URL}),
    "audio": cloud(
        "audio", "audio", {"mime_type": "audio/mpeg", **FILE, "url": URL, "voice": False}
    ),
    "voice": cloud(
        "voice",
        "voice",
        {"mime_type": "audio/ogg; codecs=opus", **FILE, "url": URL, "voice": True},
    ),
    "document": cloud(
        "document",
        "document",
        {
            "filename": 'passport "copy".pdf',
            "mime_type": "application/pdf",
            **FILE,
            "url": URL,
        },
    ),
    "sticker": cloud(
        "sticker", "sticker", {"mime_type": "image/webp", **FILE, "url": URL, "animated": False}
    ),
    "location": cloud(
        "location",
        "location",
        {
            "address": "1071 5th Ave, New York, NY 10128",
            "latitude": 40.782910059774,
            "longitude": -73.959075808525,
            "name": "Solomon R. Guggenheim Museum",
            "url": "https://www.guggenheim.org/",
        },
    ),
    "location_pin": cloud("location_pin", "location", {"latitude": 48, "longitude": 2.35}),
    "contacts": cloud(
        "contacts",
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
        "contacts_requested",
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
        "button", "button", {"payload": '/book{"room": "lake"}', "text": "Book"}, context=SENT
    ),
    "button_reply": cloud(
        "button_reply",
        "interactive",
        {
            "type": "button_reply",
            "button_reply": {"id": "/ask_guide", "title": "The house guide"},
        },
        context=SENT,
    ),
    "list_reply": cloud(
        "list_reply",
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
        "flow_reply",
        "interactive",
        {
            "type": "nfm_reply",
            "nfm_reply": {
                "name": "flow",
                "body": "Sent",
                "response_json": '{"flow_token": "booking-17", "nights": 3, "/restart": "x"}',
            },
        },
        context=SENT,
    ),
    "call_permission_reply": cloud(
        "call_permission_reply",
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
        "order",
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
    "reaction": cloud("reaction", "reaction", {"message_id": "wamid.HBgLsent", "emoji": "👍"}),
    "reaction_removed": cloud("reaction_removed", "reaction", {"message_id": "wamid.HBgLsent"}),
    "system_changed_number": cloud(
        "system_changed_number",
        "system",
        {
            "body": "User Ines Castro changed from 15550002222 to 15550005555",
            "wa_id": "15550005555",
            "type": "user_changed_number",
        },
        user_id=None,
        profile_name=None,
    ),
    "system_changed_user_id": cloud(
        "system_changed_user_id",
        "system",
        {
            "body": "User Ines Castro changed from US.13491208655302741918 to US.9876543210",
            "user_id": "US.9876543210",
            "type": "user_changed_user_id",
        },
        profile_name=None,
    ),
    "unsupported": cloud(
        "unsupported",
        "unsupported",
        {"type": "poll_creation"},
        errors=(
            PlatformError(
                131051, "Message type unknown", "Message type is currently not supported."
            ),
        ),
    ),
    "unsupported_unavailable": cloud(
        "unsupported_unavailable",
        "unsupported",
        {},
        errors=(
            PlatformError(
                131060,
                "This message is currently unavailable.",
                "Ask the sender to send it again.",
            ),
        ),
    ),
    "edit": cloud(
        "edit",
        "edit",
        {
            "original_message_id": "wamid.text",
            "message": {"type": "text", "text": {"body": "With a view of the lake"}},
        },
    ),
    "revoke": cloud("revoke", "revoke", {"original_message_id": "wamid.text"}),
    "unknown_type": cloud(
        "unknown_type", "hologram", {"id": "77", "depth": 3}, extra={"new_key": {"a": 1}}
    ),
    "message_without_its_part": cloud("message_without_its_part", "image", {}),
}


def flat(name: str, kind: str, content: Any, **changes: Any) -> InboundMessage:
    fields: dict[str, Any] = {
        "phone": PHONE,
        "timestamp": 1657000000,
        "profile_name": "Ines Castro",
    }
    return InboundMessage(id=f"ABGG{name}", type=kind, content=content, **{**fields, **changes})


KEPT = {
    "id": "b1c68f38-8734-4ad3-b4a1-ef0c10d683",
    "sha256": "29ed500fa64eb55fc19dc4124acb300e5dcca0f822a301ae99944db3a0a2ab1b",
}
ASKED = Context(message_id="gBGGFlA5FpafAgkOuJbRq54qwbM", sender="15550001111")

ON_PREMISES: dict[str, InboundMessage] = {
    "text": flat("text", "text", {"body": "Hello there"}),
    "text_reply": flat(
        "text_reply",
        "text",
        {"body": "Yes"},
        context=ASKED,
        extra={
            "identity": {
                "acknowledged": True,
                "created_timestamp": 1602532300000,
                "hash": "Sjvjlx8G6Z0=",
            }
        },
    ),
    "text_from_ad": flat(
        "text_from_ad",
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
        "image",
        "image",
        {
            **KEPT,
            "mime_type": "image/jpeg",
            "caption": "Is this your house?",
            "file": "/usr/local/wamedia/shared/b1cf38",
        },
        profile_name=None,
    ),
    "audio": flat(
        "audio",
        "audio",
        {**KEPT, "mime_type": "audio/mpeg", "filename": "song.mp3"},
        profile_name=None,
    ),
    "voice": flat(
        "voice", "voice", {**KEPT, "mime_type": "audio/ogg; codecs=opus"}, profile_name=None
    ),
    "video": flat("video", "video", {**KEPT, "mime_type": "video/mp4"}, profile_name=None),
    "document": flat(
        "document",
        "document",
        {**KEPT, "mime_type": "application/pdf", "filename": "bill.pdf", "caption": "My bill"},
        profile_name=None,
    ),
    "document_undownloaded": flat(
        "document_undownloaded",
        "document",
        {"status": "undownloaded", "mime_type": "application/pdf", "filename": "bill.pdf"},
        profile_name=None,
    ),
    "sticker": flat(
        "sticker",
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
        },
        profile_name=None,
    ),
    "location": flat(
        "location",
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
        "contacts",
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
        "button", "button", {"payload": "/no", "text": "No"}, context=ASKED, profile_name=None
    ),
    "button_reply": flat(
        "button_reply",
        "interactive",
        {
            "type": "button_reply",
            "button_reply": {"id": "/ask_guide", "title": "The house guide"},
        },
        context=ASKED,
    ),
    "list_reply": flat(
        "list_reply",
        "interactive",
        {
            "type": "list_reply",
            "list_reply": {"id": "/ask_house", "title": "The house", "description": "All rooms"},
        },
        context=ASKED,
    ),
    "flow_reply": flat(
        "flow_reply",
        "interactive",
        {
            "type": "nfm_reply",
            "nfm_reply": {
                "name": "address_message",
                "body": "CASTRO",
                "response_json": "this is no JSON",
            },
        },
        context=ASKED,
    ),
    "order": flat(
        "order",
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
    "system": flat(
        "system",
        "system",
        {"body": "Ines changed", "new_wa_id": "15550005555", "type": "user_changed_number"},
        profile_name=None,
    ),
    "unknown": flat(
        "unknown",
        "unsupported",
        {},
        errors=(
            PlatformError(501, "Unknown message type", "Message type is not currently supported"),
        ),
    ),
    "ephemeral": flat(
        "ephemeral",
        "ephemeral",
        {},
        profile_name=None,
        errors=(
            PlatformError(
                501, "Unsupported message type", "Disappearing messages are not supported"
            ),
        ),
    ),
}

TURN: dict[str, InboundMessage] = {
    "text": flat(
        "text",
        "text",
        {"body": "Hello there"},
        user_id=USER_ID,
        extra={"_vnd": {"v1": {"direction": "inbound", "in_reply_to": None}}},
    ),
    "text_without_phone": flat(
        "text_without_phone", "text", {"body": "No number"}, phone=None, user_id=USER_ID
    ),
    "text_with_user_id_in_from": flat(
        "text_with_user_id_in_from",
        "text",
        {"body": "Wrong field"},
        phone=None,
        user_id=USER_ID,
        profile_name=None,
    ),
    "voice": flat(
        "voice",
        "voice",
        {
            "id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68",
            "mime_type": "audio/ogg; codecs=opus",
            "sha256": "29ed500fa64eb55fc19dc4124acb300e5dcca0f822a301ae99944db3a0a2ab1b",
        },
        user_id=USER_ID,
    ),
    "reaction": flat(
        "reaction", "reaction", {"message_id": "gBEGsent", "emoji": "❤️"}, user_id=USER_ID
    ),
    "unsupported": flat(
        "unsupported",
        "unsupported",
        {},
        user_id=USER_ID,
        errors=(
            PlatformError(
                131051,
                "Message type is not currently supported",
                "Message type is not currently supported",
            ),
        ),
    ),
}

DIALOG360: dict[str, InboundMessage] = {
    "text": text("text", "Hello there", user_id=None),
    "image": cloud(
        "image",
        "image",
        {"caption": "Is this your house?", "mime_type": "image/jpeg", **FILE},
        user_id=None,
    ),
}


def status(word: str, seconds: int, **changes: Any) -> Status:
    fields: dict[str, Any] = {
        "message_id": "wamid.HBgLsent",
        "recipient_id": PHONE,
        "phone_number_id": NUMBER,
    }
    return Status(status=word, timestamp=1757000000 + seconds, **{**fields, **changes})


def on_premises_status(message_id: str, word: str, seconds: int, **changes: Any) -> Status:
    fields: dict[str, Any] = {"recipient_id": PHONE, "timestamp": 1657000000 + seconds}
    return Status(message_id=message_id, status=word, **{**fields, **changes})


OTHER: dict[str, tuple[Event, ...]] = {
    "cloud/statuses": (
        status(
            "sent",
            1,
            recipient_user_id=USER_ID,
            callback_data="turn-7",
            extra={
                "conversation": {
                    "id": "8ceb2c9d",
                    "expiration_timestamp": "1757086401",
                    "origin": {"type": "service"},
                },
                "pricing": {
                    "billable": False,
                    "pricing_model": "PMP",
                    "type": "free_customer_service",
                    "category": "service",
                },
            },
        ),
        status("delivered", 2, recipient_user_id=USER_ID),
        status("read", 3, recipient_user_id=USER_ID),
        status("played", 4, recipient_user_id=USER_ID),
    ),
    "cloud/status_failed": (
        status(
            "failed",
            1,
            errors=(
                PlatformError(
                    131047,
                    "Re-engagement message",
                    "Message failed to send because more than 24 hours have passed since the "
                    "customer last replied to this number.",
                ),
            ),
        ),
    ),
    "cloud/status_without_phone": (
        status("delivered", 2, recipient_id=None, recipient_user_id=USER_ID),
    ),
    "cloud/status_of_group": (
        status(
            "read",
            3,
            recipient_id="Y2FwaV9ncm91cDox",
            extra={"recipient_type": "group", "recipient_participant_id": PHONE},
        ),
    ),
    "cloud/account_error": (
        PlatformNotice(
            (
                PlatformError(
                    130429,
                    "Rate limit hit",
                    "Message failed to send because there were too many messages sent from this "
                    "phone number in a short period of time",
                ),
            ),
            NUMBER,
        ),
    ),
    "cloud/user_id_update": (UserIdChanged(USER_ID, "US.9876543210", PHONE, 1757000009),),
    "cloud/template_status": (
        AccountEvent(
            "APPROVED",
            "reminder (en_US)",
            condition=Condition.ENDS,
            topic="template",
            field="message_template_status_update",
            value={
                "event": "APPROVED",
                "message_template_id": 1689556908129832,
                "message_template_name": "reminder",
                "message_template_language": "en_US",
                "reason": "NONE",
            },
        ),
    ),
    "cloud/message_echo": (
        Overheard(
            "app",
            "echo",
            "wamid.echo",
            "text",
            phone=PHONE,
            timestamp=1757000000,
            content={"body": "From the app"},
            phone_number_id=NUMBER,
        ),
    ),
    "cloud/unknown_field": (
        Unknown("webhook field reviews", {"value": {"stars": 5}, "field": "reviews"}),
    ),
    "cloud/batch": (
        text("1", "one", user_id=None, timestamp=1757000001),
        text(
            "2",
            "two",
            phone="15550003333",
            user_id=None,
            timestamp=1757000002,
            profile_name="Nuno Castro",
        ),
        status("delivered", 3),
        text(
            "4",
            "four",
            user_id=None,
            timestamp=1757000004,
            profile_name=None,
            phone_number_id="220011223344556",
        ),
        status(
            "sent",
            5,
            message_id="wamid.HBgLother",
            recipient_id="15550003333",
            phone_number_id="220011223344556",
        ),
        PlatformNotice((PlatformError(131000, "Something went wrong"),), "220011223344556"),
    ),
    "cloud/broken_parts": (
        Unknown(
            "a message without an id",
            {
                "from": PHONE,
                "timestamp": "1757000001",
                "type": "text",
                "text": {"body": "no id"},
            },
        ),
        Unknown(
            "messages holds something that is not an object",
            "a text where a message should be",
        ),
        cloud(
            "2",
            "text",
            {},
            user_id=None,
            timestamp=None,
            profile_name=None,
            extra={"text": ["a list"]},
        ),
        Unknown(
            "a message without a sender",
            {
                "id": "wamid.3",
                "timestamp": 1757000003,
                "type": "text",
                "text": {"body": "nobody"},
            },
        ),
        InboundMessage(
            id="4",
            type="text",
            phone=PHONE,
            timestamp=1757000004,
            content={"body": "numbers"},
            errors=(PlatformError(0, "odd"),),
            phone_number_id=NUMBER,
            extra={"context": "x"},
        ),
        Unknown("a status without an id or a word", {"status": "sent"}),
        Unknown("statuses holds something that is not an object", 7),
        Unknown("messages is not a list", {"not": "a list"}),
        Unknown("a change without a value", {"field": "messages", "value": None}),
        Unknown("changes holds something that is not an object", "odd"),
        Unknown("an entry without changes", {"id": "1"}),
        Unknown("entry holds something that is not an object", None),
    ),
    "on_premises/statuses": (
        on_premises_status(
            "gBEGkYiEB1VXAglK1ZEqA1YKPrU",
            "sent",
            1,
            extra={
                "type": "message",
                "conversation": {
                    "id": "6ceb9d929c9bdc4f90e967a32f8639b4",
                    "expiration_timestamp": 1657086401,
                    "origin": {"type": "user_initiated"},
                },
                "pricing": {
                    "pricing_model": "CBP",
                    "billable": True,
                    "category": "user_initiated",
                },
            },
        ),
        on_premises_status(
            "gBEGkYiEB1VXAglK1ZEqA1YKPrU", "delivered", 2, extra={"type": "message"}
        ),
        on_premises_status("gBEGkYiEB1VXAglK1ZEqA1YKPrU", "read", 3),
        on_premises_status("ABGGtext", "deleted", 4),
        on_premises_status(
            "gBEGkYiEB1VXAglK1ZEqA1YKPrV",
            "failed",
            5,
            errors=(
                PlatformError(
                    470,
                    "Message failed to send because more than 24 hours have passed since the "
                    "customer last replied to this number",
                ),
            ),
        ),
        on_premises_status("gBEGkYiEB1VXAglK1ZEqA1YKPrW", "warning", 6),
    ),
    "on_premises/client_error": (
        PlatformNotice(
            (
                PlatformError(
                    1011,
                    "Service not ready",
                    "The client is starting",
                ),
            )
        ),
    ),
    "on_premises/batch": (
        flat("1", "text", {"body": "one"}, timestamp=1657000001),
        flat(
            "2",
            "text",
            {"body": "two"},
            phone="15550003333",
            timestamp=1657000002,
            profile_name=None,
            extra={"cost": {"amount": 1}},
        ),
        on_premises_status("gBEGsent", "delivered", 3, recipient_id="15550003333"),
        PlatformNotice((PlatformError(1000, "Generic error"),)),
    ),
    "turn/statuses": (
        on_premises_status("gBEGsent", "sending", 1),
        on_premises_status("gBEGsent", "sent", 2, recipient_id=None, recipient_user_id=USER_ID),
        on_premises_status(
            "gBEGlost",
            "failed",
            3,
            errors=(
                PlatformError(
                    131014,
                    "Request for url https://shop.example/x.jpg failed with error: 404 (Not Found)",
                ),
            ),
        ),
    ),
    "turn/sent_by_us": (
        Unknown(
            "a message that was sent; at Turn the webhook needs the subscription `whatsapp` only",
            {
                "to": PHONE,
                "type": "text",
                "text": {"body": "An answer of the bot"},
                "preview_url": False,
                "recipient_type": "individual",
            },
        ),
    ),
    "360dialog/status_failed": (
        status(
            "failed",
            1,
            errors=(
                PlatformError(
                    131053,
                    "Media upload error",
                    "Downloading media from weblink failed with http code 404",
                ),
            ),
        ),
    ),
}

EXPECTED: dict[str, tuple[Event, ...]] = {
    **{f"cloud/{name}": (event,) for name, event in CLOUD.items()},
    **{f"on_premises/{name}": (event,) for name, event in ON_PREMISES.items()},
    **{f"turn/{name}": (event,) for name, event in TURN.items()},
    **{f"360dialog/{name}": (event,) for name, event in DIALOG360.items()},
    **OTHER,
}


def test_every_sample_has_its_events_written_down() -> None:
    assert samples.names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_webhook_becomes_exactly_these_events(name: str) -> None:
    assert read_events(json.loads(samples.webhook(name))) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_event_comes_back_from_the_store_as_it_was(name: str) -> None:
    for event in EXPECTED[name]:
        assert from_body(json.loads(json.dumps(to_body(event)))) == event


def message(**changes: Any) -> dict[str, Any]:
    return {"from": PHONE, "id": "m1", "type": "text", "text": {"body": "hi"}, **changes}


def read_one(payload: object) -> Event:
    (event,) = read_events(payload)
    return event


def test_a_message_takes_the_phone_that_only_its_contact_has() -> None:
    contacts = [
        {"wa_id": "15550009999", "user_id": "US.other"},
        {"wa_id": PHONE, "user_id": USER_ID, "profile": {"name": "Ines"}},
    ]
    only_id = message(from_user_id=USER_ID)
    del only_id["from"]

    event = read_one({"contacts": contacts, "messages": [only_id]})

    assert isinstance(event, InboundMessage)
    assert (event.phone, event.user_id, event.profile_name) == (PHONE, USER_ID, "Ines")


def test_the_only_contact_is_the_sender_when_the_message_names_nobody() -> None:
    nameless = message()
    del nameless["from"]

    event = read_one({"contacts": [{"wa_id": PHONE}], "messages": [nameless]})

    assert isinstance(event, InboundMessage)
    assert event.phone == PHONE


def test_the_only_contact_is_not_taken_for_somebody_else() -> None:
    contacts = [{"wa_id": "15550009999", "profile": {"name": "Another"}}]

    event = read_one({"contacts": contacts, "messages": [message()]})

    assert isinstance(event, InboundMessage)
    assert (event.phone, event.profile_name) == (PHONE, None)


def test_a_message_to_a_user_is_not_heard_as_one_from_him() -> None:
    ours = message(to=PHONE)
    del ours["from"]

    event = read_one({"contacts": [{"wa_id": PHONE}], "messages": [ours]})

    assert event == Unknown("a message without a sender", ours)


def test_a_system_message_needs_no_sender() -> None:
    event = read_one({"messages": [{"id": "s1", "type": "system", "system": {"wa_id": "1555"}}]})

    assert event == InboundMessage(id="s1", type="system", content={"wa_id": "1555"})


def test_an_on_premises_unknown_message_keeps_what_came_with_it() -> None:
    event = read_one({"messages": [message(type="unknown", unknown={"kind": "poll"})]})

    assert isinstance(event, InboundMessage)
    assert (event.type, event.content) == ("unsupported", {"kind": "poll"})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1757000000", 1757000000),
        (1757000000, 1757000000),
        (1757000000.5, 1757000000),
        ("soon", None),
        ("", None),
        (-1, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ("9" * 400, None),
        (10**400, None),
        ([1], None),
    ],
)
def test_a_time_that_cannot_be_is_none(value: object, seconds: int | None) -> None:
    event = read_one({"messages": [message(timestamp=value)]})

    assert isinstance(event, InboundMessage)
    assert event.timestamp == seconds


def nested(levels: int) -> object:
    value: object = "deep"
    for _ in range(levels):
        value = [value]
    return value


def test_one_message_nested_too_deep_does_not_block_the_next() -> None:
    first, second = read_events({"messages": [message(text=nested(500)), message()]})

    assert isinstance(first, Unknown)
    assert first.reason == "a message that is nested deeper than 32 levels"
    assert isinstance(second, InboundMessage)


def test_one_message_with_too_many_values_does_not_block_the_next() -> None:
    first, second = read_events({"messages": [message(text=[0] * 30_000), message()]})

    assert isinstance(first, Unknown)
    assert first.reason == "a message that holds more than 20000 values"
    assert isinstance(second, InboundMessage)


def test_a_webhook_with_more_events_than_whatsapp_sends_is_cut_and_says_so() -> None:
    events = read_events({"messages": [{}] * (EVENTS + 5)})

    assert len(events) == EVENTS + 1
    assert events[-1] == Unknown("more than 2000 events in one webhook; the rest is not read")


def test_half_an_emoji_becomes_a_replacement_character() -> None:
    event = read_one(
        {
            "contacts": [{"wa_id": PHONE, "profile": {"name": "Ines \ud83d"}}],
            "messages": [message(text={"body": "hi \udc00", "\ud800": 1})],
        }
    )

    assert isinstance(event, InboundMessage)
    assert event.content == {"body": "hi \ufffd", "\ufffd": 1}
    assert event.profile_name == "Ines \ufffd"


def test_numbers_that_stores_cannot_hold_are_made_harmless() -> None:
    odd = {"huge": 10**30, "nan": float("nan"), "endless": float("-inf"), "ok": [1, 1.5, True]}

    event = read_one({"messages": [message(text=odd)]})

    assert isinstance(event, InboundMessage)
    assert event.content == {
        "huge": str(10**30),
        "nan": None,
        "endless": None,
        "ok": [1, 1.5, True],
    }


@pytest.mark.parametrize("body", [{}, {"kind": "parcel"}, {"kind": []}, {"kind": "message"}])
def test_a_body_that_was_never_stored_by_us_is_unknown(body: dict[str, Any]) -> None:
    event = from_body(body)

    assert isinstance(event, Unknown)
    assert event.value == body


def test_a_body_stored_by_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    body = {**to_body(CLOUD["text"]), "mood": "good"}

    assert from_body(body) == CLOUD["text"]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())  # half emojis among them
    | st.sampled_from(["", PHONE, USER_ID, "text", "audio", "contacts", "unknown", "messages"])
)
anything = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters()), children, max_size=4)
    ),
    max_leaves=12,
)
kept = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4)
    ),
    max_leaves=12,
)
maybe_text = st.none() | st.text(min_size=1)
parts = st.dictionaries(st.text(), kept, max_size=3)
errors = st.lists(st.builds(PlatformError, st.integers(), st.text(), st.text()), max_size=2).map(
    tuple
)
any_event = st.one_of(
    st.builds(
        InboundMessage,
        id=st.text(min_size=1),
        type=st.text(min_size=1),
        phone=maybe_text,
        user_id=maybe_text,
        group_id=maybe_text,
        timestamp=st.none() | st.integers(min_value=0),
        content=parts | st.lists(kept, max_size=3),
        context=st.none()
        | st.builds(Context, maybe_text, maybe_text, st.booleans(), st.booleans(), parts),
        referral=st.none() | parts,
        errors=errors,
        profile_name=maybe_text,
        extra=parts,
    ),
    st.builds(Status, st.text(), st.text(), errors=errors, callback_data=maybe_text),
    st.builds(UserIdChanged, st.text(), st.text(), maybe_text, st.none() | st.integers()),
    st.builds(PlatformNotice, errors, maybe_text),
    st.builds(Unknown, st.text(), kept),
    st.builds(Preference, st.text(), st.text(), maybe_text, maybe_text, maybe_text),
    st.builds(Call, st.text(), st.text(), maybe_text, errors=errors, extra=parts),
    st.builds(Overheard, st.text(), st.text(), st.text(), st.text(), content=kept, extra=parts),
    st.builds(Handover, st.text(), maybe_text, maybe_text, detail=parts),
    st.builds(AccountEvent, st.text(), st.text(), st.text(), value=parts),
)


@given(any_event)
def test_every_event_survives_the_store(event: Event) -> None:
    assert from_body(json.loads(json.dumps(to_body(event)))) == event


REAL = [json.loads(samples.webhook(name)) for name in samples.names()]


@st.composite
def mutated(draw: st.DrawFn) -> object:
    """A real webhook in which a few parts, wherever they are, were replaced, removed or doubled."""
    payload = json.loads(json.dumps(draw(st.sampled_from(REAL))))
    for _ in range(draw(st.integers(1, 3))):
        place = payload
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and draw(st.integers(0, 4)):
                place = inner
                continue
            if draw(st.booleans()):
                place[key] = draw(anything)
            else:
                del place[key]
            break
    return payload


@given(mutated() | anything)
def test_nothing_in_a_webhook_raises_and_everything_can_be_stored(payload: object) -> None:
    events = read_events(payload)

    assert events
    for event in events:
        stored = json.dumps(to_body(event), allow_nan=False)
        stored.encode()
        assert from_body(json.loads(stored)) == event


# how the odd ones read


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([1], "not a JSON object"),
        ({}, "no messages, statuses or errors"),
        ({"messages": [], "contacts": [{"wa_id": PHONE}]}, "no messages, statuses or errors"),
        ({"messages": "none"}, "messages is not a list"),
        ({"errors": "none"}, "errors that are not a list"),
        ({"errors": nested(500)}, "a list of errors that is nested deeper than 32 levels"),
        ({"statuses": [{"id": nested(500)}]}, "a status that is nested deeper than 32 levels"),
        ({"messages": [message(type="")]}, "a message without a type"),
        ({"messages": [message(id=" ")]}, "a message without an id"),
        ({"entry": ""}, "an empty webhook"),
        ({"entry": {"changes": []}}, "entry is not a list"),
        (
            {"entry": [{"changes": [{"field": "user_id_update", "value": {}}]}]},
            "webhook field user_id_update without content",
        ),
        (
            {
                "entry": [
                    {
                        "changes": [
                            {
                                "field": "user_id_update",
                                "value": {"user_id_update": [{"user_id": {"current": USER_ID}}]},
                            }
                        ]
                    }
                ]
            },
            "a change of a user id without the old or the new one",
        ),
    ],
)
def test_what_cannot_be_read_says_why(payload: object, reason: str) -> None:
    event = read_one(payload)

    assert isinstance(event, Unknown)
    assert event.reason == reason


def test_what_is_too_deep_to_keep_is_kept_as_the_beginning_of_its_json() -> None:
    event = read_one([nested(500)])

    assert event == Unknown("not a JSON object", "[" * 501 + '"deep"' + "]" * 501)


def test_what_is_too_deep_to_be_shown_is_said_to_be() -> None:
    assert read_one(nested(200_000)) == Unknown("not a JSON object", "a list that cannot be shown")


def test_a_contact_that_cannot_be_read_is_no_contact() -> None:
    contacts = [{"wa_id": PHONE, "profile": nested(500)}]

    event = read_one({"contacts": contacts, "messages": [message()]})

    assert isinstance(event, InboundMessage)
    assert event.profile_name is None


def test_one_error_without_its_list_is_read_too() -> None:
    event = read_one({"messages": [message(type="unknown", errors={"code": "501"})]})

    assert isinstance(event, InboundMessage)
    assert event.errors == (PlatformError(501),)


def test_an_event_has_the_same_key_in_whatever_batch_it_comes() -> None:
    keys = [
        event.key
        for name in ("cloud/text", "cloud/statuses", "cloud/status_without_phone")
        for event in EXPECTED[name]
        if isinstance(event, (InboundMessage, Status))
    ]

    assert keys == [
        "wamid.text",
        "wamid.HBgLsent:sent",
        "wamid.HBgLsent:delivered",
        "wamid.HBgLsent:read",
        "wamid.HBgLsent:played",
        "wamid.HBgLsent:delivered",
    ]
    assert UserIdChanged("US.1", "US.2").key == "US.1:US.2"
