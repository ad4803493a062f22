"""SQLite backup: a complete copy of the store's file while other processes write to it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.sqlite.errors import explain
from rasa_whatsapp_channel.store.sqlite.schema import APPLICATION

# Pages that are copied between two reports of progress: 4 MiB.
STEP: Final = 1024
# Longest wait for a lock of another process, in seconds.
PATIENCE: Final = 10.0


def back_up(
    source: Path, target: Path, *, progress: Callable[[int, int], object] = lambda done, of: None
) -> int:
    """
    Copy the current state of the store *source* to *target*, and return the bytes of the copy.

    The copy is one file without a log, checked, and on the disk before it gets its name: *target*
    is complete or unchanged. *progress* gets copied and total pages. Raises `StoreError`.
    """
    if not target.parent.is_dir():
        raise StoreError(f"{target}: the folder {target.parent} does not exist; make it")
    try:
        # Only its user can read it, as the store itself.
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    except OSError as exc:
        raise StoreError(f"{target}: cannot be written ({exc.strerror})") from exc
    os.close(descriptor)
    part = Path(name)
    try:
        _copy(source, part, progress)
        _sync(part)
        part.replace(target)
        _sync(target.parent)
        return target.stat().st_size
    except sqlite3.Error as exc:
        raise StoreError(f"{source} → {target}: {explain(exc)}") from exc
    except OSError as exc:
        raise StoreError(f"{target}: cannot be written ({exc.strerror})") from exc
    finally:
        for rest in part.parent.glob(f"{part.name}*"):
            rest.unlink()


def _copy(source: Path, part: Path, progress: Callable[[int, int], object]) -> None:
    uri = f"{source.absolute().as_uri()}?mode=rw"  # creates no file; reading a log needs to write
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)) as old,
        closing(sqlite3.connect(part, isolation_level=None)) as new,
    ):
        (application,) = old.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise StoreError(f"{source}: is no store of rasa-whatsapp-channel; name its file")
        # One snapshot for all steps; otherwise each write of the bot would restart the copy.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=STEP, progress=lambda _, left, pages: progress(pages - left, pages))
        old.execute("COMMIT")
        new.execute("PRAGMA journal_mode = DELETE").fetchone()
        problems = [row[0] for row in new.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise StoreError(f"{source}: is damaged, and so is its copy: {'; '.join(problems)}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
