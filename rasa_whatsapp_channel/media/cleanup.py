"""Media cleanup: deletes incoming files that are older than `media.keep_days`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.media.folder import today_here
from rasa_whatsapp_channel.media.kept import open_kept

logger = logging.getLogger(__name__)

PAUSE: Final = 3600.0  # seconds between two looks


class MediaCleanup:
    """Deletes every hour what is older than *keep_days* in *store*, a folder or an address."""

    def __init__(
        self,
        store: str,
        *,
        root: Path,
        keep_days: int,
        today: Callable[[], date] = today_here,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._root = root
        self._keep_days = keep_days
        self._today = today
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def tidy(self) -> None:
        """Delete old days; what cannot be deleted is tried again."""
        try:
            await asyncio.to_thread(self._delete_old)
        except Exception as error:  # a disk's, or whatever a store's own package raises
            _complain("the days that are kept", error)

    async def _run(self) -> None:
        while True:
            await self.tidy()
            await self._sleep(PAUSE)

    def _delete_old(self) -> None:
        kept = open_kept(self._store, self._root)
        last = self._today() - timedelta(days=self._keep_days)
        for day in kept.days():
            if date.fromisoformat(day) < last:
                try:
                    kept.delete_day(day)
                except Exception as error:  # the other days go all the same
                    _complain(day, error)


def _complain(what: str, error: Exception) -> None:
    logger.warning(
        "whatsapp.media_not_deleted: %s: %s; tried again in %d minutes", what, error, PAUSE // 60
    )
