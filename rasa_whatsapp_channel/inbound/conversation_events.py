"""
Conversation events: what happens in a conversation beside messages to the bot → turn or tracker.

A payment and a missed call are a turn, an event in the tracker, or nothing, as the setting
``inbound`` says. What others said there, a handover, and a status without a meaning for delivery
are events: the bot must not answer them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn, word
from rasa_whatsapp_channel.settings.inbound import (
    NO_MESSAGES,
    Handling,
    handling_of_kind,
    template_of,
    to_line,
)
from rasa_whatsapp_channel.store.base import STATUS_RANK
from rasa_whatsapp_channel.whatsapp.errors import PlatformError
from rasa_whatsapp_channel.whatsapp.events import Call, Handover, Overheard, Part, Status
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

# Parts of a status that its metadata names.
_NAMED: Final = ("payment", "pricing", "conversation", "template_id")

ConversationEvent = Call | Handover | Overheard | Status
CONVERSATION_EVENTS: Final = (Call, Handover, Overheard, Status)


def is_for_conversation(status: Status) -> bool:
    """Return whether *status* tells more than how far a message has come."""
    return status.is_payment or status.status not in STATUS_RANK


def tell(
    event: ConversationEvent,
    sender_id: str,
    wording: Mapping[str, str],
    *,
    response: str | None = None,
    readable: bool = False,
) -> Turn | TrackerEvent | None:
    """
    Return what the bot hears of *event*, or what its tracker keeps; None for nothing.

    *wording* is the setting ``inbound``, *response* the Rasa response that a status is about,
    *readable* as for `to_turn`.
    """
    kind = kind_of(event)
    way = handling_of_kind(kind, wording) if kind in NO_MESSAGES else Handling.EVENT
    if way is Handling.IGNORE:
        return None
    metadata = {"whatsapp": {"type": kind, "id": event.key, **_facts(event, response)}}
    if way is Handling.EVENT:
        return TrackerEvent(sender_id, event.key, metadata)
    name = event.profile_name if isinstance(event, Call) else None
    template, fields = template_of(kind, wording), _fields(event)
    own = to_line(kind, fields) if readable else word(f"/whatsapp_{kind}{{...}}", fields)
    text = (template and word(template, fields, name)) or own
    return Turn(text, sender_id, event.key, metadata)


def kind_of(event: ConversationEvent) -> str:
    """Return the type of *event* in the metadata."""
    if isinstance(event, Status):
        return "payment" if event.is_payment else "status"
    return type(event).__name__.lower()


def _fields(event: ConversationEvent) -> dict[str, Any]:
    """Return the entities of a payment or a call, see `settings.inbound.FIELDS`."""
    if not isinstance(event, Status):
        return {"call_id": event.id} if isinstance(event, Call) else {}
    payment = object_of(event.extra.get("payment"))
    return {
        "reference_id": text_of(payment.get("reference_id")),
        "status": event.status,
        "amount": _amount(object_of(payment.get("amount"))),
        "currency": text_of(payment.get("currency")),
    }


def _facts(event: ConversationEvent, response: str | None) -> dict[str, Any]:
    if isinstance(event, Status):
        person = (event.recipient_id, event.recipient_user_id, event.recipient_parent_user_id)
        own = _of_status(event, response)
    else:
        person = (event.phone, event.user_id, event.parent_user_id)
        own = _of_call(event) if isinstance(event, Call) else _of_others(event)
    phone, user_id, parent = person
    sometimes = {**own, "parent_user_id": parent, "phone_number_id": event.phone_number_id}
    given = {key: value for key, value in sometimes.items() if value not in (None, [], {})}
    return {"timestamp": event.timestamp, "from": phone, "user_id": user_id, **given}


def _of_status(status: Status, response: str | None) -> dict[str, Any]:
    return {
        "status": status.status,
        "message_id": status.message_id,
        "response": response,
        "errors": _errors(status.errors),
        **{name: status.extra.get(name) for name in _NAMED},
        "extra": {key: value for key, value in status.extra.items() if key not in _NAMED},
    }


def _of_call(call: Call) -> dict[str, Any]:
    return {
        "call_id": call.id,
        "event": call.event,
        "direction": call.direction,
        "status": call.status,
        "duration": call.duration,
        "profile_name": call.profile_name,
        "errors": _errors(call.errors),
        "extra": call.extra,
    }


def _of_others(event: Handover | Overheard) -> dict[str, Any]:
    if isinstance(event, Handover):
        return {"event": event.type, "detail": event.detail}
    return {
        "source": event.source,
        "what": event.what,
        "group_id": event.group_id,
        "message": {event.type: event.content, "id": event.id, "type": event.type},
        "extra": event.extra,
    }


def _errors(errors: Sequence[PlatformError]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(error) for error in errors]


def _amount(amount: Part) -> float | None:
    """Return 210.0 for 21000 with the offset 100."""
    value, offset = amount.get("value"), amount.get("offset", 100)
    is_known = all(type(each) in (int, float) for each in (value, offset)) and offset
    return value / offset if is_known else None
