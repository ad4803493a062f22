"""
The three files behind an open connection: are they still the ones that it writes to?

SQLite does not ask. It writes on into files that have no name any more, and whoever opens the store
by its name sees nothing of that; what was acknowledged is gone when the process ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.errors import StoreError

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
