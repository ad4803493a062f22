"""Steady clock: unix time without the jumps of a system clock that is set."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

# Seconds: everyday corrections are followed at once.
TICK: Final = 1.0
# Larger corrections are followed slowly, so that waits last about as long as intended.
PACE: Final = 0.1
# A jump of more than an hour is followed, at once, only after it has lasted this long.
JUMP: Final = 3600.0
LASTS: Final = 600.0
# Seconds for which what another process has noted of the time counts.
FRESH: Final = 90.0


class SteadyClock:
    """
    Unix seconds that follow a changed wall clock slowly, and a large jump only if it lasts.

    Waits, windows and retention are in unix seconds, as they outlive the process. A clock that
    jumps by minutes would end every wait; one that is a day ahead for a minute would close every
    window and let seen keys expire.
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
        self._last = monotonic()
        self._jumped_at: float | None = None

    def note(self) -> tuple[float, float]:
        """Return what other processes of this machine need to have the same time."""
        return self._offset, self._monotonic()

    def adopt(self, offset: float, noted_at: float) -> None:
        """
        Have the time of a process that has just noted it.

        All processes of a machine share the monotonic clock. The wall clock may be wrong at the
        moment in which this one starts, and its waits would end too early or too late.
        """
        if 0 <= self._monotonic() - noted_at < FRESH:
            self._offset = offset

    def __call__(self) -> float:
        now, wall = self._monotonic(), self._wall()
        passed, self._last = now - self._last, now
        ahead = wall - now - self._offset
        if -TICK <= ahead <= TICK:  # nearly always, and a message asks dozens of times
            self._jumped_at = None
            self._offset += ahead
            return wall
        if abs(ahead) <= JUMP:
            self._jumped_at = None
            step = passed * PACE
            self._offset += max(-step, min(step, ahead))
        elif self._has_lasted(now, ahead):
            logger.warning(
                "whatsapp.clock_followed: this machine's clock, which was set by %.0f s", ahead
            )
            self._offset += ahead
            self._jumped_at = None
        return now + self._offset

    def _has_lasted(self, now: float, ahead: float) -> bool:
        if self._jumped_at is None:
            self._jumped_at = now
            logger.warning(
                "whatsapp.clock_jumped: this machine's clock was set by %.0f s; it is believed "
                "if that lasts for %.0f s",
                ahead,
                LASTS,
            )
        return now - self._jumped_at >= LASTS
