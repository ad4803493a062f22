"""Somebody writes: who they are is stored, as the receiver does it with the message."""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.identity import LIFE, People
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.events import InboundMessage


async def hear(store: Store, people: People, event: InboundMessage) -> Person:
    """Return the person who wrote *event*."""
    person, values = await people.sender(event)
    await store.values.set_many(values, LIFE)
    return person
