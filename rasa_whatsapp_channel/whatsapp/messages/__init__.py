"""
What can be sent: one frozen value per kind of message, and `parse`, which reads WhatsApp's bodies.

    base         Message; Media, the source of a file
    simple       Text, Location, Contacts, Reaction
    media        Image, Document, Audio, Video, Sticker
    interactive  ReplyButtons, ListMessage, CtaUrl, LocationRequest, Flow
    catalog      Product, ProductList, CatalogMessage, MediaCarousel, ProductCarousel
    template     Template
    support      which API takes which
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
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
from rasa_whatsapp_channel.whatsapp.messages.interactive import (
    Button,
    CtaUrl,
    Flow,
    Header,
    Interactive,
    ListMessage,
    LocationRequest,
    OtherInteractive,
    ReplyButtons,
    Row,
    Section,
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
from rasa_whatsapp_channel.whatsapp.messages.simple import Contacts, Location, Reaction, Text
from rasa_whatsapp_channel.whatsapp.messages.support import check_sendable, check_support
from rasa_whatsapp_channel.whatsapp.messages.template import Component, Parameter, Template

__all__ = [
    "MEDIA_MESSAGES",
    "Audio",
    "Button",
    "Captioned",
    "Card",
    "CardButton",
    "CatalogMessage",
    "Component",
    "Contacts",
    "CtaUrl",
    "Document",
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
    "OtherInteractive",
    "Outgoing",
    "Parameter",
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
    "Video",
    "check_sendable",
    "check_support",
    "find_media",
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
        Product,
        ProductList,
        CatalogMessage,
    )
}
_TYPES: Final = (
    "text",
    *MEDIA_MESSAGES,
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
)
# What stands around a message in a whole body. Whom it goes to is not the message's business.
_ENVELOPE: Final = (
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "context",
    "type",
    "preview_url",
)


def parse(body: Mapping[str, Any]) -> Message:
    """
    Read a body as WhatsApp documents it: Cloud or on-premises shape, with or without envelope.

    Raises `InvalidMessage` for whatever WhatsApp would refuse. `Media` may also have a ``path``.
    """
    checks.mapping("message", body)
    kind = _kind(body)
    for other in _TYPES:
        if other in body and other != kind:
            raise InvalidMessage(other, f"goes into a body of its own; the type here says {kind}")
    checks.only("message", body, (*_ENVELOPE, kind))
    value = body.get(kind)
    if value is None:
        raise InvalidMessage(kind, f"is missing; the type says {kind}")
    if kind == "contacts":
        return Contacts.parse(value)
    content = checks.mapping(kind, value)
    if kind == "text":
        return Text.parse(content, preview_url=body.get("preview_url", False))
    if kind in MEDIA_MESSAGES:
        return parse_media_message(kind, content)
    if kind == "interactive":
        return _parse_interactive(content)
    simple: dict[str, Any] = {"location": Location, "reaction": Reaction, "template": Template}
    parsed: Message = simple[kind].parse(content)
    return parsed


def parse_outgoing(body: Mapping[str, Any]) -> Outgoing:
    """Read a body with the message it quotes, if any."""
    message = parse(body)
    context = checks.mapping("context", body.get("context") or {})
    checks.only("context", context, ("message_id",))
    quoted = checks.optional_text("context.message_id", context.get("message_id"))
    return Outgoing(message, reply_to=quoted)


def _kind(body: Mapping[str, Any]) -> str:
    kind = body.get("type")
    if kind is None:  # `type` is optional on-premises; the one key that is a type says it as well
        kinds = [key for key in body if key in _TYPES]
        if len(kinds) != 1:
            raise InvalidMessage("type", f"is missing; WhatsApp knows {', '.join(_TYPES)}")
        kind = kinds[0]
    if kind not in _TYPES:
        near = difflib.get_close_matches(str(kind), _TYPES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(_TYPES)}"
        raise InvalidMessage("type", f"WhatsApp knows no {kind!r}; {hint}")
    return str(kind)


def _parse_interactive(value: Mapping[str, Any]) -> Interactive:
    kind = checks.check_text("interactive.type", value.get("type"))
    action = checks.mapping("interactive.action", value.get("action"))
    if kind not in _INTERACTIVE and kind != "carousel":
        return OtherInteractive(None, value=value)
    checks.only("interactive", value, ("type", "header", "body", "footer", "action"))
    header = value.get("header")
    common: dict[str, Any] = {
        "text": _part_text("body", value.get("body")),
        "header": Header.parse(checks.mapping("interactive.header", header)) if header else None,
        "footer": _part_text("footer", value.get("footer")),
    }
    if kind == "carousel":
        return parse_carousel(common, action)
    cls: Any = _INTERACTIVE[kind]
    message: Interactive = cls(**common, **cls.parse_action(action))
    return message


def _part_text(part: str, value: object) -> str | None:
    if value is None:
        return None
    text: str | None = checks.mapping(f"interactive.{part}", value).get("text")
    return text
