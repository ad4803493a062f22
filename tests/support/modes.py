"""What the system lets people do with files, and a umask for a while."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def mode_of(path: Path) -> str:
    """Return it as `ls` and people write it: "600"."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
