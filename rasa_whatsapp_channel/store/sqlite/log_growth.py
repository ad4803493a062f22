"""Log growth: decides when SQLite's write-ahead log is emptied. No I/O, no clock."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

# Bytes of the log after which a checkpoint runs beside writes.
LONG: Final = 16 * 1024 * 1024
# Bytes after which all writes of this process wait for the checkpoint: the disk is slower than the
# writers, or they leave the checkpoint no gap.
FAR_TOO_LONG: Final = 4 * LONG
# Seconds without a write after which a checkpoint runs, however short the log is.
IDLE: Final = 1.0
# Seconds after which it runs in any case: the maximum age of a copy of the file alone.
OLDEST: Final = 10.0


class Checkpoint(Enum):
    NONE = auto()
    BESIDE_WRITES = auto()
    INSTEAD_OF_WRITES = auto()


class LogGrowth:
    """
    Decides when the next checkpoint is due. Times are seconds of any steady clock.

    Without other processes the log never exceeds FAR_TOO_LONG by more than one transaction, however
    slow the disk is: a checkpoint during a pause of all writes always succeeds.
    """

    def __init__(self) -> None:
        self._long = LONG
        self._far_too_long = FAR_TOO_LONG
        self._seen_at: float | None = None  # when it was first seen not empty
        self._written_at: float | None = None  # None: not since the last checkpoint

    def note_write(self, now: float) -> None:
        self._written_at = now

    def next_step(self, size: int) -> Checkpoint:
        """Return what is due after a write."""
        if size >= self._far_too_long:
            return Checkpoint.INSTEAD_OF_WRITES
        return Checkpoint.BESIDE_WRITES if size >= self._long else Checkpoint.NONE

    def next_step_in_time(self, size: int, now: float) -> Checkpoint:
        """Return what is due by time; to be called a few times a second."""
        if size == 0:
            self._seen_at = None
            return Checkpoint.NONE
        if self._seen_at is None:
            self._seen_at = now
        is_idle = self._written_at is not None and now - self._written_at >= IDLE
        return (
            Checkpoint.BESIDE_WRITES
            if is_idle or now - self._seen_at >= OLDEST
            else Checkpoint.NONE
        )

    def note_checkpoint(self, step: Checkpoint, size: int) -> None:
        """Record that a checkpoint *step* left a log of *size* bytes."""
        self._seen_at = self._written_at = None
        # If it was not emptied, the writers left no gap, or another process reads. Try again after
        # as many bytes.
        self._long = size + LONG
        if step is Checkpoint.INSTEAD_OF_WRITES:
            # Then another process reads; waiting for it at each commit would stop this one.
            self._far_too_long = max(FAR_TOO_LONG, size + LONG)
