"""SQLite claimants: the processes that claim items of one file, see `store.heartbeat`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.heartbeat import Liveness
from rasa_whatsapp_channel.store.sqlite import statements as sql
from rasa_whatsapp_channel.store.sqlite.connection import transact
from rasa_whatsapp_channel.store.sqlite.errors import explain
from rasa_whatsapp_channel.store.sqlite.files import OpenFiles

# Longest wait of a beat for another writer, in seconds.
PATIENCE: Final = 1.0


class SQLiteClaimants:
    """
    *own* is the id of this process. A thread calls `beat`, so it opens connections of its own.

    *files* returns the files that the process writes to. If one of them lost its name, a beat would
    open other files and damage the first ones.
    """

    def __init__(self, path: Path, own: str, *, files: Callable[[], OpenFiles]) -> None:
        self._path = path
        self._own = own
        self._files = files
        self._liveness = Liveness(own)

    def beat(self) -> int:
        """
        Increment our counter, read the others, and take over the claims of dead processes.

        Returns the number of items that were taken over. Raises `StoreError`.
        """
        try:
            files = self._files()
            with closing(self._connect()) as db:
                beats = transact(db, files, self._count_up)
                dead = self._liveness.look(beats)
                takes = (partial(_take_over, claimant=who, number=n) for who, n in dead.items())
                return sum(transact(db, files, take) for take in takes)
        except sqlite3.Error as exc:
            raise StoreError(f"store {self._path}: {explain(exc)}") from exc

    def _count_up(self, db: sqlite3.Connection) -> Mapping[str, int]:
        db.execute(sql.BEAT, (self._own,))
        return dict(db.execute(sql.BEATS).fetchall())

    def _connect(self) -> sqlite3.Connection:
        # Never creates a file: the writer of messages must notice that it vanished.
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        # A power cut that loses a beat ends the process too.
        db.execute("PRAGMA synchronous = OFF")
        return db


def _take_over(db: sqlite3.Connection, claimant: str, number: int) -> int:
    """Release the claims of *claimant*, unless its counter has just changed."""
    if not db.execute(sql.IS_SILENT, (claimant, number)).fetchone():
        return 0
    taken_over = db.execute(sql.TAKE_OVER, (claimant,)).rowcount
    db.execute(sql.FORGET_CLAIMANT, (claimant,))
    return taken_over


def leave(db: sqlite3.Connection, claimant: str) -> None:
    """Release the claims of *claimant*, which ends regularly."""
    db.execute(sql.RELEASE, (claimant,))
    db.execute(sql.FORGET_CLAIMANT, (claimant,))
