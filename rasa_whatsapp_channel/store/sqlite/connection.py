"""SQLite connection: opens the file, runs transactions, empties and retires the write-ahead log."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.sqlite.errors import explain, is_locked
from rasa_whatsapp_channel.store.sqlite.files import OpenFiles
from rasa_whatsapp_channel.store.sqlite.schema import migrate

T = TypeVar("T")

# SQLite's name of a database in memory, which belongs to one connection and ends with it.
PRIVATE: Final = Path(":memory:")
# Longest wait of a checkpoint for writers, in seconds.
CHECKPOINT_PATIENCE: Final = 1.0


def connect(path: Path, *, patience: float) -> sqlite3.Connection:
    """
    Open or create the file; waits for the disk, and *patience* seconds for other processes.

    Raises `StoreError` with a remedy.
    """
    try:
        if path != PRIVATE:
            _make(path)
        return _patiently_connect(path, patience)
    except sqlite3.Error as exc:
        raise StoreError(f"store {path}: {explain(exc)}") from exc
    except StoreError as exc:
        raise StoreError(f"store {path}: {exc}") from exc


def transact(
    db: sqlite3.Connection, files: OpenFiles, work: Callable[[sqlite3.Connection], T]
) -> T:
    """
    Run *work* in a transaction of *db*, whose files are *files*. Does not wait for the disk.

    Raises `LogLostError`, and does nothing, if another connection may already use a new log: a
    write to the old one would damage the store.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        files.check()  # now that no other process can write
        result = work(db)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return result


def shorten_log(path: Path) -> bool:
    """
    Copy the write-ahead log into the file, and empty it; waits for the disk.

    False: it could not be emptied, as another process writes or reads all the time.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=CHECKPOINT_PATIENCE)) as db:
        # The first does most of the work beside writers, the second the rest.
        _, frames, carried = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames != carried:
            return False  # a reader still uses an older state
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def retire_log(db: sqlite3.Connection, files: OpenFiles, *, patience: float) -> None:
    """
    Copy the log of *db* into the file, though log or index lost their names; then delete the log.

    Other processes may have the same log open, and do the same. The first of them deletes the empty
    log while no process can write, so that none mistakes the next log for it. Raises `StoreError`,
    and changes nothing, if not all of the log can be saved.
    """
    deadline = time.monotonic() + patience
    while True:
        problem = _save_log(db) if files.log_size else ""
        if files.log_size == 0 and _end_log(db, files):
            return
        if problem and files.log_size:
            raise StoreError(problem)
        if time.monotonic() > deadline:
            raise StoreError("another process reads it; end that process")
        time.sleep(0.01)


def _save_log(db: sqlite3.Connection) -> str:
    """Return why the log cannot be saved; "" if it is saved, or may be in a moment."""
    try:
        # If pages cannot be read, nothing is better than a part.
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            return "not all of it can be read any more"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as exc:
        return "" if is_locked(exc) else explain(exc)
    return ""


def _end_log(db: sqlite3.Connection, files: OpenFiles) -> bool:
    """Delete the log once it is empty. False: not yet."""
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as exc:
        # Unless locked, the index refers to the next log, which this connection cannot read.
        return not is_locked(exc)
    try:
        if files.log_size:
            return False  # another process was about to commit
        files.remove_log()
        return True
    finally:
        db.execute("ROLLBACK")


def _make(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist; make it")
    if path.is_dir():
        raise StoreError("it is a folder; name a file")
    try:
        # Other users of this machine must not read messages.
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
    # Checks the header before WAL changes it: the file of another program stays unchanged.
    migrate(db)
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in ("wal", "memory"):
        raise StoreError("its disk cannot do WAL (a network folder?); name a file on a local disk")
    # A commit survives the process. A thread of writer.py waits until it survives a power cut, too:
    # FULL would wait within the statement, and block the event loop.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")  # see writer.py
    db.execute("PRAGMA busy_timeout = 0")  # there too
    # Overwrites what is deleted; SQLite's default differs between builds.
    db.execute("PRAGMA secure_delete = ON").fetchall()
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # creates the log and its index
