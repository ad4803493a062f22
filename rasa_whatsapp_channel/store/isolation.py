"""Letting one piece of work run alone in its process, because it may take the process down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Isolation:
    """
    Shared by all who work in a process: many at a time, or one alone.

    Who wants to be alone waits until the others have ended, and nobody begins meanwhile.
    """

    def __init__(self) -> None:
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
    async def alone(self) -> AsyncIterator[None]:
        async with self._turn:
            self._is_open.clear()
            try:
                await self._is_idle.wait()
                yield
            finally:
                self._is_open.set()
