"""
SQLite writer: joins operations into transactions, and empties the write-ahead log.

Statements run on the event loop's thread, on purpose. They take microseconds, whereas a separate
thread is slowest under load: sqlite3 releases the GIL at each statement, and an event loop that is
busy with a turn of Rasa returns it only after 5 ms (sys.getswitchinterval). With fifty tasks that
put, claim and end items beside turns of 10 ms, a put took 1,440 ms with a thread, 21 ms this way.

Slow operations do not block the loop: opening, waiting for the disk after a commit, checkpoints and
closing run in a thread; while another process has the lock, other tasks run between the attempts.

An operation is done when its transaction is on the disk, and survives the end of the process and a
power cut. One wait serves all operations of a transaction; those requested meanwhile are the next.
With PRAGMA synchronous = FULL the echo benchmark lost a tenth, this way nothing measurable; on a
disk that takes 5 ms, FULL blocked the loop for 13 to 44 ms at the 99th percentile.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.sqlite.connection import (
    PRIVATE,
    connect,
    retire_log,
    shorten_log,
    transact,
)
from rasa_whatsapp_channel.store.sqlite.errors import explain, is_locked
from rasa_whatsapp_channel.store.sqlite.files import LogLostError, NoFiles, OpenFiles
from rasa_whatsapp_channel.store.sqlite.log_growth import Checkpoint, LogGrowth

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Most operations of one transaction: a few milliseconds of the event loop.
LARGEST: Final = 100
# Seconds between two attempts while another process writes, which takes it a part of a millisecond.
SHORTEST_PAUSE: Final = 0.0005
LONGEST_PAUSE: Final = 0.01
# Seconds between two attempts to save a log that lost its name.
PAUSE: Final = 1.0
# Longest wait of such an attempt for other processes; webhooks wait as long for their 503.
LOG_PATIENCE: Final = 3.0


@dataclass(slots=True)  # not frozen: a dozen are made for each message
class _Operation:
    operation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]

    def give(self, result: Any) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Writer:
    """
    The connection of this process for everything but beats. *files* are those behind it.

    An operation is a plain function of the connection. It may run more than once, but only its last
    run counts: earlier ones were rolled back. *patience* is the longest wait for locks of other
    processes, in seconds.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._growth = LogGrowth()
        self._is_open = False
        self._db: sqlite3.Connection | None = None
        self.files: OpenFiles
        self._is_private = path == PRIVATE
        self._log_is_lost = False
        self._refusal = ""  # why a lost log could not be saved
        self._refused_until = 0.0
        self._jobs: deque[_Operation] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._shortening: asyncio.Task[bool] | None = None
        self._threads: ThreadPoolExecutor

    async def open(self) -> None:
        # One waits for the disk after commits, the other runs checkpoints.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="whatsapp-store")
        try:
            await self._connect()
        except BaseException:
            self._threads.shutdown(wait=False)
            raise
        self._log_is_lost = False
        self._refusal = ""
        self._is_open = True

    async def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False  # accepts nothing new, but finishes what was accepted
        tasks = [task for task in (self._runner, self._shortening) if task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._run()  # something is left if the runner was cancelled
        if self._db is not None:
            # Closing does this by itself, but only if no other process has the store open.
            await self._shorten_log(Checkpoint.INSTEAD_OF_WRITES)
            await self._disconnect(self._db)
        self._threads.shutdown(wait=False)

    async def read(
        self,
        operation: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Run *operation*, one statement that only reads, at once, without waiting for a commit.

        It sees all that was acknowledged, and nothing that is not committed yet.
        """
        self._check_open()
        if self._db is not None and not self._log_is_lost:
            try:
                return operation(self._db, *args, **kwargs)
            except sqlite3.Error as exc:
                if not is_locked(exc):
                    raise self._explain(exc) from exc
        # Rare: this or another process repairs or empties the log. Commits wait for it.
        return await self.write(operation, *args, **kwargs)

    def check_file(self) -> None:
        """Raise `StoreError` if nothing can be written; `write` checks this by itself."""
        try:
            self.files.check_file()
            if self._refusal:
                raise StoreError(self._refusal)
        except StoreError as exc:
            raise self._explain(exc) from exc

    async def empty_log(self) -> None:
        """Empty the log. Raises `StoreError`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while not await self._shorten_log(Checkpoint.BESIDE_WRITES):
            if loop.time() > deadline:
                raise StoreError(
                    f"store {self._path}: its -wal file cannot be emptied, since another process "
                    "reads the store; end that process, and do this again"
                )
            await asyncio.sleep(0.05)

    def tend(self) -> None:
        """Save a log that lost its name, empty an old one; to be called a few times a second."""
        if not self._is_open:
            return
        try:
            self.files.check()
            is_lost = self._db is None or self._log_is_lost
        except LogLostError:
            is_lost = True
        except StoreError:
            return  # the next operation raises it
        if is_lost:
            if self._runner is None or self._runner.done():
                self.write(_nothing).add_done_callback(_look_away)
            return
        now = asyncio.get_running_loop().time()
        step = self._growth.next_step_in_time(self.files.log_size, now)
        if step is not Checkpoint.NONE:
            self._begin_shortening(step)

    def write(
        self,
        operation: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Return a future that is resolved once the operation is committed, or has failed."""
        self._check_open()
        loop = asyncio.get_running_loop()
        job = _Operation(operation, args, kwargs, loop.create_future())
        self._jobs.append(job)
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run())
        return job.future

    async def _run(self) -> None:
        while self._jobs:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), LARGEST))]
            await self._settle(jobs)
            await self._watch_log()
            # Let callers continue, so that their next operations share a transaction again.
            await asyncio.sleep(0)

    async def _settle(self, jobs: Sequence[_Operation]) -> None:
        try:
            results = await self._commit(jobs)
        except Exception as exc:
            if len(jobs) > 1 and not _concerns_all(exc):
                for job in jobs:
                    await self._settle([job])
                return
            for job in jobs:
                job.fail(self._explain(exc))
            return
        except BaseException:  # cancelled, with everything else
            for job in jobs:
                job.future.cancel()
            raise
        for job, result in zip(jobs, results, strict=True):
            job.give(result)

    async def _commit(self, jobs: Sequence[_Operation]) -> list[Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        pause = SHORTEST_PAUSE
        while True:
            try:
                db = await self._connection()
                changes = db.total_changes
                results = transact(db, self.files, partial(_do_all, jobs))
                if db.total_changes != changes:
                    self._growth.note_write(loop.time())
                await self._wait_for_disk()
                return results
            except LogLostError:
                self._log_is_lost = True
            except sqlite3.OperationalError as exc:
                if not is_locked(exc) or loop.time() > deadline:
                    raise
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _wait_for_disk(self) -> None:
        """Return when the commit survives the end of the process and a power cut."""
        if self._is_private:
            return
        try:
            await self._off_loop(self.files.sync)
            self.files.check()  # once more, before it is acknowledged
        except (LogLostError, OSError):
            # The system may have dropped what it could not write. The file gets all of it anew.
            self._log_is_lost = True
            await self._connection()

    async def _connection(self) -> sqlite3.Connection:
        """Return the connection, once its log has its name."""
        if self._db is None or self._log_is_lost:
            await self._replace_log()
        assert self._db is not None
        return self._db

    async def _replace_log(self) -> None:
        """Save the content of the log, and continue with a new one."""
        loop = asyncio.get_running_loop()
        if self._refusal and loop.time() < self._refused_until:
            raise StoreError(self._refusal)
        try:
            if self._shortening is not None:
                await asyncio.wait([self._shortening])
            if self._db is not None:
                await self._retire_log(self._db)
                await self._disconnect(self._db)
            await self._connect()
            self.files.check()
        except StoreError as exc:
            self._refused_until = loop.time() + PAUSE
            self._refusal = (
                "its -wal or -shm file was deleted or replaced while the bot runs, "
                f"and the store cannot be used: {exc}"
            )
            raise StoreError(self._refusal) from exc
        self._log_is_lost = False
        self._refusal = ""
        logger.warning(
            "whatsapp.store_log_replaced: store %s: its -wal or -shm file was deleted or replaced, "
            "or could not be written; all that was in it is in the file now",
            self._path,
        )

    async def _retire_log(self, db: sqlite3.Connection) -> None:
        self.files.check_file()
        if self.files.log_size and self.files.index_was_replaced:
            raise StoreError(
                "another process opened the store since then; end it, and start the bot anew"
            )
        patience = min(self._patience, LOG_PATIENCE)
        await self._off_loop(retire_log, db, self.files, patience=patience)

    async def _connect(self) -> None:
        db = await self._off_loop(connect, self._path, patience=self._patience)
        try:
            self.files = NoFiles() if self._is_private else OpenFiles(self._path)
        except OSError as exc:
            db.close()
            raise StoreError(f"store {self._path}: its log cannot be opened ({exc})") from exc
        self._db = db

    async def _disconnect(self, db: sqlite3.Connection) -> None:
        self._db = None
        self.files.close()
        await self._off_loop(db.close)

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError(f"store {self._path}: it is not open")

    def _explain(self, error: Exception) -> Exception:
        if isinstance(error, sqlite3.Error):
            reason = explain(error)
        elif isinstance(error, StoreError):
            reason = str(error)
        else:
            return error
        ours = StoreError(f"store {self._path}: {reason}")
        ours.__cause__ = error
        return ours

    async def _watch_log(self) -> None:
        if self._db is None or self._log_is_lost:
            return
        step = self._growth.next_step(self.files.log_size)
        if step is Checkpoint.INSTEAD_OF_WRITES:
            if self._shortening is not None:
                await asyncio.wait([self._shortening])
            # Nothing is written meanwhile, so nothing of this process can delay it.
            await self._shorten_log(step)
        elif step is Checkpoint.BESIDE_WRITES:
            self._begin_shortening(step)

    def _begin_shortening(self, step: Checkpoint) -> None:
        if self._shortening is None or self._shortening.done():
            self._shortening = asyncio.create_task(self._shorten_log(step))

    async def _shorten_log(self, step: Checkpoint) -> bool:
        if self._is_private:
            return True
        is_empty = False
        try:
            # If our file was replaced, our log would be taken for that of the new one.
            self.files.check()
            is_empty = await self._off_loop(shorten_log, self._path)
        except sqlite3.Error as exc:
            logger.warning(
                "whatsapp.store_checkpoint_failed: store %s: %s", self._path, explain(exc)
            )
        except StoreError:
            pass  # the next operation raises it
        self._growth.note_checkpoint(step, self.files.log_size)
        return is_empty

    async def _off_loop(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))


def _concerns_all(error: Exception) -> bool:
    return isinstance(error, StoreError) or is_locked(error)


def _do_all(jobs: Sequence[_Operation], db: sqlite3.Connection) -> list[Any]:
    return [job.operation(db, *job.args, **job.kwargs) for job in jobs]


def _nothing(db: sqlite3.Connection) -> None:
    """Do nothing, in a transaction."""


def _look_away(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
