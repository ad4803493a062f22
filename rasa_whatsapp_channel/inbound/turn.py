"""
Event → what Rasa hears: a text, who says it, and metadata.

A message with words is those words. A tap is the payload of what was tapped, if we offered it.
Everything else is a command of ours, see `inbound.intents`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp_channel.inbound.facts import MEDIA, facts_of, media_of
from rasa_whatsapp_channel.inbound.files import InboundMedia, StoredFile
from rasa_whatsapp_channel.inbound.intents import INTENTS, intent_of
from rasa_whatsapp_channel.inbound.typed import neutralise
from rasa_whatsapp_channel.store.keys import is_command
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage, Part
from rasa_whatsapp_channel.whatsapp.plain import object_of, text_of

__all__ = [
    "INTENTS",
    "InboundMedia",
    "Turn",
    "failure_turn",
    "media_of",
    "sender_of",
    "tapped_id",
    "to_turn",
]


@dataclass(frozen=True)
class Turn:
    """*text* is never empty, and begins with a slash only where the bot's author meant it to."""

    text: str
    sender_id: str
    message_id: str
    metadata: dict[str, Any]


def to_turn(
    event: InboundMessage,
    *,
    commands: Collection[str] = (),
    sender_id: str = "phone",
    file: StoredFile | None = None,
    payload: str | None = None,
) -> Turn | None:
    """
    Return what Rasa shall hear of *event*, or None when it is nothing that somebody said.

    *commands* are slash texts that people may type. *file* is the medium, where it was fetched.
    *payload* is what was chosen, where we know that we offered it to this person: then it is the
    text. Without it a tap is what the label says, and no command: the phone of a person writes the
    id that comes back.
    """
    if event.type == "system":
        return None
    text = payload or _words(event, commands) or intent_of(event, file)
    return Turn(
        text=text,
        sender_id=sender_of(event, sender_id),
        message_id=event.id,
        # Nothing else at this level: Rasa Pro reads `user_id` here.
        metadata={"whatsapp": facts_of(event, file)},
    )


def failure_turn(event: DeliveryFailed, intent: str) -> Turn:
    """Return how the bot hears that something it said did not arrive."""
    entities = {"code": event.code, "reason": event.reason, "response": event.response}
    known = {name: value for name, value in entities.items() if value is not None}
    return Turn(
        text=f"/{intent.lstrip('/')}{json.dumps(known)}",
        sender_id=event.recipient_id,
        message_id=event.key,
        metadata={"whatsapp": {"type": "delivery_failed", **known}},
    )


def sender_of(event: InboundMessage, sender_id: str = "phone") -> str:
    """Return who *event* is from, as the setting *sender_id* (phone, user_id) prefers."""
    both = (event.user_id, event.phone) if sender_id == "user_id" else (event.phone, event.user_id)
    return both[0] or both[1] or event.group_id or event.id


def tapped_id(event: InboundMessage) -> str | None:
    """Return the id of the button or row that was tapped; None when *event* is no tap."""
    if event.type == "button":  # of a template
        return text_of(object_of(event.content).get("payload"))
    return text_of(_reply(event).get("id"))


def _words(event: InboundMessage, commands: Collection[str]) -> str:
    """Return what somebody wrote or tapped; of a tap the label, when its id is a command."""
    tapped = tapped_id(event) or ""
    if tapped and (not is_command(tapped) or tapped in commands):
        return tapped if tapped in commands else neutralise(tapped)
    content = object_of(event.content)
    written = {
        "text": content.get("body"),
        "button": content.get("text"),
        "interactive": _reply(event).get("title"),
        **dict.fromkeys(MEDIA, content.get("caption")),
    }.get(event.type)
    return neutralise(text_of(written) or tapped, commands)


def _reply(event: InboundMessage) -> Part:
    content = object_of(event.content) if event.type == "interactive" else {}
    return object_of(content.get("button_reply")) or object_of(content.get("list_reply"))
