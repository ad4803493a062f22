"""A queue in the file; the states of its entries are drawn in schema.py."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Body, Clock, Depth, GivenUp, Item, Queue
from rasa_whatsapp_channel.store.line import Line
from rasa_whatsapp_channel.store.sqlite.commits import Commits
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode
from rasa_whatsapp_channel.whatsapp.errors import StoreError

# A clock may tick a little backwards; more than this means that it was set.
CLOCK_SLACK: Final = 1.0
# Entries whose time came and that one claim frees; more would hold the loop.
FREED_AT_ONCE: Final = 100

NOTE_SEEN = "INSERT OR IGNORE INTO seen (queue, key, at) VALUES (?, ?, ?)"
IS_BEHIND = "SELECT 1 FROM items WHERE queue = ? AND conversation = ? LIMIT 1"
APPEND = """
    INSERT INTO items
        (queue, conversation, key, body, attempts, put_at, due_at, hidden_for, out)
    VALUES (?, ?, ?, ?, 0, ?, ?, 0, 0)
"""
NEXT_DUE = "SELECT min(due_at) FROM items WHERE queue = ? AND due_at > 0"
FREE_DUE = """
    UPDATE items SET due_at = 0 WHERE seq IN (
        SELECT seq FROM items WHERE queue = ? AND due_at > 0 AND due_at <= ?
        ORDER BY due_at LIMIT ?
    )
"""
OLDEST_FREE = """
    SELECT seq, key, conversation, body, attempts + 1, put_at
    FROM items WHERE queue = ? AND due_at = 0 ORDER BY seq LIMIT 2
"""
TAKE = """
    UPDATE items SET attempts = attempts + 1, due_at = ?, hidden_for = ?, out = 1 WHERE seq = ?
"""
FIRST = """
    SELECT seq, key, attempts, out FROM items WHERE queue = ? AND conversation = ?
    ORDER BY seq LIMIT 1
"""
HIDE = "UPDATE items SET due_at = ?, hidden_for = ?, out = ? WHERE seq = ?"
REMOVE = "DELETE FROM items WHERE seq = ?"
FREE_NEXT = """
    UPDATE items SET due_at = 0 WHERE seq = (
        SELECT min(seq) FROM items WHERE queue = ? AND conversation = ?
    )
"""
# What was hidden in a future that is no more comes back after the seconds that were meant.
FOLLOW_CLOCK = """
    UPDATE items SET due_at = :now + hidden_for
    WHERE queue = :queue AND due_at > 0 AND due_at - hidden_for > :now + :slack
"""
GIVE_UP = """
    INSERT OR REPLACE INTO given_up
        (queue, conversation, key, body, attempts, put_at, given_up_at, reason)
    SELECT queue, conversation, key, body, attempts, put_at, ?, ? FROM items WHERE seq = ?
"""
PUT_GIVEN_UP = """
    INSERT OR REPLACE INTO given_up
        (queue, conversation, key, body, attempts, put_at, given_up_at, reason)
    VALUES (?, ?, ?, ?, 0, ?, ?, ?)
"""
GIVEN_UP = """
    SELECT key, conversation, body, attempts, put_at, given_up_at, reason
    FROM given_up WHERE queue = ? ORDER BY seq DESC LIMIT ?
"""
SET_ASIDE = "SELECT seq, conversation, body FROM given_up WHERE queue = ? AND key = ?"
FORGET_GIVEN_UP = "DELETE FROM given_up WHERE seq = ?"
DEPTH = """
    SELECT
        (SELECT count(*) FROM items WHERE queue = :queue),
        (SELECT count(*) FROM given_up WHERE queue = :queue),
        (SELECT put_at FROM items WHERE seq = (
            SELECT min(seq) FROM items WHERE queue = :queue AND due_at IS NOT NULL
        ))
