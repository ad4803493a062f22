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
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Body, Clock, Item, Queue
from rasa_whatsapp_channel.whatsapp.errors import StoreError

logger = logging.getLogger(__name__)

# What a server that died had in hand comes back after so long. The event loop of a living one may
# be busy for longer (Rasa loads a model): see `_take`.
LEASE: Final = 10.0
SLOTS: Final = 200
AT_ONCE: Final = 20  # entries of one claim: few, since other servers want some too
IDLE: Final = 1.0  # longest wait between two looks at the queue
UNREADY: Final = 0.25  # between two looks whether there is somebody to hand entries to
STORE_PAUSE: Final = 1.0  # after the store failed
ENDINGS: Final = 600  # tries to tell the store how an entry ended
FAREWELL: Final = 2.0  # longest wait for those who were told to stop at once
SLIPS: Final = 10  # times that a function may fail for the same entry
LONGEST_PAUSE: Final = 60.0  # before the next of them


@dataclass(frozen=True)
class Done:
    """
    The entry is finished; its conversation's next one may go after *hold* seconds.

    *then* is done when the store knows; it may be done more than once.
    """

    hold: float = 0.0
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Release:
    """
    Try again in *after* seconds, with another *body* if there is one.

    *attempt* False: it was no fault of the entry, and does not count as a try. *then* as in `Done`.
    """

    after: float
    body: Body | None = None
    attempt: bool = True
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SetAside:
    """The entry cannot be handled; *reason* is for a person. *hold* as in `Done`."""

    reason: str
    hold: float = 0.0


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
        pause: float = STORE_PAUSE,
        metrics: Metrics | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._name = name
        self._ready = ready
        self._slots = slots
        self._lease = lease
        self._pause = pause
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: dict[str, Item] = {}  # by key; as it was claimed last
        self._slot_is_free = asyncio.Event()
        self._claim_is_over = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name=f"whatsapp {self._name}")

    async def stop(self, grace: float) -> None:
        """Take nothing new, let what is in hand finish for *grace* seconds, hand the rest back."""
        self._stopping = True
        if self._loop is not None:
            await _cancel([self._loop])
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        late = await _cancel(tuple(self._tasks))
        if late:
            logger.warning("whatsapp.not_stopped", extra={"queue": self._name, "entries": late})

    async def _run(self) -> None:
        while True:
            slots = await self._free_slots()
            try:
                if not self._ready():
                    # Not `wait`: that would take the wake of somebody who is ready.
                    await asyncio.sleep(UNREADY)
                elif not await self._claim(min(slots, AT_ONCE)):
                    await self._queue.wait(IDLE)
            except Exception as error:  # whatever it is, the entries after it must be handled
                self._complain(error)
                await asyncio.sleep(self._pause)

    async def _claim(self, limit: int) -> bool:
        """Take what there is. False: nothing."""
        self._claim_is_over.clear()
        try:
            items = await self._queue.claim_many(self._lease, limit)
            for item in items:
                self._take(item)
        finally:
            self._claim_is_over.set()
        return bool(items)

    def _take(self, item: Item) -> None:
        is_in_hand = item.key in self._in_hand
        self._in_hand[item.key] = item
        if is_in_hand:
            # The lease ended unheard, and our own claim was the next: the one in hand goes on.
            logger.warning("whatsapp.lease_late", extra={"queue": self._name})
            return
        # The loop keeps only weak references to tasks.
        task = asyncio.create_task(self._work(item))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def _free_slots(self) -> int:
        while len(self._tasks) >= self._slots:
            self._slot_is_free.clear()
            await self._slot_is_free.wait()
        return self._slots - len(self._tasks)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slot_is_free.set()

    async def _work(self, item: Item) -> None:
        renewal = _Later(self._lease / 3, lambda: self._renew(item))
        if item.attempts == 1:
            self._metrics.waited(self._name, self._clock() - item.put_at)
        try:
            await self._end(item, await self._ask(item))
        finally:
            renewal.cancel()
            del self._in_hand[item.key]

    async def _ask(self, item: Item) -> Outcome:
        try:
            return await self._handle(item)
        except asyncio.CancelledError:
            if self._stopping:
                return Release(0.0, attempt=False)
            # Something inside of the function was cancelled: a failure like any other.
            return self._after_slip(item, "what it waited for was cancelled")
        except StoreError as error:
            self._complain(error)
            return Release(self._pause, attempt=False)
        except Exception as error:  # a slip of ours must not lose the entry
            logger.exception("whatsapp.handler_failed", extra={"queue": self._name})
            return self._after_slip(item, f"{type(error).__name__}: {error}")

    def _after_slip(self, item: Item, reason: str) -> Outcome:
        if item.tries >= SLIPS:
            return SetAside(reason)
        return Release(min(2.0**item.tries, LONGEST_PAUSE))

    async def _renew(self, item: Item) -> None:
        is_held = True
        while True:
            was_held = is_held
            try:
                is_held = await self._queue.extend(self._in_hand[item.key], self._lease)
            except Exception as error:  # the next try may still be in time
                self._complain(error)
            if was_held and not is_held:
                logger.warning("whatsapp.lease_lost", extra={"queue": self._name})
            await asyncio.sleep(self._lease / 3)

    async def _end(self, item: Item, outcome: Outcome) -> None:
        """
        Tell the store how the entry ended, until it has heard: it would be handled again otherwise.

        The lease is renewed meanwhile, as soon as the store can do that.
        """
        for _ in range(ENDINGS):
            claimed = self._in_hand[item.key]
            try:
                await self._tell(claimed, outcome)
            except Exception as error:
                self._complain(error)
                await asyncio.sleep(self._pause)
                continue
            await self._claim_is_over.wait()
            if self._in_hand[item.key] is claimed:
                return  # else it was our own late claim that came first, and has to be ended

    async def _tell(self, item: Item, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            await self._queue.done(item, outcome.hold)
        elif isinstance(outcome, Release):
            if outcome.body is not None:
                await self._queue.replace_body(item, outcome.body)
            await self._queue.release(item, outcome.after, attempt=outcome.attempt)
        else:
            await self._queue.give_up(item, outcome.reason, outcome.hold)
            self._metrics.given_up(self._name)
            logger.error(
                "whatsapp.given_up",
                extra={"queue": self._name, "key": item.key, "reason": outcome.reason},
            )
            return
        if outcome.then is not None:
            await outcome.then()

    def _complain(self, error: Exception) -> None:
        if isinstance(error, StoreError):
            logger.error("whatsapp.store_failed", extra={"queue": self._name, "reason": str(error)})
        else:
            logger.error("whatsapp.queue_failed", extra={"queue": self._name}, exc_info=error)


class _Later:
    """A task that begins in *seconds*, and costs next to nothing when it is not needed."""

    def __init__(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work())

    def cancel(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> int:
    """Return how many go on in spite of it."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return 0
    _, late = await asyncio.wait(tasks, timeout=FAREWELL)
    return len(late)
