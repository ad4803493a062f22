"""Letting one piece of work run alone in its process, because it may take the process down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

# Seconds that others are kept out at the most: before, until those who work have ended, and while
# it runs. What kills its process does so soon, and one long turn must not stop everybody.
EMPTYING: Final = 5.0
ALONE: Final = 10.0


class Isolation:
    """
    Shared by all who work in a process: many at a time, or one alone.

    Who wants to be alone waits until the others have ended, and nobody begins meanwhile.
    """

    def __init__(self, *, emptying: float = EMPTYING, alone: float = ALONE) -> None:
        self._emptying = emptying
        self._seconds = alone
        self._working = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._turn = asyncio.Lock()

    async def opened(self) -> None:
        """Return when nobody is alone, or waits to be; who calls `begin` now is let in."""
        while not self._is_open.is_set():
            await self._is_open.wait()

    def begin(self) -> None:
        self._working += 1
        self._is_idle.clear()

    def end(self) -> None:
        self._working -= 1
        if not self._working:
            self._is_idle.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[float]:
        """Let the caller be alone, for as many seconds as are yielded."""
        async with self._turn:
            self._is_open.clear()
            try:
                with suppress(asyncio.TimeoutError):  # then beside those that take so long
                    await asyncio.wait_for(self._is_idle.wait(), self._emptying)
                yield self._seconds
            finally:
                self._is_open.set()
