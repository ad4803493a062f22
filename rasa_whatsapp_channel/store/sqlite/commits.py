"""
Operations on the file; those of one moment share one transaction.

Statements run on the event loop's thread, on purpose. They take microseconds, whereas a thread of
their own is slowest when it matters: sqlite3 gives the GIL away at each statement, and a loop that
is busy with a turn of Rasa gives it back only after 5 ms (sys.getswitchinterval). Fifty tasks that
put, claim and end entries beside turns of 10 ms: a put took 1,440 ms with a thread, 21 ms this way.

What may really wait does not hold the loop: opening, checkpoints (they wait for the disk) and
closing run in a thread; while another process has the lock, other tasks run between the tries.
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
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from rasa_whatsapp_channel.store.sqlite.connection import connect, shorten_log
from rasa_whatsapp_channel.store.sqlite.faults import explain, is_locked
from rasa_whatsapp_channel.whatsapp.errors import StoreError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Operations of one transaction: a few milliseconds in which the loop does nothing else.
LARGEST: Final = 100
# Bytes of the write-ahead log after which it is carried over into the file.
LONG_LOG: Final = 16 * 1024 * 1024
# Bytes after which everybody waits for that: the disk is slower than those who write.
FAR_TOO_LONG: Final = 4 * LONG_LOG


@dataclass(slots=True)  # not frozen: a dozen are made for each message
class _Job:
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


class Commits:
    """
    The one connection of this process.

    An operation is a plain function of the connection. It may be run more than once, but only its
    last run counts: the ones before were rolled back. *patience* is for locks of other processes,
    in seconds.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._log = path.with_name(path.name + "-wal")
        self._long = LONG_LOG
        self._is_open = False
        self._db: sqlite3.Connection
        self._identity: tuple[int, int] | None = None
        self._jobs: deque[_Job] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._shortening: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor

    async def open(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whatsapp-store")
        try:
            self._db = await self._off_loop(connect, self._path, patience=self._patience)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._identity = _identify(self._path)
        self._is_open = True

    async def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False  # nothing new is taken; what was taken is still done
        tasks = [task for task in (self._runner, self._shortening) if task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._run()  # there is something left if the runner was cancelled
        await self._off_loop(self._db.close)
        self._thread.shutdown(wait=False)

    async def read(
        self,
        operation: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Run *operation*, one statement that only reads, at once: nobody has to wait for a commit.

        What others were told is kept is seen; what is not committed yet is not.
        """
        self._check_open()
        try:
            return operation(self._db, *args, **kwargs)
        except sqlite3.Error as exc:
            if not is_locked(exc):
                raise self._explain(exc) from exc
        # Rare: another process mends or empties the log. Whoever commits waits for it.
        return await self.write(operation, *args, **kwargs)

    def check_file(self) -> None:
        """Raise `StoreError` when nothing could be written; `write` finds out by itself."""
        try:
            self._check_file()
        except StoreError as exc:
            raise self._explain(exc) from exc

    def write(
        self,
        operation: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Return what is resolved once the operation is committed, or has failed."""
        self._check_open()
        loop = asyncio.get_running_loop()
        job = _Job(operation, args, kwargs, loop.create_future())
        self._jobs.append(job)
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run())
        return job.future

    async def _run(self) -> None:
        while self._jobs:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), LARGEST))]
            await self._settle(jobs)
            await self._watch_log()
            # Who was answered goes on now, and what they ask for next is one transaction again.
            await asyncio.sleep(0)

    async def _settle(self, jobs: Sequence[_Job]) -> None:
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
        for job, result in zip(jobs, results, strict=True):
            job.give(result)

    async def _commit(self, jobs: Sequence[_Job]) -> list[Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            try:
                return self._transaction(jobs)
            except sqlite3.OperationalError as exc:
                if not is_locked(exc) or loop.time() > deadline:
                    raise
            await asyncio.sleep(random.uniform(0.001, 0.01))  # noqa: S311

    def _transaction(self, jobs: Sequence[_Job]) -> list[Any]:
        self._check_file()
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            results = [job.operation(db, *job.args, **job.kwargs) for job in jobs]
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return results

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError(f"store {self._path}: it is not open")

    def _check_file(self) -> None:
        # SQLite itself would go on writing into a file that has no name any more.
        if _identify(self._path) != self._identity:
            raise StoreError(
                "the file was deleted or replaced while the bot runs; "
                "put it back, or start the bot anew"
            )

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
        size = _size(self._log)
        if size < self._long:
            return
        if self._shortening is None or self._shortening.done():
            self._shortening = asyncio.create_task(self._shorten_log())
        if size >= FAR_TOO_LONG:
            await self._shortening

    async def _shorten_log(self) -> None:
        try:
            await self._off_loop(shorten_log, self._path)
        except sqlite3.Error as exc:
            logger.warning("whatsapp.store_checkpoint_failed", extra={"reason": explain(exc)})
        # Another process may have kept it from being emptied; then once more after as much again.
        self._long = _size(self._log) + LONG_LOG

    async def _off_loop(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))


def _concerns_all(error: Exception) -> bool:
    return isinstance(error, StoreError) or is_locked(error)


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
