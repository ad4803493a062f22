"""
Private files: only the bot's own user may read them, whatever the process's umask is.

What people send, and what the bot sends them, is nobody else's on the machine.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from rasa_whatsapp_channel.whatsapp.errors import MediaError

FILE: Final = 0o600
FOLDER: Final = 0o700


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is there inside the block. Raises `MediaError` where the disk is full."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="whatsapp-")
    except OSError as error:
        raise MediaError(f"a folder for it cannot be made: {error}", passing=True) from error
    with folder as path:
        yield Path(path)


def is_full(error: Exception) -> bool:
    """Return whether *error* says that the disk has no room: it may have some again soon."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def create_private(path: Path) -> IO[bytes]:
    """Create the file at *path*, which must not exist, and return it opened for writing."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, FILE)
    _allow(path, FILE)  # a umask may have taken away even that
    return os.fdopen(handle, "wb")


def make_private_folder(folder: Path) -> None:
    """
    Make *folder* and what is missing above it.

    Folders that are there already stay as they are: who made them decides who may look into them.
    """
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    try:
        folder.mkdir(FOLDER)
    except FileExistsError:  # another worker was faster; where it is a file, that is said later
        if not folder.is_dir():
            raise
        return
    _allow(folder, FOLDER)


def keep_private(path: Path) -> None:
    """Take from everybody else what they may do with *path*, a file or folder that we made."""
    with suppress(FileNotFoundError):  # it was deleted meanwhile
        mode = path.stat().st_mode
        if mode & 0o077:
            _allow(path, mode & 0o700)


def _allow(path: Path, mode: int) -> None:
    # A network drive may know no permissions, and somebody else may own what lies there.
    with suppress(OSError):
        path.chmod(mode)


_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows would change the ends of lines
