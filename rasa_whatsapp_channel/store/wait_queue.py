"""Wait queue: tasks of this process that wait for an item, woken one by one."""

from __future__ import annotations

import asyncio
from typing import Final

# Longest sleep until a due time: the clock may be set in the meantime.
LONGEST_SLEEP: Final = 1.0


class WaitQueue:
    """
    Waiting tasks, woken in the order of their arrival.

    Each item that may be free wakes one task, so that a hundred idle workers do not run for one
    item. A wake without a waiting task is kept for the next task.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._woken = True  # the store may hold items from before the start
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0  # the handles of uvloop do not always tell

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def wake(self) -> None:
        while self._waiting:
            waiter = next(iter(self._waiting))
            del self._waiting[waiter]
            if not waiter.done():
                waiter.set_result(None)
                return
        self._woken = True

    def wake_in(self, seconds: float) -> None:
        """Wake one task in *seconds*, unless an earlier wake is scheduled."""
        loop = asyncio.get_running_loop()
        at = loop.time() + min(max(seconds, 0.0), LONGEST_SLEEP)
        if self._alarm is None or at < self._alarm_at:
            self._disarm()
            self._alarm_at = at
            self._alarm = loop.call_at(at, self._ring)

    def close(self) -> None:
        self._disarm()
        while self._waiting:
            self.wake()

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        self.wake()

    async def wait(self, timeout: float) -> None:
        if self._woken:
            self._woken = False
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting[waiter] = None
        limit = loop.call_later(timeout, _end, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            # Woken and cancelled at the same time: pass the wake on to the next task.
            if not waiter.cancelled():
                self.wake()
            raise
        finally:
            limit.cancel()
            self._waiting.pop(waiter, None)


def _end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
