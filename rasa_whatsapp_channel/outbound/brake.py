"""A pause for everybody, when the number or the account is at its limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Brake:
    """Pressed by whoever is told to slow down; all who send pass it first."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._until = 0.0
        self._pressed = False

    def press(self, seconds: float) -> bool:
        """Hold everybody for *seconds* from now. Returns False when it was pressed already."""
        news = not self._pressed
        self._pressed = True
        self._until = max(self._until, self._clock() + seconds)
        return news

    def loosen(self) -> bool:
        """Something went through. Returns True when that is news."""
        news = self._pressed and self._clock() >= self._until
        if news:
            self._pressed = False
        return news

    async def passes(self) -> None:
        """Return when the pause is over."""
        while (left := self._until - self._clock()) > 0:
            await self._sleep(left)
