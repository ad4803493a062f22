"""
Time in the simulator, which can be moved: "what if she writes again tomorrow?"

All that is dated or ends follows it: messages, the 24-hour window, files and their addresses,
tokens, rate limits, and the pauses between two attempts at a webhook.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class MovableClock:
    """Call it for the time in unix seconds; *base* tells the time it is put ahead of."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._offset = 0.0
        self._wakers: set[asyncio.Event] = set()

    def __call__(self) -> float:
        return self._base() + self._offset

    @property
    def offset(self) -> float:
        """By how many seconds it is ahead."""
        return self._offset

    def set_offset(self, seconds: float) -> None:
        """Be *seconds* ahead of the real time, and wake who has slept long enough by that."""
        self._offset = seconds
        for waker in self._wakers:
            waker.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep until *seconds* have passed, or were skipped."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._offset + seconds
        moved = asyncio.Event()
        self._wakers.add(moved)
        try:
            while (left := end - loop.time() - self._offset) > 0:
                moved.clear()
                try:
                    await asyncio.wait_for(moved.wait(), left)
                except asyncio.TimeoutError:
                    continue
        finally:
            self._wakers.discard(moved)
