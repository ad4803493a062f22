"""
The store in one SQLite file, safe for several processes on one machine; or in memory, for one.

    schema      the tables; their versions
    connection  a file → a connection, or what is wrong with it
    files       whether the files behind a connection are still the ones with their names
    commits     whose turn it is on the connection; joins operations into transactions
    log         when the write-ahead log is carried over into the file
    queue, ledger, values
    claimants   which processes claim entries, and which of them died
    purge       what is forgotten when
    erase       what is forgotten of one person
    faults      SQLite's errors in words
    backup      a whole copy while others write
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import Clock, Retention, Store
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.heartbeat import Heartbeat
from rasa_whatsapp_channel.store.mention import mention_of
from rasa_whatsapp_channel.store.sqlite.claimants import Claimants, leave
from rasa_whatsapp_channel.store.sqlite.commits import Commits
from rasa_whatsapp_channel.store.sqlite.connection import PRIVATE
from rasa_whatsapp_channel.store.sqlite.erase import erase_mentions
from rasa_whatsapp_channel.store.sqlite.ledger import SQLiteLedger
from rasa_whatsapp_channel.store.sqlite.purge import ends, forget
from rasa_whatsapp_channel.store.sqlite.queue import SQLiteQueue
from rasa_whatsapp_channel.store.sqlite.values import SQLiteValues

logger = logging.getLogger(__name__)

# Seconds between two looks at the files, and whether another process wrote, while somebody waits.
LISTEN: Final = 0.25
PURGE: Final = 60.0
# Seconds that a lock of another process is waited for.
PATIENCE: Final = 10.0
# Seconds between two steps of a purge, for everybody else.
BREATH: Final = 0.02


class SQLiteStore(Store):
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock = time.time,
        retention: Retention | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._path = Path(path)
        self._commits = Commits(self._path, patience=patience)
        self._clock = clock
        self._retention = retention or Retention()
        self._queues = tuple(
            SQLiteQueue(name, self._commits, clock=clock, claimant=self._claimant)
            for name in ("inbox", "outbox")
        )
        self.inbox, self.outbox = self._queues
        self.ledger = SQLiteLedger(self._commits, clock=clock)
        self.values = SQLiteValues(self._commits, clock=clock)
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._is_private = self._path == PRIVATE
        self._own = ""
        self._heartbeat: Heartbeat | None = None

    async def open(self) -> None:
        await self._commits.open()
        self._own = uuid.uuid4().hex
        self._claimants = Claimants(self._path, self._own, files=lambda: self._commits.files)
        self._heartbeat = Heartbeat(self.beat)
        self._tasks = (
            asyncio.create_task(self._listen(), name="whatsapp store: listen"),
            asyncio.create_task(self._purge_now_and_then(), name="whatsapp store: purge"),
        )

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._heartbeat is not None and self._heartbeat.is_started:
            await asyncio.to_thread(self._heartbeat.stop)
            with contextlib.suppress(StoreError):  # then others take over after a while
                await self._commits.write(leave, self._own)
        self._heartbeat = None
        await self._commits.close()
        for queue in self._queues:
            queue.line.close()

    def beat(self) -> None:
        if not self._is_private:
            self._claimants.beat()

    def _claimant(self) -> str:
        """Return the name of this process for a claim, which others can see it live by."""
        if self._heartbeat is not None and not self._heartbeat.is_started and not self._is_private:
            self._heartbeat.start()
        return self._own

    async def ping(self) -> None:
        await self.values.set("ping", self._clock(), ttl=PURGE)

    async def purge(self) -> None:
        for queue in self._queues:
            await self._commits.write(queue.follow_clock)
        for statement, before in ends(self._retention, self._clock()).items():
            await self._forget(statement, before)

    async def erase(self, person: str) -> int:
        """
        Forget all that names *person* but what waits in the queues; return how many rows it was.

        Nothing of it is left in the bytes of the file and of its log.
        """
        erased = await self._commits.write(erase_mentions, mention_of(person))
        await self._commits.empty_log()
        return erased

    async def _forget(self, statement: str, before: float) -> None:
        while True:
            if not await self._commits.write(forget, statement, before):
                return
            await asyncio.sleep(BREATH)

    async def _purge_now_and_then(self) -> None:
        while True:
            try:
                await self.purge()
            except StoreError as exc:
                logger.warning(
                    "whatsapp.store_purge_failed: %s; tried again in %d seconds", exc, PURGE
                )
            await asyncio.sleep(PURGE)

    async def _listen(self) -> None:
        """Look after the files, and wake those who wait when another process wrote."""
        seen = None
        while True:
            await asyncio.sleep(LISTEN)
            self._commits.tend()
            if all(queue.line.is_empty for queue in self._queues):
                continue
            try:
                version = await self._commits.read(_data_version)
            except StoreError:
                continue  # whoever claims next is told
            if version != seen:
                seen = version
                for queue in self._queues:
                    queue.line.wake()


def _data_version(db: sqlite3.Connection) -> int:
    # Changes when another connection wrote: https://www.sqlite.org/pragma.html#pragma_data_version
    (version,) = db.execute("PRAGMA data_version").fetchone()
    return int(version)
