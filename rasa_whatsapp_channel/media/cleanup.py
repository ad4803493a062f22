"""Media cleanup: deletes incoming files that are older than `media.keep_days`."""

from __future__ import annotations

import asyncio
import logging
import posixpath
import shutil
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.media.folder import today_here
from rasa_whatsapp_channel.media.object_store import is_url, open_system

logger = logging.getLogger(__name__)

PAUSE: Final = 3600.0


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
        self._folder = root / store
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
        delete = self._in_store if is_url(self._store) else self._in_folder
        try:
            await asyncio.to_thread(delete)
        except Exception as error:  # a disk's, or whatever a store's own package raises
            _complain("the days that are kept", error)

    async def _run(self) -> None:
        while True:
            await self.tidy()
            await self._sleep(PAUSE)

    def _in_folder(self) -> None:
        if self._folder.is_dir():
            old = self._old(path.name for path in self._folder.iterdir())
            _each(old, lambda name: shutil.rmtree(self._folder / name))

    def _in_store(self) -> None:
        system: Any
        system, root = open_system(self._store)
        if not system.exists(root):
            return
        system.invalidate_cache()
        paths = system.ls(root, detail=False)
        old = self._old(posixpath.basename(str(path).rstrip("/")) for path in paths)
        _each(old, lambda name: system.rm(posixpath.join(root, name), recursive=True))

    def _old(self, names: Iterable[str]) -> list[str]:
        return find_old(names, today=self._today(), keep_days=self._keep_days)


def _each(names: Iterable[str], delete: Callable[[str], None]) -> None:
    """Delete all of *names*, whether or not one of them fails."""
    for name in names:
        try:
            delete(name)
        except Exception as error:
            _complain(name, error)


def _complain(what: str, error: Exception) -> None:
    logger.warning(
        "whatsapp.media_not_deleted: %s: %s; tried again in %d minutes", what, error, PAUSE // 60
    )


def find_old(names: Iterable[str], *, today: date, keep_days: int) -> list[str]:
    """Return those of *names* that are days before the last *keep_days*."""
    last = today - timedelta(days=keep_days)
    old = []
    for name in names:
        try:
            day = date.fromisoformat(name)
        except ValueError:
            continue
        if day < last and day.isoformat() == name:
            old.append(name)
    return old
