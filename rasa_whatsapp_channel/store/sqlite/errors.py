"""SQLite errors: what each means for an operator, and which are worth another attempt."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LOCKED: Final = "database is locked"

# Python 3.10 gives no error codes, only SQLite's texts: https://www.sqlite.org/rescode.html
_WAYS_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        LOCKED: "another process keeps it locked; end that process",
        "database or disk is full": "the disk is full; make room, the bot goes on by itself",
        "disk I/O error": "the disk cannot be read or written; it may be full or failing",
        "file is not a database": (
            "it is no SQLite database; name another file, or move this one away"
        ),
        "database disk image is malformed": (
            "it is damaged; end the bot, move the file away, and start anew "
            "(`sqlite3 FILE .recover` gets out what is left)"
        ),
        "attempt to write a readonly database": (
            "it cannot be written; give the bot's user the right to write file and folder"
        ),
        "unable to open database file": (
            "it cannot be opened; give the bot's user the right to read and write file and folder"
        ),
    }
)


def is_locked(error: BaseException) -> bool:
    """Return whether another process has the lock; then try again in a moment."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(LOCKED)


def explain(error: sqlite3.Error) -> str:
    text = str(error)
    for start, way_out in _WAYS_OUT.items():
        if text.startswith(start):
            return f"{way_out} ({text})"
    return text
