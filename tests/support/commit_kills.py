"""
A server that dies at the n-th commit of its store, right before or right after it.

It replaces the class of SQLite's connections, so that no code of ours has to know of it.
"""

from __future__ import annotations

import functools
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

MARK = "killed"  # a file in the server's folder


def arm(killed_at: dict[str, Any] | None) -> None:
    """Let this process die at commit *number* (from 1), *when*: "before" or "after" it."""
    if killed_at is None:
        return
    counter = _Counter(int(killed_at["number"]), str(killed_at["when"]))

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql.strip().upper() != "COMMIT":
                return super().execute(sql, *parameters)
            counter.reaches("before")
            result = super().execute(sql, *parameters)
            counter.reaches("after")
            counter.commits += 1
            return result

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Connection)


class _Counter:
    def __init__(self, number: int, when: str) -> None:
        self.commits = 1  # the number of the next one
        self._number = number
        self._when = when

    def reaches(self, when: str) -> None:
        if (self.commits, when) == (self._number, self._when):
            Path(MARK).touch()
            os.kill(os.getpid(), signal.SIGKILL)
