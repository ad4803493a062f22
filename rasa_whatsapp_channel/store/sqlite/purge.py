"""What goes away by itself, a few rows at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.store.base import Retention

# Rows of one step, about a millisecond.
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


def ends(retention: Retention, now: float) -> Mapping[str, float]:
    """Return statement → the time before which it forgets."""
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
    """Do one step. True: there may be more."""
    return db.execute(statement, (before, STEP)).rowcount == STEP
