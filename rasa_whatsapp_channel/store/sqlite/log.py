"""When the write-ahead log is carried over into the file; decides only, see commits.py."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

# Bytes of the log after which it is carried over while everybody goes on writing.
LONG: Final = 16 * 1024 * 1024
# Bytes after which all writes of this process wait for it: the disk is slower than the writers, or
# they leave the checkpoint no gap.
FAR_TOO_LONG: Final = 4 * LONG
# Seconds without a write after which the log is carried over, however short it is.
IDLE: Final = 1.0
# Seconds after which it is carried over in any case: so old is a copy of the file alone at most.
OLDEST: Final = 10.0


class Step(Enum):
    NONE = auto()
    BESIDE_WRITES = auto()
    INSTEAD_OF_WRITES = auto()


class LogGrowth:
    """
    The sizes and times at which the next checkpoint is due; seconds of any steady clock.

    Without other processes the log never exceeds FAR_TOO_LONG by more than one transaction, however
    slow the disk and the machine are: a checkpoint in a pause of all writes always succeeds.
    """

    def __init__(self) -> None:
        self._long = LONG
        self._far_too_long = FAR_TOO_LONG
        self._seen_at: float | None = None  # when it was first seen to hold something
        self._written_at: float | None = None  # None: not since the last checkpoint

    def note_write(self, now: float) -> None:
        self._written_at = now

    def next_step(self, size: int) -> Step:
        """Return what is due after a write."""
        if size >= self._far_too_long:
            return Step.INSTEAD_OF_WRITES
        return Step.BESIDE_WRITES if size >= self._long else Step.NONE

    def next_step_in_time(self, size: int, now: float) -> Step:
        """Return what is due because time went by; to be asked a few times a second."""
        if size == 0:
            self._seen_at = None
            return Step.NONE
        if self._seen_at is None:
            self._seen_at = now
        is_idle = self._written_at is not None and now - self._written_at >= IDLE
        return Step.BESIDE_WRITES if is_idle or now - self._seen_at >= OLDEST else Step.NONE

    def note_checkpoint(self, step: Step, size: int) -> None:
        """Note that a checkpoint of the kind *step* left a log of *size* bytes."""
        self._seen_at = self._written_at = None
        # Not emptied: the writers left no gap, or another process reads. Once more after as much
        # again.
        self._long = size + LONG
        if step is Step.INSTEAD_OF_WRITES:
            # Then it was another process; waiting for it at each commit would stop this one.
            self._far_too_long = max(FAR_TOO_LONG, size + LONG)
