"""
Messages: one frozen value per type of message, and `parse`, which reads WhatsApp's bodies.

    base         Message; Media, the source of a file
    simple       Text, Location, Contacts, Reaction, Pin, OtherMessage
    media        Image, Document, Audio, Video, Sticker
    interactive  ReplyButtons, ListMessage, CtaUrl
    actions      LocationRequest, Flow, ContactRequest, VoiceCall, OrderDetails, …
    orders       whether the amounts of an order add up
    catalog      Product, ProductList, CatalogMessage, MediaCarousel, ProductCarousel
    template     Template
    envelope     keys beside a message: Direct Send, marketing messages
    keys         which keys of a body are read; the others are kept as they are
    support      which API accepts which, and what of a message it may not know
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.actions import (
    Action,
    CallPermissionRequest,
    ContactRequest,
    Flow,
    LocationRequest,
    OrderDetails,
    OrderStatus,
    VoiceCall,
)
from rasa_whatsapp_channel.whatsapp.messages.base import (
    Media,
    Message,
    Outgoing,
    find_media,
    parts_of,
    replace_media,
)
from rasa_whatsapp_channel.whatsapp.messages.catalog import (
    Card,
    CardButton,
    CatalogMessage,
    MediaCarousel,
    Product,
    ProductCarousel,
    ProductList,
    ProductSection,
    parse_carousel,
)
from rasa_whatsapp_channel.whatsapp.messages.envelope import check_envelope, is_direct
from rasa_whatsapp_channel.whatsapp.messages.interactive import (
    Button,
    CtaUrl,
    DirectButtons,
    Header,
    Interactive,
    ListMessage,
    OtherInteractive,
    ReplyButtons,
    Row,
    Section,
    UrlButton,
)
from rasa_whatsapp_channel.whatsapp.messages.keys import (
    ENVELOPE,
    TYPES,
    Extra,
    find_extras,
    short,
)
from rasa_whatsapp_channel.whatsapp.messages.media import (
    MEDIA_MESSAGES,
    Audio,
    Captioned,
    Document,
    Image,
    MediaMessage,
    Sticker,
    Video,
    parse_media_message,
)
from rasa_whatsapp_channel.whatsapp.messages.simple import (
    Contacts,
    Location,
    OtherMessage,
    Pin,
    Reaction,
    Text,
)
from rasa_whatsapp_channel.whatsapp.messages.support import (
    Doubt,
    check_recipient,
    check_sendable,
    check_support,
    find_doubts,
    find_unknown,
)
from rasa_whatsapp_channel.whatsapp.messages.template import Component, Parameter, Template
from rasa_whatsapp_channel.wording import suggest

__all__ = [
    "MEDIA_MESSAGES",
    "Action",
    "Audio",
    "Button",
    "CallPermissionRequest",
    "Captioned",
    "Card",
    "CardButton",
    "CatalogMessage",
    "Component",
    "ContactRequest",
    "Contacts",
    "CtaUrl",
    "DirectButtons",
    "Document",
    "Doubt",
    "Extra",
    "Flow",
    "Header",
    "Image",
    "Interactive",
    "ListMessage",
    "Location",
    "LocationRequest",
    "Media",
    "MediaCarousel",
    "MediaMessage",
    "Message",
    "OrderDetails",
    "OrderStatus",
    "OtherInteractive",
    "OtherMessage",
    "Outgoing",
    "Parameter",
    "Pin",
    "Product",
    "ProductCarousel",
    "ProductList",
    "ProductSection",
    "Reaction",
    "ReplyButtons",
    "Row",
    "Section",
    "Sticker",
    "Template",
    "Text",
    "UrlButton",
    "Video",
    "VoiceCall",
    "check_recipient",
    "check_sendable",
    "check_support",
    "find_doubts",
    "find_media",
    "find_unknown",
    "parse",
    "parse_outgoing",
    "parts_of",
    "replace_media",
]

_INTERACTIVE: Final = {
    kind.kind: kind
    for kind in (
        ReplyButtons,
        ListMessage,
        CtaUrl,
        LocationRequest,
        Flow,
        ContactRequest,
        VoiceCall,
        CallPermissionRequest,
        OrderDetails,
        OrderStatus,
        Product,
        ProductList,
        CatalogMessage,
    )
}


def parse(body: Mapping[str, Any]) -> Message:
    """
    Read a body as WhatsApp documents it: Cloud or on-premises shape, with or without envelope.

    Raises `InvalidMessage` for what WhatsApp is known to refuse. What is only unknown here is kept,
    see `find_doubts`. `Media` may also have a ``path``.
    """
    checks.mapping("message", body)
    kind = _kind(body)
    for other in TYPES:
        if other in body and other != kind:
            raise InvalidMessage(other, f"goes into a body of its own; the type here says {kind}")
    value = body.get(kind)
    if value is None:
        raise InvalidMessage(kind, f"is missing; the type says {kind}")
    extras = find_extras(body, kind)
    try:
        message = _parse(kind, value, body)
    except InvalidMessage as error:
        hint = _hint(extras, kind, error.field)
        if hint is None:
            raise
        problem = f"{error.problem}; {hint}"
        raise type(error)(error.field, problem, limit=error.limit) from None
    if not extras:
        return message
    message = dataclasses.replace(message, extras=extras)
    check_envelope(message)
    return message


def parse_outgoing(body: Mapping[str, Any]) -> Outgoing:
    """Read a body with the message it quotes, if any."""
    message = parse(body)
    context = checks.mapping("context", body.get("context") or {})
    if not context:
        return Outgoing(message)
    quoted = context.get("message_id")
    return Outgoing(message, reply_to=checks.check_text("context.message_id", quoted))


def _parse(kind: str, value: Any, body: Mapping[str, Any]) -> Message:
    if kind not in TYPES:
        return OtherMessage(kind, value)
    if kind == "contacts":
        return Contacts.parse(value)
    content = checks.mapping(kind, value)
    if kind == "text":
        return Text.parse(content, preview_url=body.get("preview_url", False))
    if kind in MEDIA_MESSAGES:
        return parse_media_message(kind, content)
    if kind == "interactive":
        return _parse_interactive(content, direct=is_direct(body))
    simple: dict[str, Any] = {kind.type: kind for kind in (Location, Reaction, Pin, Template)}
    parsed: Message = simple[kind].parse(content)
    return parsed


def _hint(extras: Sequence[Extra], kind: str, field: str) -> str | None:
    """Return which of the keys that are not known may be the mistake at *field*."""
    for extra in extras:
        if extra.is_slip:
            return f"there is {extra.place}: {extra.hint}"
        if field == f"{kind}.{extra.place}":
            return f"there is {extra.place} beside {kind}, and it belongs into it"
    return None


def _kind(body: Mapping[str, Any]) -> str:
    kind = body.get("type")
    if kind is None:  # `type` is optional on-premises; the one key that is a type says it as well
        kinds = [key for key in body if key in TYPES]
        if len(kinds) != 1:
            raise InvalidMessage("type", f"is missing; WhatsApp knows {', '.join(TYPES)}")
        kind = kinds[0]
    if kind not in TYPES and (not isinstance(kind, str) or kind in ENVELOPE or kind not in body):
        hint = suggest(kind, TYPES, form="{!r}", otherwise="it knows")
        raise InvalidMessage("type", f"WhatsApp knows no {short(kind)!r}; {hint}")
    return str(kind)


def _parse_interactive(value: Mapping[str, Any], *, direct: bool) -> Interactive:
    kind = checks.check_text("interactive.type", value.get("type"))
    action = checks.mapping("interactive.action", value.get("action"))
    if kind not in _INTERACTIVE and kind != "carousel":
        return OtherInteractive(None, value=value)
    header = value.get("header")
    common: dict[str, Any] = {
        "text": _part_text("body", value.get("body")),
        "header": Header.parse(checks.mapping("interactive.header", header)) if header else None,
        "footer": _part_text("footer", value.get("footer")),
    }
    if kind == "carousel":
        return parse_carousel(common, action)
    cls: Any = DirectButtons if direct and kind == "button" else _INTERACTIVE[kind]
    message: Interactive = cls(**common, **cls.parse_action(action))
    return message


def _part_text(part: str, value: object) -> str | None:
    if value is None:
        return None
    text: str | None = checks.mapping(f"interactive.{part}", value).get("text")
    return text
