"""
SQLite store: one file, safe for several processes on one machine; or in memory, for one process.

    schema      tables and their versions
    connection  opens the file, watches the files behind it, empties its write-ahead log
    writer      joins operations into transactions, and decides when the log is emptied
    queue, ledger, values
    statements  the SQL of the queue
    claimants   which processes claim items, and which of them died
    shared_clock  processes of one file have one time
    wakeups     one process wakes another when an item may be ready
    deletion    what expires, and what is erased of one person
    errors      SQLite's errors, and what to do about them
    backup      a whole copy while other processes write
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

from rasa_whatsapp_channel.store.base import QUEUES, Clock, Retention, Store, StoreError
from rasa_whatsapp_channel.store.clock import LASTS, SteadyClock
from rasa_whatsapp_channel.store.heartbeat import Heartbeat
from rasa_whatsapp_channel.store.sqlite import shared_clock
from rasa_whatsapp_channel.store.sqlite.claimants import SQLiteClaimants, leave
from rasa_whatsapp_channel.store.sqlite.connection import PRIVATE
from rasa_whatsapp_channel.store.sqlite.deletion import ends, erase_mentions, forget
from rasa_whatsapp_channel.store.sqlite.ledger import SQLiteLedger
from rasa_whatsapp_channel.store.sqlite.queue import SQLiteQueue
from rasa_whatsapp_channel.store.sqlite.values import SQLiteValues
from rasa_whatsapp_channel.store.sqlite.wakeups import Wakeups
from rasa_whatsapp_channel.store.sqlite.writer import Writer
from rasa_whatsapp_channel.store.text import mention_of

logger = logging.getLogger(__name__)

# Seconds between two checks of the files, which other processes there are, and whether one wrote.
LISTEN: Final = 0.25
EXPIRE_EVERY: Final = 60.0  # seconds
# Until the first expiry of a process: it may have started with a clock that is days ahead, and
# follows a right one only when it has lasted. Seen keys that expired would be taken once more.
FIRST_EXPIRY: Final = 1.5 * LASTS
# Longest wait for a lock of another process, in seconds.
PATIENCE: Final = 10.0
# Seconds between two steps of expiry, for other operations.
PAUSE: Final = 0.02


class SQLiteStore(Store):
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock = time.time,
        retention: Retention | None = None,
        patience: float = PATIENCE,
        listen: float = LISTEN,
    ) -> None:
        self._path = Path(path)
        self._writer = Writer(self._path, patience=patience)
        self._clock = clock
        self._retention = retention or Retention()
        self._queues = tuple(
            SQLiteQueue(
                name, self._writer, clock=clock, claimant=self._claimant, tell=self._tell_others
            )
            for name in QUEUES
        )
        self.inbox, self.outbox, self.desk = self._queues
        self.ledger = SQLiteLedger(self._writer, clock=clock)
        self.values = SQLiteValues(self._writer, clock=clock)
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._is_private = self._path == PRIVATE
        self._shared_clock = (
            clock if isinstance(clock, SteadyClock) and not self._is_private else None
        )
        self._listen_every = listen
        self._own = ""
        self._wakeups: Wakeups | None = None  # of a file
        self._heartbeat: Heartbeat | None = None

    async def open(self) -> None:
        await self._writer.open()
        if self._shared_clock is not None:
            await self._writer.write(shared_clock.adopt, self._shared_clock)
        self._own = uuid.uuid4().hex
        self._claimants = SQLiteClaimants(self._path, self._own, files=lambda: self._writer.files)
        self._heartbeat = Heartbeat(self.beat)
        if not self._is_private:
            self._wakeups = Wakeups(self._path, self._own, wake=self._wake)
            self._wakeups.look()
        # What was written before is found by the first claim.
        version = await self._writer.read(_data_version)
        self._tasks = (
            asyncio.create_task(self._listen(version), name="whatsapp store: listen"),
            asyncio.create_task(self._expire_now_and_then(), name="whatsapp store: expire"),
        )

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._heartbeat is not None and self._heartbeat.is_started:
            await asyncio.to_thread(self._heartbeat.stop)
            with contextlib.suppress(StoreError):  # then other processes take over
                await self._writer.write(leave, self._own)
        self._heartbeat = None
        await self._writer.close()
        if self._wakeups is not None:
            self._wakeups.close()
            self._wakeups = None
        for queue in self._queues:
            queue.wait_queue.close()

    def beat(self) -> None:
        if not self._is_private:
            self._claimants.beat()

    def _claimant(self) -> str:
        """Return the id of this process for a claim; with the first one its heartbeat starts."""
        if self._heartbeat is not None and not self._heartbeat.is_started and not self._is_private:
            self._heartbeat.start()
            if self._wakeups is not None:
                self._wakeups.bind()
        return self._own

    def _tell_others(self, queue: str) -> None:
        if self._wakeups is not None:
            self._wakeups.tell(queue)

    def _wake(self, name: str) -> None:
        """Wake a task of this process, as another process asks for it."""
        for queue in self._queues:
            if queue.name == name:
                queue.wait_queue.wake()

    async def ping(self) -> None:
        await self.values.set("ping", self._clock(), ttl=EXPIRE_EVERY)

    async def expire(self) -> None:
        await self._follow_clock()
        for statement, before in ends(self._retention, self._clock()).items():
            await self._forget(statement, before)

    async def erase(self, person: str) -> int:
        """
        Delete all rows that name *person*, except items that wait; return their number.

        Nothing of them is left in the bytes of the file and its log.
        """
        erased = await self._writer.write(erase_mentions, mention_of(person))
        await self._writer.empty_log()
        return erased

    async def _forget(self, statement: str, before: float) -> None:
        while True:
            if not await self._writer.write(forget, statement, before):
                return
            await asyncio.sleep(PAUSE)

    async def _follow_clock(self) -> None:
        for queue in self._queues:
            await self._writer.write(queue.follow_clock)

    async def _expire_now_and_then(self) -> None:
        loop = asyncio.get_running_loop()
        expire, known_at = self._follow_clock, loop.time() + FIRST_EXPIRY
        while True:
            try:
                await expire()
                if self._shared_clock is not None:
                    await self._writer.write(shared_clock.note, self._shared_clock)
            except StoreError as exc:
                logger.warning(
                    "whatsapp.store_expiry_failed: %s; tried again in %d seconds", exc, EXPIRE_EVERY
                )
            await asyncio.sleep(EXPIRE_EVERY)
            if loop.time() >= known_at:
                expire = self.expire

    async def _listen(self, seen: int) -> None:
        """Check the files, and wake waiting tasks when another process wrote since *seen*."""
        while True:
            await asyncio.sleep(self._listen_every)
            self._writer.tend()
            if self._wakeups is not None:
                self._wakeups.look()
            if all(queue.wait_queue.is_empty for queue in self._queues):
                continue
            try:
                version = await self._writer.read(_data_version)
            except StoreError:
                continue  # the next claim raises it
            if version != seen:
                seen = version
                for queue in self._queues:
                    queue.wait_queue.wake()


def _data_version(db: sqlite3.Connection) -> int:
    # Changes when another connection wrote: https://www.sqlite.org/pragma.html#pragma_data_version
    (version,) = db.execute("PRAGMA data_version").fetchone()
    return int(version)
