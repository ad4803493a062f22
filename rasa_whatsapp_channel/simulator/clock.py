"""Movable clock, for messages, the 24-hour window, files, tokens, rate limits and retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class MovableClock:
    """Return unix seconds when called: the time of *base* plus the offset."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._offset = 0.0
        self._wakers: set[asyncio.Event] = set()

    def __call__(self) -> float:
        return self._base() + self._offset

    @property
    def offset(self) -> float:
        """Seconds ahead of the real time."""
        return self._offset

    def set_offset(self, seconds: float) -> None:
        """Set the offset, and wake sleepers whose time has come."""
        self._offset = seconds
        for waker in self._wakers:
            waker.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep until *seconds* have passed on this clock."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._offset + seconds
        woken = asyncio.Event()
        self._wakers.add(woken)
        try:
            while (left := end - loop.time() - self._offset) > 0:
                woken.clear()
                try:
                    await asyncio.wait_for(woken.wait(), left)
                except asyncio.TimeoutError:
                    continue
        finally:
            self._wakers.discard(woken)
