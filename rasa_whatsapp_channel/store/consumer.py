"""
A queue's entries, each handed to a function, until told to stop.

What the function returns says how the entry ends; the consumer carries it out. Conversations run
side by side, each in order (the queue sees to that). While the function runs, the lease is renewed,
so a slow bot keeps its entry and a dead process loses it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Clock, Item, Queue
from rasa_whatsapp_channel.whatsapp.errors import StoreError

logger = logging.getLogger(__name__)

LEASE: Final = 30.0
SLOTS: Final = 200
IDLE: Final = 1.0  # longest wait between two looks at the queue
STORE_PAUSE: Final = 1.0  # after the store failed


@dataclass(frozen=True)
class Done:
    """The entry is finished."""


@dataclass(frozen=True)
class Release:
    """Try again in *after* seconds."""

    after: float


@dataclass(frozen=True)
class SetAside:
    """The entry cannot be handled; *reason* is for a person."""

    reason: str


Outcome = Done | Release | SetAside
Handle = Callable[[Item], Awaitable[Outcome]]
DONE: Final = Done()


class Consumer:
    """*ready* is asked before anything is claimed; *handle* must not raise, but may."""

    def __init__(
        self,
        queue: Queue,
        handle: Handle,
        *,
        name: str,
        ready: Callable[[], bool] = lambda: True,
        slots: int = SLOTS,
        lease: float = LEASE,
        metrics: Metrics | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._name = name
        self._ready = ready
        self._lease = lease
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._slots = asyncio.Semaphore(slots)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name=f"whatsapp {self._name}")

    async def stop(self, grace: float) -> None:
        """Take nothing new, let what is in hand finish for *grace* seconds, hand the rest back."""
        if self._loop is not None:
            await _cancel(self._loop)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in tuple(self._tasks):
            await _cancel(task)

    async def _run(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                item = await self._next()
            except BaseException:
                self._slots.release()
                raise
            task = asyncio.create_task(self._work(item))
            # The loop keeps only weak references to tasks.
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()

    async def _next(self) -> Item:
        while True:
            try:
                if self._ready() and (item := await self._queue.claim(self._lease)):
                    return item
                await self._queue.wait(IDLE if self._ready() else IDLE / 4)
            except StoreError as error:
                logger.error(
                    "whatsapp.store_failed", extra={"queue": self._name, "reason": str(error)}
                )
                await asyncio.sleep(STORE_PAUSE)

    async def _work(self, item: Item) -> None:
        renewal = asyncio.create_task(self._renew(item))
        if item.attempts == 1:
            self._metrics.waited(self._name, self._clock() - item.put_at)
        outcome: Outcome = Release(0.0)  # what happens when this task is cancelled
        try:
            outcome = await self._handle(item)
        except Exception as error:  # a slip of ours must not lose the entry
            logger.exception("whatsapp.handler_failed", extra={"queue": self._name})
            outcome = Release(min(2.0**item.attempts, 60.0))
            if item.attempts >= 10:
                outcome = SetAside(f"{type(error).__name__}: {error}")
        finally:
            renewal.cancel()
            await self._end(item, outcome)

    async def _renew(self, item: Item) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                if not await self._queue.extend(item, self._lease):
                    logger.warning("whatsapp.lease_lost", extra={"queue": self._name})
                    return
            except StoreError as error:
                logger.error(
                    "whatsapp.store_failed", extra={"queue": self._name, "reason": str(error)}
                )

    async def _end(self, item: Item, outcome: Outcome) -> None:
        try:
            if isinstance(outcome, Done):
                await self._queue.done(item)
            elif isinstance(outcome, Release):
                await self._queue.release(item, outcome.after)
            else:
                logger.error(
                    "whatsapp.given_up",
                    extra={"queue": self._name, "key": item.key, "reason": outcome.reason},
                )
                await self._queue.give_up(item, outcome.reason)
                self._metrics.given_up(self._name)
        except StoreError as error:
            # The lease ends by itself; the entry comes back and its keys keep it from doubling.
            logger.error("whatsapp.store_failed", extra={"queue": self._name, "reason": str(error)})


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
