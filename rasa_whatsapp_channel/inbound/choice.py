"""A number that is typed after the bot offered numbers → the payload it stands for."""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.choices import choose
from rasa_whatsapp_channel.whatsapp.events import InboundMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

_MOST_DIGITS = 6


def typed_number(event: InboundMessage) -> str | None:
    """Return the number that *event* is, however it is written: "3", " 3. ", "3)", "٣"."""
    if event.type != "text":
        return None
    written = (text_of(object_of(event.content).get("body")) or "").strip().rstrip(".)").strip()
    is_number = written.isdecimal() and len(written) <= _MOST_DIGITS
    return str(int(written)) if is_number else None


async def chosen_payload(
    values: Values, people: People, event: InboundMessage, sender_id: str
) -> str | None:
    """Return what the number in *event*, a message of *sender_id*, stands for."""
    number = typed_number(event)
    if number is None:
        return None
    person = await people.of(sender_id)
    for conversation in person.conversations(sender_id):
        payload = await choose(values, conversation, event.id, number)
        if payload is not None:
            return payload
    return None
