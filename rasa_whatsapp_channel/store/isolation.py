"""Isolation: lets an item that may kill its process run alone in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

# Longest times, in seconds, to wait for running items to end, and for an item to run alone. An item
# that kills its process does so soon, and one long turn must not stop all others.
EMPTYING: Final = 5.0
ALONE: Final = 10.0


class Isolation:
    """
    Lock shared by all consumers of a process: many items run at a time, or one alone.

    An item that is to run alone waits until the others have ended, and no other begins meanwhile.
    """

    def __init__(self) -> None:
        self._working = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._turn = asyncio.Lock()

    async def opened(self) -> None:
        """Return when no item runs alone or waits to do so; `begin` must follow at once."""
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
        """Run alone, for at most the seconds that are yielded."""
        async with self._turn:
            self._is_open.clear()
            try:
                with suppress(asyncio.TimeoutError):  # then beside the items that take longer
                    await asyncio.wait_for(self._is_idle.wait(), EMPTYING)
                yield ALONE
            finally:
                self._is_open.set()
