"""Window gate: keeps messages while the 24-hour window is closed, and sends templates instead."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from rasa_whatsapp_channel.conversation.identity import People, Person
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.window import Windows, is_closed, is_covered
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import WINDOW, DeadLetter, QueueItem, Retry, Store

logger = logging.getLogger(__name__)

CROSSING: Final = 30.0  # seconds that a request may take
AGAIN: Final = 5.0
WINDOW_CLOSED: Final = 131047  # WhatsApp's code for a message outside of the window
TOO_LATE: Final = "the 24-hour window is closed, and the person did not write again"


class WindowGate:
    """
    Messages are kept for *keep* seconds. *reengagement* is the body of a template for responses
    that bring none of their own. All methods raise `StoreError`.
    """

    def __init__(
        self,
        store: Store,
        people: People,
        *,
        keep: float,
        reengagement: Mapping[str, Any] | None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._windows = Windows(store.values)
        self._people = people
        self._keep = keep
        self.reengagement = reengagement
        self._clock = clock

    async def hold(
        self, item: QueueItem, entry: OutboxMessage, person: Person
    ) -> Retry | DeadLetter | None:
        """Return what happens to *entry* while the window is closed; None if it may be sent."""
        if not entry.needs_window or not await self.is_closed(entry, person):
            return None
        left = item.put_at + self._keep - self._clock()
        if left <= 0:
            return DeadLetter(TOO_LATE)
        if entry.template is not None:
            await self._put_template(item, entry, entry.template)
        elif not await self.reengage(item, entry, person):
            logger.warning(
                "whatsapp.window_closed: %s waits for the person to write; no template is set",
                entry.called(item.key),
            )
        return Retry(left, cause=WINDOW, counted=False, then=partial(self._recheck, entry))

    async def close(self, entry: OutboxMessage) -> Retry:
        """Note that WhatsApp says the window is closed; both may have written at the same time."""
        person = await self._people.of(entry.recipient_id)
        names = person.conversations(entry.recipient_id)
        closed = await self._windows.close(names, since=self._clock() - CROSSING)
        return Retry(0.0 if closed else AGAIN, counted=False)

    async def is_closed(
        self, entry: OutboxMessage, person: Person, *, since: float = math.inf
    ) -> bool:
        """Return whether the window is closed, and was not open for a while *since* then."""
        wrote_at = await self._windows.last_wrote(person.conversations(entry.recipient_id))
        return is_closed(wrote_at, self._clock()) and (wrote_at or 0.0) <= since

    async def _recheck(self, entry: OutboxMessage) -> None:
        """End the wait if the person wrote while the entry was still claimed."""
        person = await self._people.of(entry.recipient_id)
        if not await self.is_closed(entry, person):
            await self._store.outbox.end_wait(entry.recipient_id, WINDOW)

    async def reengage(self, item: QueueItem, entry: OutboxMessage, person: Person) -> bool:
        """
        Put the reengagement template into the outbox; False if none is set.

        An earlier one may also stand for *item*.
        """
        if self.reengagement is None:
            return False
        names = person.conversations(entry.recipient_id)
        last = await self._windows.last_template(names[0])
        wrote_at = await self._windows.last_wrote(names)
        if is_covered(last, wrote_at=wrote_at, put_at=item.put_at, keep=self._keep):
            return True
        await self._put_template(item, entry, self.reengagement)
        await self._windows.note_template(names[0], self._clock(), life=2 * self._keep)
        return True

    async def _put_template(
        self, item: QueueItem, entry: OutboxMessage, template: Mapping[str, Any]
    ) -> None:
        """Put *template* into a conversation of its own; its key lets it be sent only once."""
        stand_in = OutboxMessage(
            entry.recipient_id,
            template,
            entry.response,
            stands_in=True,
            turn_version=entry.turn_version,
        )
        key = entry.template_key or f"{item.key}:template"
        await self._store.outbox.put(
            key, template_conversation(entry.recipient_id), stand_in.body()
        )
