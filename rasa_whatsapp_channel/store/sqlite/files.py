"""
SQLite files: notices when the files of an open database are deleted or replaced.

SQLite does not. It continues to write into files without a name, which no other process can open;
acknowledged data is lost when the process ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import StoreError

LOG: Final = "-wal"
INDEX: Final = "-shm"
CLOSED: Final = -1

# Both wait for content and size; the faster one exists on Linux and BSD only.
_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)

# Device and inode of a file. An open file keeps its inode, so no other file can have it.
Identity = tuple[int, int]


class LogLostError(StoreError):
    """The write-ahead log or its index was deleted or replaced; its content can be saved."""


class OpenFiles:
    """
    The database file, its log and its index as they were when the connection was opened.

    Holds the log open, which is harmless: SQLite has no locks on it. (Closing a second descriptor
    of the file or the index would release SQLite's locks on them.)
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        beside = os.path.realpath(path)  # SQLite follows links
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
        """Delete the log, if its name is still its own."""
        if _identify(self._log) == self._log_id:
            Path(self._log).unlink(missing_ok=True)

    def sync(self) -> None:
        """Wait until the log is on the disk. Raises `OSError`."""
        _sync(self._descriptor)

    def check(self) -> None:
        """Raise `StoreError` or `LogLostError` if a file was deleted or replaced."""
        self.check_file()
        index_id = _identify(self._index)
        # No name from the start: it is shared with another connection that lost it.
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
        """Size in bytes; 0 if all data is in the file itself."""
        return 0 if self._descriptor == CLOSED else os.fstat(self._descriptor).st_size

    @property
    def index_was_replaced(self) -> bool:
        """Whether another process opened the store without this log."""
        return _identify(self._index) not in (None, self._index_id)


class NoFiles(OpenFiles):
    """The files of a database in memory: none."""

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
