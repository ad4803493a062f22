"""A connection to the file, ready to use."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.sqlite.faults import explain, is_locked
from rasa_whatsapp_channel.store.sqlite.schema import migrate
from rasa_whatsapp_channel.whatsapp.errors import StoreError

# What SQLite calls a database that is no file: it belongs to one connection, and ends with it.
PRIVATE: Final = Path(":memory:")
# Seconds that a checkpoint waits until nobody writes.
CHECKPOINT_PATIENCE: Final = 1.0


def connect(path: Path, *, patience: float) -> sqlite3.Connection:
    """
    Open or make the file; waits for the disk, and *patience* seconds for other processes.

    Raises `StoreError` with a way out.
    """
    try:
        if path != PRIVATE:
            _make(path)
        return _patiently_connect(path, patience)
    except sqlite3.Error as exc:
        raise StoreError(f"store {path}: {explain(exc)}") from exc
    except StoreError as exc:
        raise StoreError(f"store {path}: {exc}") from exc


def shorten_log(path: Path) -> None:
    """Carry the write-ahead log over into the file, and empty it; waits for the disk."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=CHECKPOINT_PATIENCE)) as db:
        # The first does most of it without keeping anybody from writing, the second the rest.
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _make(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist; make it")
    if path.is_dir():
        raise StoreError("it is a folder; name a file")
    try:
        # What people write to the bot is nobody else's on this machine.
        path.touch(mode=0o600)
    except OSError as exc:
        raise StoreError(
            f"it cannot be written ({exc.strerror}); "
            "give the bot's user the right to write file and folder"
        ) from exc


def _patiently_connect(path: Path, patience: float) -> sqlite3.Connection:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _connect(path, patience)
        except sqlite3.OperationalError as exc:
            # Changing to WAL does not wait for a lock by itself.
            if not is_locked(exc) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    db = sqlite3.connect(
        os.fspath(path), timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        _set_up(db)
    except BaseException:
        db.close()
        raise
    return db


def _set_up(db: sqlite3.Connection) -> None:
    # Looks at the header before WAL changes it: another program's file stays as it is.
    migrate(db)
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in ("wal", "memory"):
        raise StoreError("its disk cannot do WAL (a network folder?); name a file on a local disk")
    db.execute("PRAGMA synchronous = NORMAL")  # a commit survives the process, not a power cut
    db.execute("PRAGMA wal_autocheckpoint = 0")  # see commits.py
    db.execute("PRAGMA busy_timeout = 0")  # there too
