"""SQLite shared clock: processes of one file have one time, whatever it is when they start."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from rasa_whatsapp_channel.store.clock import SteadyClock

KEY: Final = "clock"
NEVER: Final = 1e12  # when it expires


def adopt(db: sqlite3.Connection, clock: SteadyClock) -> None:
    """Let *clock* have the time of a process that runs, or ran a moment ago, and note it."""
    row = db.execute("SELECT value FROM small_values WHERE key = ?", (KEY,)).fetchone()
    if row is not None:
        clock.adopt(*json.loads(row[0]))
    note(db, clock)


def note(db: sqlite3.Connection, clock: SteadyClock) -> None:
    db.execute(
        "INSERT OR REPLACE INTO small_values (key, value, expires_at) VALUES (?, ?, ?)",
        (KEY, json.dumps(clock.note()), NEVER),
    )
