"""
The tables, and how a file gets them.

An entry of a queue is in one of four states, told by *due_at* and *out*:

    due_at NULL       waits behind another entry of its conversation
    due_at 0          free: the first of its conversation, can be claimed
    due_at > 0, out   claimed until then; *out* stays until it is claimed again, so that a claimant
                      who is late can still end it if nobody else took over
    due_at > 0        released, or put or left behind while its conversation is on hold; free then

A conversation on hold that has no entries is kept in `holds`, until its next entry is put.

Claiming is one look into `items_due` for the lowest *seq* with due_at 0, however much waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import StoreError

# Stands in the file's header (PRAGMA application_id): "RWAC".
APPLICATION: Final = 0x52574143

# A change of the tables is a further element; a file remembers how many it has (user_version).
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """
        CREATE TABLE items (
            seq INTEGER PRIMARY KEY,
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            key TEXT NOT NULL,
            body TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            put_at REAL NOT NULL,
            due_at REAL,
            hidden_for REAL NOT NULL,  -- seconds from claim or release to due_at
            out INTEGER NOT NULL
        )
        """,
        "CREATE INDEX items_due ON items (queue, due_at) WHERE due_at IS NOT NULL",
        "CREATE INDEX items_conversation ON items (queue, conversation, seq)",
        """
        CREATE TABLE seen (
            queue TEXT NOT NULL,
            key TEXT NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (queue, key)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX seen_at ON seen (at)",
        """
        CREATE TABLE given_up (
            seq INTEGER PRIMARY KEY,
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            key TEXT NOT NULL,
            body TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            put_at REAL NOT NULL,
            given_up_at REAL NOT NULL,
            reason TEXT NOT NULL,
            UNIQUE (queue, key)
        )
        """,
        "CREATE INDEX given_up_at ON given_up (given_up_at)",
        """
        CREATE TABLE sent (
            seq INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL UNIQUE,
            key TEXT,  -- NULL: only a status came so far
            recipient_id TEXT,
            response TEXT,
            status TEXT NOT NULL,
            at REAL NOT NULL,
            reason TEXT
        )
        """,
        "CREATE INDEX sent_key ON sent (key)",
        "CREATE INDEX sent_at ON sent (at)",
        """
        CREATE TABLE small_values (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL,
            expires_at REAL NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX small_values_expires_at ON small_values (expires_at)",
    ),
    (
        # How many of the attempts were no fault of the entry.
        "ALTER TABLE items ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0",
        """
        CREATE TABLE holds (
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            until REAL NOT NULL,
            seconds REAL NOT NULL,
            PRIMARY KEY (queue, conversation)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX holds_until ON holds (until)",
        """
        CREATE TABLE buckets (
            key TEXT PRIMARY KEY,
            tokens REAL NOT NULL,
            at REAL NOT NULL,
            full_at REAL NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX buckets_full_at ON buckets (full_at)",
        # To forget one person without a look at everybody.
        "CREATE INDEX given_up_conversation ON given_up (queue, conversation)",
        "CREATE INDEX sent_recipient_id ON sent (recipient_id)",
    ),
)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the newest tables. Raises `StoreError` for a file that is not ours."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        if version < len(MIGRATIONS):
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _version(db: sqlite3.Connection) -> int:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and tables:
        raise StoreError("it is the database of another program; name another file")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"it was written by a newer version of rasa-whatsapp-channel (its tables are number "
            f"{version}, this version knows {len(MIGRATIONS)}); install that version, "
            "or name another file"
        )
    return int(version)
