"""The processes that claim entries of one file, see `store.heartbeat`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.heartbeat import Silence
from rasa_whatsapp_channel.store.sqlite import statements as sql
from rasa_whatsapp_channel.store.sqlite.faults import explain
from rasa_whatsapp_channel.whatsapp.errors import StoreError

# Seconds that a beat waits for who writes.
PATIENCE: Final = 1.0


class Claimants:
    """*own* is the name of this process. Its connections are its own: a thread calls `beat`."""

    def __init__(self, path: Path, own: str) -> None:
        self._path = path
        self._own = own
        self._silence = Silence(own)

    def beat(self) -> int:
        """
        Count up our number and look at the others'; take over from those that count as dead.

        Returns how many entries were taken over. Raises `StoreError`.
        """
        try:
            with closing(self._connect()) as db:
                with db:
                    db.execute(sql.BEAT, (self._own,))
                beats: Mapping[str, int] = dict(db.execute(sql.BEATS).fetchall())
                dead = self._silence.look(beats)
                return sum(_take_over(db, *silent) for silent in dead.items())
        except sqlite3.Error as exc:
            raise StoreError(f"store {self._path}: {explain(exc)}") from exc

    def _connect(self) -> sqlite3.Connection:
        # Never makes a file: one that vanished must be noticed by who writes messages.
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE)
        # A beat that a power cut loses is no loss: the process is gone too.
        db.execute("PRAGMA synchronous = OFF")
        return db


def _take_over(db: sqlite3.Connection, claimant: str, number: int) -> int:
    """Let what *claimant* had be claimed by others, unless it has just shown that it lives."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        if not db.execute(sql.IS_SILENT, (claimant, number)).fetchone():
            return 0
        taken_over = db.execute(sql.TAKE_OVER, (claimant,)).rowcount
        db.execute(sql.FORGET_CLAIMANT, (claimant,))
        return taken_over


def leave(db: sqlite3.Connection, claimant: str) -> None:
    """Give back what *claimant*, which ends in good order, still has."""
    db.execute(sql.GIVE_BACK, (claimant,))
    db.execute(sql.FORGET_CLAIMANT, (claimant,))
