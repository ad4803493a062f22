"""Failures: puts an event into the inbox for each message that finally failed."""

from __future__ import annotations

import logging

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import failure_key
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import Queue
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, to_body

logger = logging.getLogger(__name__)


class Failures:
    """
    `inbound` decides whether the bot gets a turn or an event in its tracker.

    With *people* the event goes to the person's current conversation.
    """

    def __init__(self, inbox: Queue, people: People | None = None) -> None:
        self._inbox = inbox
        self._people = people

    async def tell(
        self, key: str, entry: OutboxMessage, *, code: int, reason: str, title: str = ""
    ) -> None:
        """Report that the item *key* finally failed; *code* and *title* are WhatsApp's."""
        logger.error("whatsapp.failed: %s (%s): %s", entry.called(key), key, reason)
        conversation = entry.recipient_id
        if self._people is not None:
            person = await self._people.of(conversation)
            conversation = person.conversations(conversation)[0]
        event = DeliveryFailed(
            key=failure_key(key),
            recipient_id=conversation,
            code=code,
            reason=reason,
            response=entry.response,
            title=title,
        )
        await self._inbox.put(event.key, conversation, to_body(event))
