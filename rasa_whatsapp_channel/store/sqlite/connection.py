"""SQLite connection: opens the file, watches the files behind it, empties its write-ahead log."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.sqlite.errors import explain, is_locked
from rasa_whatsapp_channel.store.sqlite.schema import migrate

LOG: Final = "-wal"
INDEX: Final = "-shm"
CLOSED: Final = -1

# Waits for the content and for the size; only Linux and BSD know the quicker one of both.
_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)

# Device and number of a file. An open file keeps its number, so that no other can get it.
Identity = tuple[int, int]


class LogLostError(StoreError):
    """The write-ahead log, or its index, has no name any more; what is in it can be saved."""


class OpenFiles:
    """
    The files as they are now, right after a connection was opened.

    Holds the log open, which is harmless: SQLite has no locks on it. (Closing a second descriptor
    of the file or the index would let go of SQLite's locks on them.)
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        beside = os.path.realpath(path)  # SQLite puts them beside the file that a link points to
        self._log = f"{beside}{LOG}"
        self._index = f"{beside}{INDEX}"
        self._file_id = _identify(self._path)
        self._index_id = _identify(self._index)
        self._descriptor = os.open(self._log, os.O_RDWR)
        status = os.fstat(self._descriptor)
        self._log_id = (status.st_dev, status.st_ino)

    def close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = CLOSED

    def remove_log(self) -> None:
        """Take its name from the log, if it still has one."""
        if _identify(self._log) == self._log_id:
            Path(self._log).unlink(missing_ok=True)

    def sync(self) -> None:
        """Wait until what was written to the log is on the disk. Raises `OSError`."""
        _sync(self._descriptor)

    def check(self) -> None:
        """Raise `StoreError`, `LogLostError` among them, unless all are what they were."""
        self.check_file()
        index_id = _identify(self._index)
        # Without a name from the start: it is shared with another connection that lost it.
        if _identify(self._log) != self._log_id or index_id != self._index_id or index_id is None:
            raise LogLostError(
                f"its {LOG} or {INDEX} file was deleted or replaced while the bot runs"
            )

    def check_file(self) -> None:
        if _identify(self._path) != self._file_id:
            raise StoreError(
                "the file was deleted or replaced while the bot runs; "
                "put it back, or start the bot anew"
            )

    @property
    def log_size(self) -> int:
        """With 0 everything is in the file itself."""
        return 0 if self._descriptor == CLOSED else os.fstat(self._descriptor).st_size

    @property
    def index_was_replaced(self) -> bool:
        """Somebody opened the store without knowing of this connection."""
        return _identify(self._index) not in (None, self._index_id)


class NoFiles(OpenFiles):
    """Of a database in memory: nothing can happen to it."""

    def __init__(self) -> None:
        pass

    def close(self) -> None:
        pass

    def check(self) -> None:
        pass

    def check_file(self) -> None:
        pass

    @property
    def log_size(self) -> int:
        return 0


def _identify(path: str) -> Identity | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # six times per transaction; Path takes twice as long
    except OSError:
        return None
    return status.st_dev, status.st_ino


T = TypeVar("T")

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


def transact(
    db: sqlite3.Connection, files: OpenFiles, work: Callable[[sqlite3.Connection], T]
) -> T:
    """
    Do *work* in a transaction of *db*, behind which are *files*. It is not on the disk then.

    Raises `LogLostError`, and does nothing, where another connection may have gone on with a new
    log: what is written to the old one would damage the store.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        files.check()  # now that nobody else can write
        result = work(db)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return result


def shorten_log(path: Path) -> bool:
    """
    Carry the write-ahead log over into the file, and empty it; waits for the disk.

    False: it could not be emptied, since another process writes or reads all the time.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=CHECKPOINT_PATIENCE)) as db:
        # The first does most of it without keeping anybody from writing, the second the rest.
        _, frames, carried = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames != carried:
            return False  # an older state is still read
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def retire_log(db: sqlite3.Connection, files: OpenFiles, *, patience: float) -> None:
    """
    Carry the log of *db* over into the file, though log or index lost their name; then end it.

    Other processes may have the same log open, and do the same. Whoever comes first takes the name
    from the empty log while nobody may write, so that none of them can take the next log for it.
    Raises `StoreError`, and leaves everything as it is, where not all of it can be saved.
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
    """Return why it cannot be saved; "" if it is, or may be in a moment."""
    try:
        # Pages that somebody put elsewhere cannot be read: better none of it than a part.
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            return "not all of it can be read any more"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as exc:
        return "" if is_locked(exc) else explain(exc)
    return ""


def _end_log(db: sqlite3.Connection, files: OpenFiles) -> bool:
    """Take the name from a log that is empty. False: not yet."""
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as exc:
        # Unless locked: the index tells of the next log already, which this connection cannot read.
        return not is_locked(exc)
    try:
        if files.log_size:
            return False  # somebody was about to commit
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
    # A commit survives the process. That it survives a power cut is waited for in writer.py, in a
    # thread: FULL waits within the statement, and would hold the event loop meanwhile.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")  # see writer.py
    db.execute("PRAGMA busy_timeout = 0")  # there too
    # What is forgotten is overwritten; SQLite's own default differs from build to build.
    db.execute("PRAGMA secure_delete = ON").fetchall()
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # makes the log and its index
