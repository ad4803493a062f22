"""What names a person, beside the queues and what is found by their name: overwritten, not kept."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

# Entries that wait are not among them: they are ended by the queue alone.
TEXTS: Final[Mapping[str, Sequence[str]]] = {
    "seen": ("key",),
    "dead_letters": ("conversation", "key", "body", "reason"),
    "sent": ("message_id", "key", "recipient_id", "response", "reason", "body"),
    "small_values": ("key", "value"),
    "buckets": ("key",),
}


def erase_mentions(db: sqlite3.Connection, mention: re.Pattern[str]) -> int:
    """Forget every row with *mention*, and return how many there were. Looks at all rows."""
    db.create_function("mentions", 1, lambda text: bool(mention.search(text or "")))
    erased = 0
    for table, columns in TEXTS.items():
        where = " OR ".join(f"mentions({column})" for column in columns)
        # Names of tables and columns are ours.
        erased += db.execute(f"DELETE FROM {table} WHERE {where}").rowcount  # noqa: S608
    return erased
