"""
Intents for messages without words: event → ``/whatsapp_image{"id": …}``.

Rasa takes such a text as an intent, with the entities that the bot's domain lists. Entities are
few and flat; everything else is in the metadata.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.inbound.metadata import MEDIA, flow_response, media_of
from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.settings.inbound import (
    FIELDS,
    Handling,
    handling_of_kind,
    template_of,
    to_entities,
)
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Part
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

Entities = Mapping[str, Any]

# What the domain of a bot has to list.
INTENTS: Final = (
    "whatsapp_image",
    "whatsapp_video",
    "whatsapp_audio",
    "whatsapp_voice",
    "whatsapp_document",
    "whatsapp_sticker",
    "whatsapp_location",
    "whatsapp_contacts",
    "whatsapp_order",
    "whatsapp_reaction",
    "whatsapp_flow",
    "whatsapp_unsupported",
    "whatsapp_payment",
    "whatsapp_call",
)


def wordless_intents(
    wording: Mapping[str, str], failure_intent: str | None = None
) -> tuple[str, ...]:
    """
    Return the intents of turns in which nobody said a word; *wording* is the setting ``inbound``.

    A text of the author's own is none: what intent it has says the bot's NLU.
    """
    kinds = (kind for kind in FIELDS if handling_of_kind(kind, wording) is Handling.TURN)
    names = [*(_intent(kind, template_of(kind, wording)) for kind in kinds), failure_intent]
    return tuple(dict.fromkeys(name for name in names if name))


def keep_entities(text: str, listed: Collection[str]) -> str:
    """
    Return *text*, where it is an intent in `INTENTS` without the entities that are not *listed*.

    Rasa drops what the domain does not list, with a warning that shows all the person has sent.
    """
    intent, brace, rest = text.partition("{")
    if not brace or intent[1:] not in INTENTS:
        return text
    try:
        given = dict(json.loads(brace + rest))
    except (ValueError, TypeError):  # a payload of the author's own
        return text
    return intent + to_entities({name: given[name] for name in given if name in listed})


def _intent(kind: str, template: str | None) -> str | None:
    if template is None:
        return f"whatsapp_{kind}" if f"whatsapp_{kind}" in INTENTS else "whatsapp_unsupported"
    return template[1:].partition("{")[0] if template.startswith("/") else None


def intent_of(event: InboundMessage, file: StoredFile | None = None) -> str:
    """Return the text for *event*, one of `INTENTS` with its entities; it always begins with /."""
    kind, entities = describe(event, file)
    if f"whatsapp_{kind}" not in INTENTS:
        kind, entities = "unsupported", _read_unsupported(event)
    return f"/whatsapp_{kind}{to_entities(entities)}"


def describe(event: InboundMessage, file: StoredFile | None = None) -> tuple[str, Entities]:
    """Return which kind of `settings.inbound.FIELDS` *event* is, and the values of its fields."""
    if event.type in MEDIA:
        return event.type, _read_media(event, file)
    content = event.content
    if event.type == "interactive" and "nfm_reply" in object_of(content):
        return "flow", _read_flow(object_of(content["nfm_reply"]))
    read = _READERS.get(event.type)
    if read is None or not content:
        return "unsupported", _read_unsupported(event)
    return event.type, read(content)


def _read_media(event: InboundMessage, file: StoredFile | None) -> Entities:
    media = media_of(event)
    if media is None:
        return {}
    return {
        "id": media.id,
        "mime_type": media.mime_type,
        "filename": media.filename,
        "path": file.path if file else None,
    }


def _read_flow(reply: Part) -> Entities:
    # The answers are in the metadata: as entities, whoever fills in a flow could name any slot.
    response = flow_response(reply) or {}
    return {"name": text_of(reply.get("name")), "flow_token": text_of(response.get("flow_token"))}


def _read_location(location: Part) -> Entities:
    return {
        "latitude": _number(location.get("latitude")),
        "longitude": _number(location.get("longitude")),
        "name": text_of(location.get("name")),
        "address": text_of(location.get("address")),
    }


def _read_contacts(contacts: list[Any]) -> Entities:
    """Return names and numbers side by side: one of each for each number, or for a card without."""
    pairs = [pair for card in _objects(contacts) for pair in _numbers_of(card)]
    names, phones = [name for name, _ in pairs], [phone for _, phone in pairs]
    return {"name": names if any(names) else [], "phone": phones if any(phones) else []}


def _numbers_of(card: Part) -> list[tuple[str, str]]:
    name = text_of(object_of(card.get("name")).get("formatted_name")) or ""
    given = [
        text_of(phone.get("phone"))
        or (f"+{wa_id}" if (wa_id := text_of(phone.get("wa_id"))) else "")
        for phone in _objects(card.get("phones"))
    ]
    return [(name, phone) for phone in filter(None, given)] or [(name, "")]


def _read_order(order: Part) -> Entities:
    items = _objects(order.get("product_items"))
    return {
        "catalog_id": text_of(order.get("catalog_id")),
        "text": text_of(order.get("text")),
        "product_retailer_id": _texts(item.get("product_retailer_id") for item in items),
    }


def _read_reaction(reaction: Part) -> Entities:
    emoji = text_of(reaction.get("emoji"))
    return {
        "emoji": emoji,
        "removed": None if emoji else True,
        "message_id": text_of(reaction.get("message_id")),
    }


def _read_edit(edit: Part) -> Entities:
    message = object_of(edit.get("message"))
    new = object_of(message.get(text_of(message.get("type")) or ""))
    return {
        "message_id": text_of(edit.get("original_message_id")),
        "text": text_of(new.get("body")) or text_of(new.get("caption")),
    }


def _read_revoke(revoke: Part) -> Entities:
    return {"message_id": text_of(revoke.get("original_message_id"))}


def _read_unsupported(event: InboundMessage) -> Entities:
    told = event.type in ("unsupported", "interactive")
    kind = text_of(object_of(event.content).get("type")) if told else None
    code = event.errors[0].code if event.errors else 0
    return {"type": kind or event.type, "code": code or None}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _objects(value: object) -> list[Part]:
    return [object_of(item) for item in value] if isinstance(value, list) else []


def _texts(values: Iterable[object]) -> list[str]:
    return [text for value in values if (text := text_of(value))]


_READERS: Final[Mapping[str, Callable[[Any], Entities]]] = MappingProxyType(
    {
        "location": _read_location,
        "contacts": _read_contacts,
        "order": _read_order,
        "reaction": _read_reaction,
        "edit": _read_edit,
        "revoke": _read_revoke,
    }
)
