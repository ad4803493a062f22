"""
Clocks that can be wrong, or run fast, for a whole process: those of who imports this first.

The clock of the machine stays as it is, and that of a Redis, too.
"""

from __future__ import annotations

import asyncio
import mmap
import selectors
import struct
import time
from collections.abc import Callable
from pathlib import Path

_OFFSET = struct.Struct("d")
_true = {"time": time.time, "monotonic": time.monotonic}
_begin = {name: clock() for name, clock in _true.items()}
_view: bytearray | mmap.mmap = bytearray(_OFFSET.size)
_speed = 1.0


def _clock(name: str) -> Callable[[], float]:
    true, begin = _true[name], _begin[name]

    def clock() -> float:
        now = true()
        # Without speed it is the machine's to the last digit.
        return now if _speed == 1.0 else begin + (now - begin) * _speed

    return clock


_wall = _clock("time")


def _wrong_time() -> float:
    return _wall() + float(_OFFSET.unpack_from(_view)[0])


# Functions take them as a default when they are defined: so they have to be there before them.
time.time = _wrong_time
time.monotonic = _clock("monotonic")


def follow(file: str | None) -> None:
    """Let this process's wall clock be wrong by what *file* says, now and when that changes."""
    global _view
    if file is not None:
        with Path(file).open("r+b") as opened:
            _view = mmap.mmap(opened.fileno(), _OFFSET.size)


def put_wrong(file: Path, seconds: float) -> None:
    """Let the clock of everybody who follows *file* be wrong by *seconds*."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(_OFFSET.pack(seconds))


def run_fast(speed: float) -> None:
    """Let time pass *speed* times as fast in this process; threads that wait do not know of it."""
    global _speed
    _speed = speed


def event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(_Selector())


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / _speed)
