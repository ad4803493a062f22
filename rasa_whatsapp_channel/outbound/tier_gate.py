"""
Tier gate: how many people are written to outside of their window in any 24 hours.

WhatsApp's messaging limit counts each person once, over all numbers of a business:
https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.notify.timing import SLOT
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import WINDOW, Clock, QueueItem, Retry, Store
from rasa_whatsapp_channel.unix_time import DAY

logger = logging.getLogger(__name__)

_SLOTS: Final = int(DAY // SLOT) + 1  # so many touch any 24 hours


class TierGate:
    """*limit* counts where WhatsApp has told none; None: nothing is held back then."""

    def __init__(
        self,
        store: Store,
        account: AccountState,
        *,
        limit: int | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._values = store.values
        self._outbox = store.outbox
        self._windows = Windows(store.values)
        self._account = account
        self._limit = limit
        self._clock = clock

    async def hold(
        self, item: QueueItem, entry: OutboxMessage, person: Person, *, jitter: float
    ) -> Retry | None:
        """Count *person*, or let *entry* wait: for room, or until they write."""
        if entry.needs_window:
            return None
        limit = await self._account.messaging_limit(self._limit)
        if not limit:
            return None
        names, now = person.conversations(entry.recipient_id), self._clock()
        if await self._is_open(names):
            return None
        # Each counter has who was written to in the 24 to 26 hours before it ends.
        slot = int(now // SLOT)
        counters = {f"reached:{slot + ahead}": limit for ahead in range(_SLOTS)}
        key = f"reached:{slot}:{person.name}"
        counts = await self._values.count(key, counters, DAY + 2 * SLOT, beyond=False)
        if max(counts) < limit:
            return None
        if await self._values.add(f"reached told:{slot}", True, 2 * SLOT):
            logger.warning(
                "whatsapp.messaging_limit: %s people were written to within a day, as many as "
                "WhatsApp allows; further templates wait",
                limit,
            )
        left = (slot + 1) * SLOT - now
        recheck = partial(self._recheck, item, names)
        return Retry(left + jitter * SLOT, cause=WINDOW, counted=False, then=recheck)

    async def _is_open(self, names: Sequence[str]) -> bool:
        wrote_at = await self._windows.last_wrote(names)
        return wrote_at is not None and not is_closed(wrote_at, self._clock())

    async def _recheck(self, item: QueueItem, names: Sequence[str]) -> None:
        """End the wait if the person wrote while *item* was still claimed."""
        if await self._is_open(names):
            await self._outbox.end_wait(item.conversation, WINDOW)
