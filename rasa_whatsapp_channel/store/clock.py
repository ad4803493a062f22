"""The time of day, without the jumps that a clock makes when somebody sets it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

# Seconds: what a clock is corrected by in everyday life is followed at once.
JUMP: Final = 3600.0
# A larger jump is believed when it has lasted so long.
LASTS: Final = 600.0


class SteadyClock:
    """
    Unix seconds. A jump of the wall clock by more than an hour is followed only when it lasts.

    Waits, windows and retention are in unix seconds, since they outlive the process. A clock that
    is a day ahead for a minute would close every window and forget what was seen.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._jumped_at: float | None = None

    def __call__(self) -> float:
        wall, monotonic = self._wall(), self._monotonic()
        jump = wall - monotonic - self._offset
        if abs(jump) <= JUMP:
            self._offset += jump
            self._jumped_at = None
            return wall
        if self._jumped_at is None:
            self._jumped_at = monotonic
            logger.warning(
                "whatsapp.clock_jumped: this machine's clock was set by %.0f s; it is believed "
                "if that lasts for %.0f s",
                jump,
                LASTS,
            )
        if monotonic - self._jumped_at < LASTS:
            return monotonic + self._offset
        logger.warning("whatsapp.clock_followed: this machine's clock, set by %.0f s", jump)
        self._offset += jump
        self._jumped_at = None
        return wall
