"""Notified: notes how far the messages of notifications come, and pauses a run that fails."""

from __future__ import annotations

import logging
import time
from typing import Final

from rasa_whatsapp_channel.account import AccountState, Trouble
from rasa_whatsapp_channel.notify.notifications import FAILED, NOTIFICATIONS, Notifications
from rasa_whatsapp_channel.store.base import Clock
from rasa_whatsapp_channel.unix_time import DAY

logger = logging.getLogger(__name__)

PAUSE: Final = DAY / 24


class Notified:
    """*key* is that of any item of the outbox. Every method raises `StoreError`."""

    def __init__(
        self, notifications: Notifications, account: AccountState, *, clock: Clock = time.time
    ) -> None:
        self._notifications = notifications
        self._account = account
        self._clock = clock

    async def note(self, key: str, status: str) -> None:
        """Note a status; a failure is final only when `end` says so."""
        if status != FAILED:
            await self._notifications.note(key, status)

    async def end(self, key: str, state: str, reason: str) -> None:
        """Note why it does not reach the person: *state* is `FAILED` or `WITHHELD`."""
        counts = await self._notifications.note(key, state, reason)
        if counts is None:
            return
        sent, lost = counts
        detail = f"{lost} of {sent + lost} messages of this hour failed, the last one: {reason}"
        logger.error("whatsapp.notifications_paused: for an hour, as %s", detail)
        now = self._clock()
        trouble = Trouble(NOTIFICATIONS, "PAUSED", detail=detail, since=now, until=now + PAUSE)
        await self._account.keep(trouble)
