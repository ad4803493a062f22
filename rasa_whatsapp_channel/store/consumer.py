"""
Queue consumer: claims items, runs the handler, records the outcome.

Conversations run in parallel, each in its order, which the queue guarantees. A claim lasts as long
as the process, see `store.heartbeat`; one that ended with its process counts as a crash of the
item. An item with two crashes in a row runs alone, so that it interrupts no other item, and after
CRASHES it becomes a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import (
    Clock,
    DeadLetter,
    Done,
    Handler,
    ItemState,
    Outcome,
    Queue,
    QueueItem,
    Retry,
    StoreError,
)
from rasa_whatsapp_channel.store.isolation import Isolation

logger = logging.getLogger(__name__)

# Items in progress. Most of them wait for something (a download, a response), and each kind of work
# has a limit of its own.
SLOTS: Final = 1000
AT_ONCE: Final = 20  # items of one claim: few, as other servers want some too
IDLE: Final = 1.0  # longest wait between two claims
UNREADY: Final = 0.25  # between two calls of `ready`
STORE_PAUSE: Final = 1.0  # after a failure of the store
STOP: Final = 2.0  # longest wait for cancelled tasks
FAILURES: Final = 10  # failures of the handler after which an item is a dead letter
LONGEST_PAUSE: Final = 60.0  # between two of them
CRASHES: Final = 5  # crashes in a row after which an item is a dead letter
SUSPECT_PAUSE: Final = 1.0  # seconds for other items between two that run alone
CRASHED: Final = "the process ended {} times while it was handled, last without a word"


class Consumer:
    """
    Runs *handle* for each item of *queue*, up to *slots* at a time.

    Nothing is claimed while *ready* returns False. *isolation* is shared by all consumers of a
    process.
    """

    def __init__(
        self,
        queue: Queue,
        handle: Handler,
        *,
        name: str,
        ready: Callable[[], bool] = lambda: True,
        isolation: Isolation | None = None,
        slots: int = SLOTS,
        pause: float = STORE_PAUSE,
        metrics: Metrics | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._name = name
        self._ready = ready
        self._isolation = isolation or Isolation()
        self._slots = slots
        self._pause = pause
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._slot_is_free = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False
        self._store_failed = False
        self._suspect_at = 0.0

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name=f"whatsapp {self._name}")

    async def stop(self, grace: float) -> None:
        """Stop claiming, let running items finish for *grace* seconds, hand the others back."""
        self._stopping = True
        if self._loop is not None:
            await _cancel([self._loop])
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        late = await _cancel(tuple(self._tasks))
        if late:
            logger.warning(
                "whatsapp.not_stopped: %d items of the %s continue although they were cancelled",
                late,
                self._name,
            )

    async def _run(self) -> None:
        while True:
            await self.step()

    async def step(self) -> None:
        """Claim items and start them, or wait for a moment. Never raises."""
        slots = await self._free_slots()
        try:
            if not self._ready():
                # Not `wait`: that would take the wake of a consumer that is ready.
                await asyncio.sleep(UNREADY)
            elif not await self._claim(min(slots, AT_ONCE)) and not await self._run_suspect():
                await self._queue.wait(IDLE)
        except Exception as error:  # whatever it is, the next items must be handled
            self._complain(error)
            await asyncio.sleep(self._pause)

    async def _claim(self, limit: int) -> bool:
        """Start the ready items. False: there are none, or a suspect is due."""
        await self._isolation.opened()
        self._isolation.begin()
        try:
            items = await self._queue.claim_many(limit)
            for item in items:
                self._begin(item)
        finally:
            self._isolation.end()
        self._store_works()
        return bool(items) and time.monotonic() < self._suspect_at

    async def _run_suspect(self) -> bool:
        """
        Run one item alone that may have killed its process. False: there is none.

        Other items have priority, and run for a second between two suspects; otherwise suspects
        could block them for ever.
        """
        item = await self._queue.claim_suspect()
        self._suspect_at = time.monotonic() + SUSPECT_PAUSE
        if item is None:
            return False
        if item.crashes >= CRASHES:
            self._begin(item)
            return True
        logger.warning(
            "whatsapp.runs_alone: %s of the %s, because the process ended %d times with it",
            item.key,
            self._name,
            item.crashes,
        )
        async with self._isolation.alone() as seconds:
            await asyncio.wait([self._begin(item)], timeout=seconds)
        return True

    def _begin(self, item: QueueItem) -> asyncio.Task[Outcome]:
        self._isolation.begin()
        # The loop keeps only weak references to tasks.
        task = asyncio.create_task(self._work(item))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def _free_slots(self) -> int:
        while len(self._tasks) >= self._slots:
            self._slot_is_free.clear()
            await self._slot_is_free.wait()
        return self._slots - len(self._tasks)

    def _finished(self, task: asyncio.Task[Outcome]) -> None:
        self._isolation.end()
        self._tasks.discard(task)
        self._slot_is_free.set()

    async def handle_first(self, conversation: str) -> Outcome | ItemState | None:
        """
        Handle the first item of *conversation* within the caller's own item.

        Returns the outcome, or what `Queue.claim_first` says where it is not claimed.
        """
        item = await self._queue.claim_first(conversation)
        return await self._work(item) if isinstance(item, QueueItem) else item

    async def _work(self, item: QueueItem) -> Outcome:
        if item.attempts == 1:
            self._metrics.waited(self._name, self._clock() - item.put_at)
        outcome = await self._ask(item)
        await self._end(item, outcome)
        return outcome

    async def _ask(self, item: QueueItem) -> Outcome:
        if item.crashes >= CRASHES:
            return DeadLetter(CRASHED.format(item.crashes))
        try:
            with instrumentation.process_span(self._name, item.body, item.attempts) as span:
                outcome = await self._handle(item)
                span.set_attribute(instrumentation.OUTCOME, _word(outcome))
                if isinstance(outcome, DeadLetter):
                    span.fail("dead_letter")
                return outcome
        except asyncio.CancelledError:
            if self._stopping:
                return Retry(0.0, counted=False)
            # Something inside the handler was cancelled: a failure like any other.
            return self._after_failure(item, "what it waited for was cancelled")
        except StoreError as error:
            self._complain(error)
            return Retry(self._pause, counted=False)
        except Exception as error:  # a bug of ours must not lose the item
            logger.exception(
                "whatsapp.handler_failed: %s of the %s: %s: %s",
                item.key,
                self._name,
                type(error).__name__,
                error,
            )
            return self._after_failure(item, f"{type(error).__name__}: {error}")

    def _after_failure(self, item: QueueItem, reason: str) -> Outcome:
        if item.tries >= FAILURES:
            return DeadLetter(reason)
        return Retry(min(2.0**item.tries, LONGEST_PAUSE), error=reason)

    async def _end(self, item: QueueItem, outcome: Outcome) -> None:
        """Record the outcome, however often the store fails: the claim lasts as long as we live."""
        while True:
            try:
                await self._tell(item, outcome)
            except Exception as error:
                self._complain(error)
                await asyncio.sleep(self._pause)
            else:
                self._store_works()
                return

    async def _tell(self, item: QueueItem, outcome: Outcome) -> None:
        if isinstance(outcome, DeadLetter):
            await self._queue.dead_letter(item, outcome.reason)
            self._metrics.dead_letter(self._name)
            logger.error(
                "whatsapp.dead_letter: %s of the %s: %s",
                item.key,
                self._name,
                outcome.reason,
            )
            return
        if isinstance(outcome, Done):
            await self._queue.done(item, outcome.hold, cause=outcome.cause)
        else:
            await self._queue.retry_later(
                item,
                outcome.after,
                cause=outcome.cause,
                counted=outcome.counted,
                body=outcome.body,
                error=outcome.error,
            )
        if outcome.then is not None:
            await outcome.then()

    def _complain(self, error: Exception) -> None:
        """Log that the store failed: once, until it works again."""
        if not isinstance(error, StoreError):
            logger.error("whatsapp.queue_failed: %s: %s", self._name, error, exc_info=error)
        elif not self._store_failed:
            self._store_failed = True
            logger.error(
                "whatsapp.store_failed: the %s waits: %s",
                self._name,
                error,
            )

    def _store_works(self) -> None:
        if self._store_failed:
            self._store_failed = False
            logger.info("whatsapp.store_works_again: the %s goes on", self._name)


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> int:
    """Cancel *tasks*; return how many continue in spite of it."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return 0
    _, late = await asyncio.wait(tasks, timeout=STOP)
    return len(late)


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Done):
        return "done"
    if isinstance(outcome, DeadLetter):
        return "dead_letter"
    return "retry" if outcome.counted else "wait"