"""


class SQLiteQueue(Queue):
    def __init__(self, name: str, commits: Commits, *, clock: Clock) -> None:
        self._name = name
        self._commits = commits
        self._clock = clock
        self._latest = 0.0  # the latest time this process saw
        self.line = Line()

    async def put(self, key: str, conversation: str, body: Body) -> bool:
        return await self._commits.write(
            self._put, to_unicode(key), to_unicode(conversation), to_json(body)
        )

    def _put(self, db: sqlite3.Connection, key: str, conversation: str, body: str) -> bool:
        now = self._clock()
        if not self._note_seen(db, key, now):
            return False
        self._append(db, key, conversation, body, now)
        return True

    def _note_seen(self, db: sqlite3.Connection, key: str, now: float) -> bool:
        return db.execute(NOTE_SEEN, (self._name, key, now)).rowcount == 1

    def _append(
        self, db: sqlite3.Connection, key: str, conversation: str, body: str, now: float
    ) -> None:
        behind = db.execute(IS_BEHIND, (self._name, conversation)).fetchone()
        due_at = None if behind else 0
        db.execute(APPEND, (self._name, conversation, key, body, now, due_at))
        if not behind:
            self.line.wake()

    async def claim(self, lease: float) -> Item | None:
        claimed = self._commits.submit(lambda db: self._claim(db, lease))
        try:
            return await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._hand_back)
            raise

    def _claim(self, db: sqlite3.Connection, lease: float) -> Item | None:
        now = self._now(db)
        self._free_what_is_due(db, now)
        rows = db.execute(OLDEST_FREE, (self._name,)).fetchall()
        if not rows:
            return None
        if len(rows) > 1:
            self.line.wake()
        self.line.wake_in(lease)
        seq, key, conversation, body, attempts, put_at = rows[0]
        db.execute(TAKE, (now + lease, lease, seq))
        return Item(key, conversation, from_json(body), attempts, put_at)

    def _now(self, db: sqlite3.Connection) -> float:
        now = self._clock()
        if now < self._latest - CLOCK_SLACK:
            self.follow_clock(db)
        self._latest = now
        return now

    def _free_what_is_due(self, db: sqlite3.Connection, now: float) -> None:
        due_at = self._next_due(db)
        if due_at is not None and due_at <= now:
            db.execute(FREE_DUE, (self._name, now, FREED_AT_ONCE))
            due_at = self._next_due(db)
        if due_at is not None:
            self.line.wake_in(due_at - now)

    def _next_due(self, db: sqlite3.Connection) -> float | None:
        (due_at,) = db.execute(NEXT_DUE, (self._name,)).fetchone()
        return None if due_at is None else float(due_at)

    def _hand_back(self, claimed: asyncio.Future[Item | None]) -> None:
        if claimed.cancelled() or claimed.exception() or not (item := claimed.result()):
            return
        try:
            released = self._commits.submit(lambda db: self._release(db, item, 0.0))
        except StoreError:
            return  # closed meanwhile; the lease ends by itself
        released.add_done_callback(_forgive)

    async def extend(self, item: Item, lease: float) -> bool:
        return await self._commits.write(self._extend, item, lease)

    def _extend(self, db: sqlite3.Connection, item: Item, lease: float) -> bool:
        seq = self._held(db, item)
        if seq is None:
            return False
        db.execute(HIDE, (self._clock() + lease, lease, 1, seq))
        return True

    def _held(self, db: sqlite3.Connection, item: Item) -> int | None:
        """Return the entry's *seq* unless the claim was lost."""
        row = db.execute(FIRST, (self._name, item.conversation)).fetchone()
        if row is None or row[1:] != (item.key, item.attempts, 1):
            return None
        return int(row[0])

    async def done(self, item: Item) -> None:
        await self._commits.write(self._done, item)

    def _done(self, db: sqlite3.Connection, item: Item) -> None:
        seq = self._held(db, item)
        if seq is not None:
            self._remove(db, seq, item.conversation)

    def _remove(self, db: sqlite3.Connection, seq: int, conversation: str) -> None:
        db.execute(REMOVE, (seq,))
        if db.execute(FREE_NEXT, (self._name, conversation)).rowcount:
            self.line.wake()

    async def release(self, item: Item, after: float = 0.0) -> None:
        await self._commits.write(self._release, item, after)

    def _release(self, db: sqlite3.Connection, item: Item, after: float) -> None:
        seq = self._held(db, item)
        if seq is None:
            return
        if after <= 0:
            db.execute(HIDE, (0, 0, 0, seq))
            self.line.wake()
        else:
            db.execute(HIDE, (self._clock() + after, after, 0, seq))
            self.line.wake_in(after)

    async def give_up(self, item: Item, reason: str) -> None:
        await self._commits.write(self._give_up, item, to_unicode(reason))

    def _give_up(self, db: sqlite3.Connection, item: Item, reason: str) -> None:
        seq = self._held(db, item)
        if seq is not None:
            db.execute(GIVE_UP, (self._clock(), reason, seq))
            self._remove(db, seq, item.conversation)

    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        entry = (to_unicode(conversation), to_unicode(key), to_json(body), to_unicode(reason))
        return await self._commits.write(self._put_given_up, *entry)

    def _put_given_up(
        self, db: sqlite3.Connection, conversation: str, key: str, body: str, reason: str
    ) -> bool:
        now = self._clock()
        if not self._note_seen(db, key, now):
            return False
        db.execute(PUT_GIVEN_UP, (self._name, conversation, key, body, now, now, reason))
        return True

    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        return await self._commits.read(self._given_up, limit)

    def _given_up(self, db: sqlite3.Connection, limit: int) -> Sequence[GivenUp]:
        rows = db.execute(GIVEN_UP, (self._name, limit))
        return [GivenUp(row[0], row[1], from_json(row[2]), *row[3:]) for row in rows]

    async def retry(self, key: str) -> bool:
        return await self._commits.write(self._retry, to_unicode(key))

    def _retry(self, db: sqlite3.Connection, key: str) -> bool:
        row = db.execute(SET_ASIDE, (self._name, key)).fetchone()
        if row is None:
            return False
        seq, conversation, body = row
        db.execute(FORGET_GIVEN_UP, (seq,))
        self._append(db, key, conversation, body, self._clock())
        return True

    async def depth(self) -> Depth:
        return await self._commits.read(self._depth)

    def _depth(self, db: sqlite3.Connection) -> Depth:
        return Depth(*db.execute(DEPTH, {"queue": self._name}).fetchone())

    async def wait(self, timeout: float) -> None:
        await self.line.wait(timeout)

    def follow_clock(self, db: sqlite3.Connection) -> None:
        """Repair what the clock did when it was set back, in this process or before it."""
        db.execute(FOLLOW_CLOCK, {"queue": self._name, "now": self._clock(), "slack": CLOCK_SLACK})


def _forgive(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
