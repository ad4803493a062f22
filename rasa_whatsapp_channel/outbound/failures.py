"""Telling the bot that a message finally failed, through the inbox like anything else it hears."""

from __future__ import annotations

import logging

from rasa_whatsapp_channel.outbound.entry import Entry
from rasa_whatsapp_channel.store.base import Queue
from rasa_whatsapp_channel.whatsapp.envelopes import to_body
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed

logger = logging.getLogger(__name__)

PREFIX = "failed:"


class Failures:
    """*failure_intent* is what the bot hears; None: only the log, the queue and the ledger tell."""

    def __init__(self, inbox: Queue, failure_intent: str | None) -> None:
        self._inbox = inbox
        self._failure_intent = failure_intent

    async def tell(self, key: str, entry: Entry, *, code: int, reason: str) -> None:
        """Say that the outbox entry *key* failed for good."""
        logger.error("whatsapp.failed: %s (%s): %s", entry.called(key), key, reason)
        # What the bot says about a failure may fail as well; that must not go round in circles.
        if self._failure_intent is None or key.startswith(PREFIX):
            return
        event = DeliveryFailed(
            key=f"{PREFIX}{key}",
            recipient_id=entry.recipient_id,
            code=code,
            reason=reason,
            response=entry.response,
        )
        await self._inbox.put(event.key, entry.recipient_id, to_body(event))
