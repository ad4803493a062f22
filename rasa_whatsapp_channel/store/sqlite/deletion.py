"""SQLite deletion: what expires, a few rows at a time, and what is erased of one person."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from rasa_whatsapp_channel.store.base import Retention

# Rows of one step; it takes about a millisecond.
STEP: Final = 200

SEEN: Final = """
    DELETE FROM seen WHERE (queue, key) IN (SELECT queue, key FROM seen WHERE at <= ? LIMIT ?)
"""
SENT: Final = "DELETE FROM sent WHERE seq IN (SELECT seq FROM sent WHERE at <= ? LIMIT ?)"
SENT_BODIES: Final = """
    UPDATE sent SET body = NULL WHERE seq IN (
        SELECT seq FROM sent WHERE body IS NOT NULL AND at <= ? LIMIT ?
    )
"""
DEAD_LETTERS: Final = """
    DELETE FROM dead_letters WHERE seq IN (
        SELECT seq FROM dead_letters WHERE died_at <= ? LIMIT ?
    )
"""
SMALL_VALUES: Final = """
    DELETE FROM small_values WHERE key IN (
        SELECT key FROM small_values WHERE expires_at <= ? LIMIT ?
    )
"""
HOLDS: Final = """
    DELETE FROM holds WHERE (queue, conversation) IN (
        SELECT queue, conversation FROM holds WHERE until <= ? LIMIT ?
    )
"""
BUCKETS: Final = """
    DELETE FROM buckets WHERE key IN (SELECT key FROM buckets WHERE full_at <= ? LIMIT ?)
"""


# Columns that may name a person. Items that wait are not included: only the queue ends them.
TEXTS: Final[Mapping[str, Sequence[str]]] = {
    "seen": ("key",),
    "dead_letters": ("conversation", "key", "body", "reason"),
    "sent": ("message_id", "key", "recipient_id", "response", "reason", "body"),
    "small_values": ("key", "value"),
    "buckets": ("key",),
}


def ends(retention: Retention, now: float) -> Mapping[str, float]:
    """Return statement → the time up to which it deletes."""
    return {
        SEEN: now - retention.seen,
        SENT: now - retention.ledger,
        SENT_BODIES: now - retention.sent_bodies,
        DEAD_LETTERS: now - retention.dead_letters,
        SMALL_VALUES: now,
        HOLDS: now,
        BUCKETS: now,
    }


def forget(db: sqlite3.Connection, statement: str, before: float) -> bool:
    """Delete a few rows. True: there may be more."""
    return db.execute(statement, (before, STEP)).rowcount == STEP


def erase_mentions(db: sqlite3.Connection, mention: re.Pattern[str]) -> int:
    """Delete every row with *mention*, and return their number. Reads all rows."""
    db.create_function("mentions", 1, lambda text: bool(mention.search(text or "")))
    erased = 0
    for table, columns in TEXTS.items():
        where = " OR ".join(f"mentions({column})" for column in columns)
        # Tables and columns are constants.
        erased += db.execute(f"DELETE FROM {table} WHERE {where}").rowcount  # noqa: S608
    return erased
