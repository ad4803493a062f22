"""
SQLite schema: the tables, and the migration of older files.

*due_at* and *claimed* hold the state of an item:

    due_at NULL       behind another item of its conversation
    due_at 0          ready: the first of its conversation, can be claimed
    due_at > 0        waiting until then, or until what *cause* names
    claimed 1         claimed by *owner*; due_at is NULL
    claimed 2         was claimed by a process that died, and is ready. If that process is alive
                      after all, it can still end the item until another process claims it

`holds` has the conversations that wait and have no items, until their next item is put. `claimants`
has a counter of each process that claims, see `store.heartbeat`.

A claim is one lookup in `items_due` for the lowest *seq* with due_at 0, however many items wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from rasa_whatsapp_channel.store.base import StoreError

# PRAGMA application_id in the header of the file: "RWAC".
APPLICATION: Final = 0x52574143

# Number of the first version below; earlier ones were never released.
FIRST: Final = 3

# A change of the tables is a further element; PRAGMA user_version is the number of a file's last.
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """
        CREATE TABLE items (
            seq INTEGER PRIMARY KEY,
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            key TEXT NOT NULL,
            body TEXT NOT NULL,
            put_at REAL NOT NULL,
            due_at REAL,
            hidden_for REAL NOT NULL,  -- seconds of the wait that ends at due_at
            cause TEXT,
            claimed INTEGER NOT NULL DEFAULT 0,
            owner TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            uncounted INTEGER NOT NULL DEFAULT 0,
            crashes INTEGER NOT NULL DEFAULT 0,
            failing_since REAL,
            last_error TEXT
        )
        """,
        "CREATE INDEX items_due ON items (queue, due_at) WHERE due_at IS NOT NULL",
        "CREATE INDEX items_conversation ON items (queue, conversation, seq)",
        "CREATE INDEX items_owner ON items (owner) WHERE owner IS NOT NULL",
        """
        CREATE INDEX items_failing ON items (queue, failing_since) WHERE failing_since IS NOT NULL
        """,
        "CREATE TABLE claimants (id TEXT PRIMARY KEY, beats INTEGER NOT NULL) WITHOUT ROWID",
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
        CREATE TABLE holds (
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            until REAL NOT NULL,
            seconds REAL NOT NULL,
            cause TEXT NOT NULL,
            PRIMARY KEY (queue, conversation)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX holds_until ON holds (until)",
        """
        CREATE TABLE dead_letters (
            seq INTEGER PRIMARY KEY,
            queue TEXT NOT NULL,
            conversation TEXT NOT NULL,
            key TEXT NOT NULL,
            body TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            put_at REAL NOT NULL,
            died_at REAL NOT NULL,
            reason TEXT NOT NULL,
            UNIQUE (queue, key)
        )
        """,
        "CREATE INDEX dead_letters_died_at ON dead_letters (died_at)",
        # To erase one person without reading all rows.
        "CREATE INDEX dead_letters_conversation ON dead_letters (queue, conversation)",
        """
        CREATE TABLE sent (
            seq INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL UNIQUE,
            key TEXT,  -- NULL: only a status came so far
            recipient_id TEXT,
            response TEXT,
            status TEXT NOT NULL,
            at REAL NOT NULL,
            reason TEXT,
            code INTEGER NOT NULL DEFAULT 0,
            body TEXT,  -- the item as it was sent, while it may have to be sent again
            charged_at REAL,  -- NULL: nothing is known of a charge, and the rest is empty
            number TEXT,
            country TEXT,
            category TEXT,
            type TEXT,
            month TEXT,
            nth INTEGER
        )
        """,
        "CREATE INDEX sent_key ON sent (key)",
        "CREATE INDEX sent_at ON sent (at)",
        "CREATE INDEX sent_body ON sent (at) WHERE body IS NOT NULL",
        "CREATE INDEX sent_recipient_id ON sent (recipient_id)",
        "CREATE INDEX sent_charged_at ON sent (charged_at) WHERE charged_at IS NOT NULL",
        """
        CREATE TABLE allowances (
            number TEXT NOT NULL,
            month TEXT NOT NULL,
            used INTEGER NOT NULL,
            PRIMARY KEY (number, month)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE small_values (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL,
            expires_at REAL NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX small_values_expires_at ON small_values (expires_at)",
        """
        CREATE TABLE buckets (
            key TEXT PRIMARY KEY,
            tokens REAL NOT NULL,
            at REAL NOT NULL,
            full_at REAL NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX buckets_full_at ON buckets (full_at)",
    ),
)
NEWEST: Final = FIRST + len(MIGRATIONS) - 1


def migrate(db: sqlite3.Connection) -> None:
    """Migrate the file to the newest tables. Raises `StoreError` if it is not a store."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db)
        for statements in MIGRATIONS[max(version - FIRST + 1, 0) :]:
            for statement in statements:
                db.execute(statement)
        if version < NEWEST:
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {NEWEST}")
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
    if 0 < version < FIRST:
        raise StoreError(
            "it was written by a version of rasa-whatsapp-channel before its first release; "
            "name another file"
        )
    if version > NEWEST:
        raise StoreError(
            f"it was written by a newer version of rasa-whatsapp-channel (its tables are number "
            f"{version}, this version knows {NEWEST}); install that version, "
            "or name another file"
        )
    return int(version)
