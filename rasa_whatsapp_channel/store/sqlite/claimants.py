"""The processes that claim entries of one file, see `store.heartbeat`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.heartbeat import Liveness
from rasa_whatsapp_channel.store.sqlite import statements as sql
from rasa_whatsapp_channel.store.sqlite.connection import OpenFiles, transact
from rasa_whatsapp_channel.store.sqlite.errors import explain

# Seconds that a beat waits for who writes.
PATIENCE: Final = 1.0


class SQLiteClaimants:
    """
    *own* is the name of this process. Its connections are its own: a thread calls `beat`.

    *files* returns those that the process writes to: where the name of one was lost, a beat would
    open others, and damage what is in the first.
    """

    def __init__(self, path: Path, own: str, *, files: Callable[[], OpenFiles]) -> None:
        self._path = path
        self._own = own
        self._files = files
        self._liveness = Liveness(own)

    def beat(self) -> int:
        """
        Count up our number and look at the others'; take over from those that count as dead.

        Returns how many entries were taken over. Raises `StoreError`.
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
        # Never makes a file: one that vanished must be noticed by who writes messages.
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        # A beat that a power cut loses is no loss: the process is gone too.
        db.execute("PRAGMA synchronous = OFF")
        return db


def _take_over(db: sqlite3.Connection, claimant: str, number: int) -> int:
    """Let what *claimant* had be claimed by others, unless it has just shown that it lives."""
    if not db.execute(sql.IS_SILENT, (claimant, number)).fetchone():
        return 0
    taken_over = db.execute(sql.TAKE_OVER, (claimant,)).rowcount
    db.execute(sql.FORGET_CLAIMANT, (claimant,))
    return taken_over


def leave(db: sqlite3.Connection, claimant: str) -> None:
    """Give back what *claimant*, which ends in good order, still has."""
    db.execute(sql.GIVE_BACK, (claimant,))
    db.execute(sql.FORGET_CLAIMANT, (claimant,))
