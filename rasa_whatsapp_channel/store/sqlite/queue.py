"""A queue in the file; the states of its entries are drawn in schema.py."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Body, Clock, Depth, GivenUp, Item, Queue, Waiting
from rasa_whatsapp_channel.store.line import Line
from rasa_whatsapp_channel.store.sqlite import statements as sql
from rasa_whatsapp_channel.store.sqlite.commits import Commits
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode
from rasa_whatsapp_channel.whatsapp.errors import StoreError

# A clock may tick a little backwards; more than this means that it was set.
CLOCK_SLACK: Final = 1.0
# Entries whose time came and that one claim frees; more would hold the loop.
FREED_AT_ONCE: Final = 100


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
        return db.execute(sql.NOTE_SEEN, (self._name, key, now)).rowcount == 1

    def _append(
        self, db: sqlite3.Connection, key: str, conversation: str, body: str, now: float
    ) -> None:
        entry = (self._name, conversation, key, body, now)
        if db.execute(sql.IS_BEHIND, (self._name, conversation)).fetchone():
            db.execute(sql.APPEND, (*entry, None, 0))
            return
        hold = self._end_hold(db, conversation)
        db.execute(sql.APPEND, (*entry, *self._due(hold)))
        self._wake_in(hold)

    def _due(self, seconds: float) -> tuple[float, float]:
        """Return *due_at* and *hidden_for*."""
        return (self._clock() + seconds, seconds) if seconds > 0 else (0.0, 0.0)

    def _wake_in(self, seconds: float) -> None:
        if seconds > 0:
            self.line.wake_in(seconds)
        else:
            self.line.wake()

    def _hold(self, db: sqlite3.Connection, conversation: str, seconds: float) -> None:
        if seconds > 0:
            db.execute(sql.HOLD, (self._name, conversation, *self._due(seconds)))

    def _end_hold(self, db: sqlite3.Connection, conversation: str) -> float:
        """Return the seconds that were left."""
        row = db.execute(sql.GET_HOLD, (self._name, conversation)).fetchone()
        if row is None:
            return 0.0
        db.execute(sql.END_HOLD, (self._name, conversation))
        until, seconds = row
        # Never longer than was meant, though the clock was set back meanwhile.
        return float(min(until - self._clock(), seconds))

    async def claim_many(self, lease: float, limit: int) -> Sequence[Item]:
        claimed = self._commits.write(self._claim, lease, limit)
        try:
            return await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._hand_back)
            raise

    def _claim(self, db: sqlite3.Connection, lease: float, limit: int) -> Sequence[Item]:
        now = self._now(db)
        self._free_what_is_due(db, now)
        rows = db.execute(sql.OLDEST_FREE, (self._name, limit + 1)).fetchall()
        if not rows:
            return []
        if len(rows) > limit:
            self.line.wake()
        self.line.wake_in(lease)
        db.executemany(sql.TAKE, [(now + lease, lease, row[0]) for row in rows[:limit]])
        return [_to_item(*row[1:]) for row in rows[:limit]]

    def _now(self, db: sqlite3.Connection) -> float:
        now = self._clock()
        if now < self._latest - CLOCK_SLACK:
            self.follow_clock(db)
        self._latest = now
        return now

    def _free_what_is_due(self, db: sqlite3.Connection, now: float) -> None:
        due_at = self._next_due(db)
        if due_at is not None and due_at <= now:
            db.execute(sql.FREE_DUE, (self._name, now, FREED_AT_ONCE))
            due_at = self._next_due(db)
        if due_at is not None:
            self.line.wake_in(due_at - now)

    def _next_due(self, db: sqlite3.Connection) -> float | None:
        (due_at,) = db.execute(sql.NEXT_DUE, (self._name,)).fetchone()
        return None if due_at is None else float(due_at)

    def _hand_back(self, claimed: asyncio.Future[Sequence[Item]]) -> None:
        if claimed.cancelled() or claimed.exception() or not (items := claimed.result()):
            return
        try:
            released = self._commits.write(self._release_all, items)
        except StoreError:
            return  # closed meanwhile; the lease ends by itself
        released.add_done_callback(_forgive)

    def _release_all(self, db: sqlite3.Connection, items: Sequence[Item]) -> None:
        for item in items:
            self._release(db, item, after=0.0, attempt=False)

    async def extend(self, item: Item, lease: float) -> bool:
        return await self._commits.write(self._extend, item, lease)

    def _extend(self, db: sqlite3.Connection, item: Item, lease: float) -> bool:
        seq = self._held(db, item)
        if seq is None:
            return False
        db.execute(sql.HIDE, (self._clock() + lease, lease, 1, seq))
        return True

    def _held(self, db: sqlite3.Connection, item: Item) -> int | None:
        """Return the entry's *seq* unless the claim was lost."""
        row = db.execute(sql.FIRST, (self._name, item.conversation)).fetchone()
        if row is None:
            return None
        seq, key, attempts, _, out = row
        return int(seq) if (key, attempts, out) == (item.key, item.attempts, 1) else None

    async def replace_body(self, item: Item, body: Body) -> bool:
        return await self._commits.write(self._replace_body, item, to_json(body))

    def _replace_body(self, db: sqlite3.Connection, item: Item, body: str) -> bool:
        seq = self._held(db, item)
        if seq is None:
            return False
        db.execute(sql.REPLACE_BODY, (body, seq))
        return True

    async def done(self, item: Item, hold: float = 0.0) -> None:
        await self._commits.write(self._done, item, hold)

    def _done(self, db: sqlite3.Connection, item: Item, hold: float) -> None:
        held = (self._name, item.conversation, item.key, item.attempts)
        if db.execute(sql.REMOVE_HELD, held).rowcount:
            self._go_on(db, item.conversation, hold)

    def _go_on(self, db: sqlite3.Connection, conversation: str, hold: float) -> None:
        if db.execute(sql.SHOW_NEXT, (*self._due(hold), self._name, conversation)).rowcount:
            self._wake_in(hold)
        else:
            self._hold(db, conversation, hold)

    async def release(self, item: Item, after: float = 0.0, *, attempt: bool = True) -> None:
        await self._commits.write(self._release, item, after, attempt)

    def _release(self, db: sqlite3.Connection, item: Item, after: float, attempt: bool) -> None:
        seq = self._held(db, item)
        if seq is None:
            return
        if not attempt:
            db.execute(sql.FORGIVE, (seq,))
        db.execute(sql.HIDE, (*self._due(after), 0, seq))
        self._wake_in(after)

    async def give_up(self, item: Item, reason: str, hold: float = 0.0) -> None:
        await self._commits.write(self._give_up, item, to_unicode(reason), hold)

    def _give_up(self, db: sqlite3.Connection, item: Item, reason: str, hold: float) -> None:
        seq = self._held(db, item)
        if seq is not None:
            db.execute(sql.GIVE_UP, (self._clock(), reason, seq))
            db.execute(sql.REMOVE, (seq,))
            self._go_on(db, item.conversation, hold)

    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        entry = (to_unicode(conversation), to_unicode(key), to_json(body), to_unicode(reason))
        return await self._commits.write(self._put_given_up, *entry)

    def _put_given_up(
        self, db: sqlite3.Connection, conversation: str, key: str, body: str, reason: str
    ) -> bool:
        now = self._clock()
        if not self._note_seen(db, key, now):
            return False
        db.execute(sql.PUT_GIVEN_UP, (self._name, conversation, key, body, now, now, reason))
        return True

    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        return await self._commits.read(self._given_up, limit)

    def _given_up(self, db: sqlite3.Connection, limit: int) -> Sequence[GivenUp]:
        rows = db.execute(sql.GIVEN_UP, (self._name, limit))
        return [GivenUp(row[0], row[1], from_json(row[2]), *row[3:]) for row in rows]

    async def retry(self, key: str) -> bool:
        return await self._commits.write(self._retry, to_unicode(key))

    def _retry(self, db: sqlite3.Connection, key: str) -> bool:
        row = db.execute(sql.SET_ASIDE, (self._name, key)).fetchone()
        if row is None:
            return False
        seq, conversation, body = row
        db.execute(sql.FORGET_GIVEN_UP, (seq,))
        self._append(db, key, conversation, body, self._clock())
        return True

    async def discard(self, key: str) -> bool:
        return await self._commits.write(self._discard, to_unicode(key))

    def _discard(self, db: sqlite3.Connection, key: str) -> bool:
        return db.execute(sql.DISCARD, (self._name, key)).rowcount == 1

    async def free(self, conversation: str) -> bool:
        return await self._commits.write(self._free, to_unicode(conversation))

    def _free(self, db: sqlite3.Connection, conversation: str) -> bool:
        row = db.execute(sql.FIRST, (self._name, conversation)).fetchone()
        if row is None:
            return self._end_hold(db, conversation) > 0
        seq, _, _, due_at, out = row
        if out or due_at <= self._clock():
            return False
        db.execute(sql.HIDE, (0, 0, 0, seq))
        self.line.wake()
        return True

    async def waiting(self, limit: int = 100) -> Sequence[Waiting]:
        return await self._commits.read(self._waiting, limit)

    def _waiting(self, db: sqlite3.Connection, limit: int) -> Sequence[Waiting]:
        now = self._clock()
        return [_to_waiting(now, *row) for row in db.execute(sql.WAITING, (self._name, limit))]

    async def purge(self, conversation: str) -> int:
        return await self._commits.write(self._purge, to_unicode(conversation))

    def _purge(self, db: sqlite3.Connection, conversation: str) -> int:
        line = (self._name, conversation)
        first = db.execute(sql.FIRST, line).fetchone()
        self._end_hold(db, conversation)
        if first is not None and first[4]:
            self._hold(db, conversation, first[3] - self._clock())
        return sum(db.execute(each, line).rowcount for each in (sql.REMOVE_ALL, sql.DISCARD_ALL))

    async def depth(self) -> Depth:
        self._commits.check_file()  # who asks wants to know whether all is well
        return await self._commits.read(self._depth)

    def _depth(self, db: sqlite3.Connection) -> Depth:
        return Depth(*db.execute(sql.DEPTH, {"queue": self._name}).fetchone())

    async def wait(self, timeout: float) -> None:
        await self.line.wait(timeout)

    def follow_clock(self, db: sqlite3.Connection) -> None:
        """Repair what the clock did when it was set back, in this process or before it."""
        db.execute(
            sql.FOLLOW_CLOCK, {"queue": self._name, "now": self._clock(), "slack": CLOCK_SLACK}
        )


def _to_item(
    key: str, conversation: str, body: str, attempts: int, put_at: float, forgiven: int, out: int
) -> Item:
    lapsed = bool(out)  # whoever claimed it before has neither ended nor released it
    return Item(key, conversation, from_json(body), attempts, put_at, forgiven, lapsed)


def _to_waiting(
    now: float,
    key: str,
    conversation: str,
    body: str,
    attempts: int,
    put_at: float,
    due_at: float | None,
    out: int,
) -> Waiting:
    is_hidden = due_at is not None and due_at > now
    return Waiting(
        key=key,
        conversation=conversation,
        body=from_json(body),
        attempts=attempts,
        put_at=put_at,
        due_at=due_at if due_at is None or is_hidden else 0.0,
        out=bool(out) and is_hidden,
    )


def _forgive(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
