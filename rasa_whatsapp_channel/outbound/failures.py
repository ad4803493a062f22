"""Failures: puts an event into the inbox for each message that finally failed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import failure_key
from rasa_whatsapp_channel.notify.notifications import FAILED, WITHHELD
from rasa_whatsapp_channel.outbound.marketing import OPTED_OUT, TITLE, Marketing
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.notified import Notified
from rasa_whatsapp_channel.store.base import Queue
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, to_body

logger = logging.getLogger(__name__)

NoteCode = Callable[[int, str], Awaitable[None]]


class TellDesk(Protocol):
    """Tells a desk what became of an outbox item; returns False where it is none of the desk's."""

    async def __call__(self, key: str, status: str, *, code: int = 0, reason: str = "") -> bool: ...


class Failures:
    """
    `inbound` decides whether the bot gets a turn or an event in its tracker.

    With *people* the event goes to the person's current conversation. With *marketing* an opt-out
    that WhatsApp reports as an error is noted. *note_code* gets code and reason of each failure.
    With *tell_desk* a desk hears of its own messages instead of the bot.
    """

    def __init__(
        self,
        inbox: Queue,
        *,
        people: People | None = None,
        marketing: Marketing | None = None,
        note_code: NoteCode | None = None,
        tell_desk: TellDesk | None = None,
        notified: Notified | None = None,
    ) -> None:
        self._inbox = inbox
        self._people = people
        self._marketing = marketing
        self._note_code = note_code
        self.tell_desk = tell_desk
        self._notified = notified

    async def tell(
        self, key: str, entry: OutboxMessage, *, code: int, reason: str, title: str = ""
    ) -> None:
        """Report that the item *key* finally failed; *code* and *title* are WhatsApp's."""
        logger.error("whatsapp.failed: %s (%s): %s", entry.called(key), key, reason)
        if self._note_code is not None:
            await self._note_code(code, reason)
        if self._notified is not None:
            await self._notified.end(key, FAILED, reason)
        if code == OPTED_OUT and self._people is not None and self._marketing is not None:
            person = await self._people.of(entry.recipient_id)
            await self._marketing.note_refusal(entry, person)
        await self._put(key, entry, code=code, reason=reason, title=title)

    async def withhold(self, key: str, entry: OutboxMessage, reason: str) -> None:
        """Report that the item *key* was not sent, as the person wants no marketing."""
        logger.info("whatsapp.opted_out: %s (%s) is not sent: %s", entry.called(key), key, reason)
        if self._notified is not None:
            await self._notified.end(key, WITHHELD, reason)
        await self._put(key, entry, code=OPTED_OUT, reason=reason, title=TITLE)

    async def _put(
        self, key: str, entry: OutboxMessage, *, code: int, reason: str, title: str
    ) -> None:
        if self.tell_desk and await self.tell_desk(key, "failed", code=code, reason=reason):
            return
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
