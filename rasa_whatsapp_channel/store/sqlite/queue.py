"""SQLite queue; schema.py describes the states of its items."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import (
    SUSPECT_FROM,
    TIME,
    Body,
    Clock,
    DeadLetterRow,
    Depth,
    ItemState,
    Notes,
    PlaceOf,
    Queue,
    QueueItem,
    StoreError,
    WaitingRow,
)
from rasa_whatsapp_channel.store.heartbeat import LEASE
from rasa_whatsapp_channel.store.sqlite import statements as sql
from rasa_whatsapp_channel.store.sqlite.values import ValueRow, set_all, to_rows
from rasa_whatsapp_channel.store.sqlite.writer import Writer
from rasa_whatsapp_channel.store.text import from_json, read_body, to_json, to_unicode
from rasa_whatsapp_channel.store.wait_queue import WaitQueue

logger = logging.getLogger(__name__)

# A clock may go back a little; more than this means that it was set.
CLOCK_SLACK: Final = 1.0
# Due waits that one claim ends; more would block the event loop.
ENDED_AT_ONCE: Final = 100
UNREADABLE: Final = "it cannot be read: its row in the store is not what was written there"


class SQLiteQueue(Queue):
    """
    *claimant* returns the id of this process; it is called before every claim. *tell* wakes other
    processes.
    """

    def __init__(
        self,
        name: str,
        writer: Writer,
        *,
        clock: Clock,
        claimant: Callable[[], str],
        tell: Callable[[str], None],
    ) -> None:
        self.name = name
        self._writer = writer
        self._clock = clock
        self._claimant = claimant
        self._tell = tell
        self._latest = 0.0  # the latest time this process saw
        self._unsure: list[QueueItem] = []  # claims that may not have been committed
        self._beginning = 0  # waits that are not committed yet
        self.wait_queue = WaitQueue()

    async def _insert(
        self,
        key: str,
        conversation: str,
        body: Body,
        after: float,
        notes: Notes | None,
        place: PlaceOf | None,
    ) -> bool:
        entry = (to_unicode(key), to_unicode(conversation), to_json(body), after)
        rows = to_rows(notes.values, self._clock() + notes.ttl) if notes else ()
        return await self._writer.write(self._put, *entry, rows, place)

    def _put(
        self,
        db: sqlite3.Connection,
        key: str,
        conversation: str,
        body: str,
        after: float,
        notes: Sequence[ValueRow],
        place: PlaceOf | None,
    ) -> bool:
        now = self._clock()
        set_all(db, notes)
        if not self._note_seen(db, key, now):
            return False
        entry = (self.name, conversation, key, body, now)
        if place is None or not self._insert_at(db, place, entry):
            self._append(db, key, conversation, body, now, after)
        return True

    def _insert_at(
        self, db: sqlite3.Connection, place: PlaceOf, entry: tuple[str, str, str, str, float]
    ) -> bool:
        """Insert *entry* at *place*. False: it is at the end."""
        row = db.execute(sql.FIRST, entry[:2]).fetchone()
        if row is None:
            return False
        seq, key, _, _, claimed, cause = row
        (lowest,) = db.execute(sql.LOWEST).fetchone()
        if claimed and key == to_unicode(place.key):
            db.execute(sql.MOVE, (lowest - 2, seq))
            db.execute(sql.INSERT, (lowest - 1, *entry, None))
            return True
        if cause != place.cause:
            return False
        db.execute(sql.FALL_BEHIND, (seq,))
        db.execute(sql.INSERT, (lowest - 1, *entry, 0.0))
        self._wake_in()
        return True

    def _note_seen(self, db: sqlite3.Connection, key: str, now: float) -> bool:
        return db.execute(sql.NOTE_SEEN, (self.name, key, now)).rowcount == 1

    def _append(
        self,
        db: sqlite3.Connection,
        key: str,
        conversation: str,
        body: str,
        now: float,
        after: float = 0.0,
    ) -> None:
        entry = (self.name, conversation, key, body, now)
        is_behind, is_held = db.execute(sql.PLACE, (self.name, conversation)).fetchone()
        if is_behind:
            db.execute(sql.APPEND, (*entry, None, 0, None))
            return
        seconds, cause = self._take_hold(db, conversation) if is_held else (0.0, TIME)
        if after > seconds:
            seconds, cause = after, TIME
        db.execute(sql.APPEND, (*entry, *self._due(seconds, cause)))
        self._wake_in(seconds)

    def _due(self, seconds: float, cause: str | None) -> tuple[float, float, str | None]:
        """Return *due_at*, *hidden_for* and *cause*."""
        return (self._clock() + seconds, seconds, cause) if seconds > 0 else (0.0, 0.0, None)

    def _wake_in(self, seconds: float = 0.0) -> None:
        """Let a task claim in *seconds*: of this process, or of others if none waits here."""
        if self.wait_queue.is_empty:
            self._tell(self.name)
        if seconds > 0:
            self.wait_queue.wake_in(seconds)
        else:
            self.wait_queue.wake()

    def _hold(self, db: sqlite3.Connection, conversation: str, seconds: float, cause: str) -> None:
        if seconds > 0:
            db.execute(sql.HOLD, (self.name, conversation, *self._due(seconds, cause)))

    def _take_hold(self, db: sqlite3.Connection, conversation: str) -> tuple[float, str]:
        """End the hold; return the seconds that were left, and their cause."""
        until, seconds, cause = db.execute(sql.GET_HOLD, (self.name, conversation)).fetchone()
        db.execute(sql.END_HOLD, (self.name, conversation))
        # Never longer than intended, even if the clock was set back.
        return float(min(until - self._clock(), seconds)), str(cause)

    async def claim_many(self, limit: int) -> Sequence[QueueItem]:
        return await self._claim_ready(limit, is_suspect=False)

    async def claim_suspect(self) -> QueueItem | None:
        items = await self._claim_ready(1, is_suspect=True)
        return items[0] if items else None

    async def claim_first(self, conversation: str) -> QueueItem | ItemState | None:
        line = (self.name, to_unicode(conversation))
        state = await self._writer.read(self._state_of_first, line)
        if state is not ItemState.READY and not self._unsure:
            return state
        items = await self._claim(self._claimant(), 1, sql.FIRST_READY, line)
        return items[0] if items else ItemState.CLAIMED  # another process took it meanwhile

    def _state_of_first(self, db: sqlite3.Connection, line: tuple[str, str]) -> ItemState | None:
        row = db.execute(sql.FIRST, line).fetchone()
        return None if row is None else _state_of(self._clock(), due_at=row[3], claimed=row[4])

    async def _claim_ready(self, limit: int, *, is_suspect: bool) -> Sequence[QueueItem]:
        claimant = self._claimant()
        # Most claims find nothing; a transaction for each of them would wait for the disk.
        has_ready = await self._writer.read(self._has_ready, is_suspect)
        if not (has_ready or self._unsure):
            return []
        chosen = (self.name, SUSPECT_FROM, is_suspect, limit + 1)
        return await self._claim(claimant, limit, sql.OLDEST_READY, chosen)

    async def _claim(
        self, claimant: str, limit: int, query: str, chosen: Sequence[Any]
    ) -> Sequence[QueueItem]:
        """Claim up to *limit* of the items that *query* finds."""
        items: list[QueueItem] = []
        claimed = self._writer.write(self._take, claimant, limit, query, chosen, items)
        try:
            await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._hand_back_late)
            raise
        except StoreError:
            # It may be committed all the same; then the claim would be ours for ever, unhandled.
            self._unsure += items
            raise
        self._unsure = []
        return items

    def _has_ready(self, db: sqlite3.Connection, is_suspect: bool) -> bool:
        """Return whether a claim may find an item, and wake a task when the next wait ends."""
        due_at, is_ready = db.execute(
            sql.HAS_READY, (self.name, self.name, SUSPECT_FROM, is_suspect)
        ).fetchone()
        now = self._clock()
        if is_ready or now < self._latest - CLOCK_SLACK or (due_at is not None and due_at <= now):
            return True
        self._latest = now
        if due_at is not None:
            self.wait_queue.wake_in(due_at - now)
        return False

    def _take(
        self,
        db: sqlite3.Connection,
        claimant: str,
        limit: int,
        query: str,
        chosen: Sequence[Any],
        items: list[QueueItem],
    ) -> Sequence[QueueItem]:
        """Take into *items*, which the caller needs even if the commit fails."""
        items.clear()  # of an earlier run, which was rolled back
        for unsure in self._unsure:
            db.execute(sql.TAKE_BACK, (self.name, unsure.key, unsure.attempts, claimant))
        now = self._now(db)
        self._end_what_is_due(db, now)
        rows = db.execute(query, chosen).fetchall()
        if not rows:
            return items
        if len(rows) > limit:
            self.wait_queue.wake()
        db.execute(sql.KNOW_CLAIMANT, (claimant,))
        taken = []
        for seq, *row in rows[:limit]:
            if (item := self._read(db, seq, *row)) is not None:
                taken.append((claimant, seq))
                items.append(item)
        db.executemany(sql.TAKE, taken)
        return items

    def _read(
        self,
        db: sqlite3.Connection,
        seq: int,
        key: str,
        conversation: str,
        body: str,
        *more: Any,
    ) -> QueueItem | None:
        """Return the item, or make it a dead letter if its row is damaged."""
        try:
            return QueueItem(key, conversation, from_json(body), *more)
        except ValueError:
            logger.error("whatsapp.dead_letter: %s of the %s: %s", key, self.name, UNREADABLE)
            self._bury(db, seq, conversation, UNREADABLE)
            return None

    def _now(self, db: sqlite3.Connection) -> float:
        now = self._clock()
        if now < self._latest - CLOCK_SLACK:
            self.follow_clock(db)
        self._latest = now
        return now

    def _end_what_is_due(self, db: sqlite3.Connection, now: float) -> None:
        due_at = self._next_due(db)
        if due_at is not None and due_at <= now:
            db.execute(sql.END_DUE, (self.name, now, ENDED_AT_ONCE))
            due_at = self._next_due(db)
        if due_at is not None:
            self.wait_queue.wake_in(due_at - now)

    def _next_due(self, db: sqlite3.Connection) -> float | None:
        (due_at,) = db.execute(sql.NEXT_DUE, (self.name,)).fetchone()
        return None if due_at is None else float(due_at)

    def _hand_back_late(self, claimed: asyncio.Future[Sequence[QueueItem]]) -> None:
        if claimed.cancelled() or claimed.exception() or not (items := claimed.result()):
            return
        try:
            handed_back = self._writer.write(self._hand_back_all, items)
        except StoreError:
            return  # closing hands back everything
        handed_back.add_done_callback(_ignore)

    def _hand_back_all(self, db: sqlite3.Connection, items: Sequence[QueueItem]) -> None:
        for item in items:
            if (seq := self._held(db, item)) is not None:
                db.execute(sql.HAND_BACK, (seq,))
                self._wake_in()

    def _held(self, db: sqlite3.Connection, item: QueueItem) -> int | None:
        """Return the item's *seq*; None if the claim was lost."""
        row = db.execute(sql.FIRST, (self.name, item.conversation)).fetchone()
        if row is None:
            return None
        seq, key, attempts, _, claimed, _ = row
        return int(seq) if claimed and (key, attempts) == (item.key, item.attempts) else None

    async def done(self, item: QueueItem, hold: float = 0.0, *, cause: str = TIME) -> None:
        ended = self._writer.write(self._done, item, hold, cause)
        await (self._begin_wait(ended) if hold > 0 else ended)

    async def _begin_wait(self, ended: asyncio.Future[None]) -> None:
        """Count a wait that `end_wait` cannot read before *ended*, also if we are cancelled."""
        self._beginning += 1
        ended.add_done_callback(self._note_begun)
        await asyncio.shield(ended)

    def _note_begun(self, _: asyncio.Future[None]) -> None:
        self._beginning -= 1

    def _done(self, db: sqlite3.Connection, item: QueueItem, hold: float, cause: str) -> None:
        held = (self.name, item.conversation, item.key, item.attempts)
        if db.execute(sql.REMOVE_HELD, held).rowcount:
            self._go_on(db, item.conversation, hold, cause)

    def _go_on(
        self, db: sqlite3.Connection, conversation: str, hold: float = 0.0, cause: str = TIME
    ) -> None:
        due = self._due(hold, cause)
        if db.execute(sql.GO_ON, (*due, self.name, conversation)).rowcount:
            self._wake_in(hold)
        else:
            self._hold(db, conversation, hold, cause)

    async def retry_later(
        self,
        item: QueueItem,
        after: float = 0.0,
        *,
        cause: str = TIME,
        counted: bool = True,
        body: Body | None = None,
        error: str | None = None,
    ) -> None:
        text = None if body is None else to_json(body)
        words = None if error is None else to_unicode(error)
        retry = (item, after, cause, counted, text, words)
        ended = self._writer.write(self._retry_later, *retry)
        await (self._begin_wait(ended) if after > 0 else ended)

    def _retry_later(
        self,
        db: sqlite3.Connection,
        item: QueueItem,
        after: float,
        cause: str,
        counted: bool,
        body: str | None,
        error: str | None,
    ) -> None:
        seq = self._held(db, item)
        if seq is None:
            return
        failed = (error, error is not None, self._clock())
        counts = (counted, 0 if counted else 1)
        db.execute(sql.RETRY, (*self._due(after, cause), *counts, body, *failed, seq))
        self._wake_in(after)

    async def dead_letter(self, item: QueueItem, reason: str) -> None:
        await self._writer.write(self._dead_letter, item, to_unicode(reason))

    def _dead_letter(self, db: sqlite3.Connection, item: QueueItem, reason: str) -> None:
        seq = self._held(db, item)
        if seq is not None:
            self._bury(db, seq, item.conversation, reason)

    def _bury(self, db: sqlite3.Connection, seq: int, conversation: str, reason: str) -> None:
        db.execute(sql.DEAD_LETTER, (self._clock(), reason, seq))
        db.execute(sql.REMOVE, (seq,))
        self._go_on(db, conversation)

    async def _insert_dead_letter(
        self, key: str, conversation: str, body: Body, reason: str
    ) -> bool:
        entry = (to_unicode(conversation), to_unicode(key), to_json(body), to_unicode(reason))
        return await self._writer.write(self._put_dead_letter, *entry)

    def _put_dead_letter(
        self, db: sqlite3.Connection, conversation: str, key: str, body: str, reason: str
    ) -> bool:
        now = self._clock()
        if not self._note_seen(db, key, now):
            return False
        db.execute(sql.PUT_DEAD_LETTER, (self.name, conversation, key, body, now, now, reason))
        return True

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetterRow]:
        return await self._writer.read(self._dead_letters, limit)

    def _dead_letters(self, db: sqlite3.Connection, limit: int) -> Sequence[DeadLetterRow]:
        rows = db.execute(sql.DEAD_LETTERS, (self.name, limit))
        return [DeadLetterRow(row[0], row[1], read_body(row[2]), *row[3:]) for row in rows]

    async def requeue(self, key: str) -> bool:
        return await self._writer.write(self._requeue, to_unicode(key))

    def _requeue(self, db: sqlite3.Connection, key: str) -> bool:
        row = db.execute(sql.FIND_DEAD_LETTER, (self.name, key)).fetchone()
        if row is None:
            return False
        seq, conversation, body = row
        db.execute(sql.FORGET_DEAD_LETTER, (seq,))
        self._append(db, key, conversation, body, self._clock())
        return True

    async def discard(self, key: str) -> bool:
        return await self._writer.write(self._discard, to_unicode(key))

    def _discard(self, db: sqlite3.Connection, key: str) -> bool:
        return db.execute(sql.DISCARD, (self.name, key)).rowcount == 1

    async def end_wait(self, conversation: str, cause: str) -> bool:
        conversation = to_unicode(conversation)
        # Most events end no wait, and need no transaction.
        waits = self._beginning or await self._writer.read(self._waits_for, conversation, cause)
        if not waits:
            return False
        return await self._writer.write(self._end_wait, conversation, cause)

    def _waits_for(self, db: sqlite3.Connection, conversation: str, cause: str) -> bool:
        """Return whether the conversation may wait for *cause*."""
        waits = (self.name, conversation, cause)
        (found,) = db.execute(sql.WAITS_FOR, (*waits, *waits)).fetchone()
        return bool(found)

    def _end_wait(self, db: sqlite3.Connection, conversation: str, cause: str) -> bool:
        row = db.execute(sql.FIRST, (self.name, conversation)).fetchone()
        if row is None:
            return self._end_hold(db, conversation, cause)
        seq, _, _, due_at, claimed, waits_for = row
        if claimed or waits_for != cause or due_at <= self._clock():
            return False
        db.execute(sql.END_WAIT, (seq,))
        self._wake_in()
        return True

    def _end_hold(self, db: sqlite3.Connection, conversation: str, cause: str) -> bool:
        row = db.execute(sql.GET_HOLD, (self.name, conversation)).fetchone()
        if row is None or row[2] != cause:
            return False
        return self._take_hold(db, conversation)[0] > 0

    async def end_waits(self, cause: str) -> int:
        return await self._writer.write(self._end_waits, cause)

    def _end_waits(self, db: sqlite3.Connection, cause: str) -> int:
        ended = db.execute(sql.END_WAITS, (self.name, cause)).rowcount
        self._wake_in()
        return ended

    async def waiting(self, limit: int = 100) -> Sequence[WaitingRow]:
        return await self._writer.read(self._waiting, limit)

    def _waiting(self, db: sqlite3.Connection, limit: int) -> Sequence[WaitingRow]:
        now = self._clock()
        return [_to_row(now, *row) for row in db.execute(sql.WAITING, (self.name, limit))]

    async def holds(self) -> Sequence[str]:
        return await self._writer.read(self._holds)

    def _holds(self, db: sqlite3.Connection) -> Sequence[str]:
        return [conversation for (conversation,) in db.execute(sql.HOLDS, (self.name,))]

    async def erase(self, conversation: str) -> int:
        return await self._writer.write(self._erase, to_unicode(conversation))

    def _erase(self, db: sqlite3.Connection, conversation: str) -> int:
        line = (self.name, conversation)
        first = db.execute(sql.FIRST, line).fetchone()
        db.execute(sql.END_HOLD, line)
        if first is not None and first[4]:
            # Its consumer may still be working on it; the next item must not overtake it.
            self._hold(db, conversation, LEASE, TIME)
        return sum(db.execute(each, line).rowcount for each in (sql.REMOVE_ALL, sql.DISCARD_ALL))

    async def depth(self) -> Depth:
        self._writer.check_file()  # the caller wants to know whether the store works
        return await self._writer.read(self._depth)

    def _depth(self, db: sqlite3.Connection) -> Depth:
        named = {"queue": self.name, "now": self._clock()}
        return Depth(*db.execute(sql.DEPTH, named).fetchone())

    async def wait(self, timeout: float) -> None:
        await self.wait_queue.wait(timeout)

    def follow_clock(self, db: sqlite3.Connection) -> None:
        """Correct due times after the clock was set back, during this process or before it."""
        db.execute(
            sql.FOLLOW_CLOCK, {"queue": self.name, "now": self._clock(), "slack": CLOCK_SLACK}
        )


def _to_row(
    now: float,
    key: str,
    conversation: str,
    body: str,
    attempts: int,
    put_at: float,
    due_at: float | None,
    claimed: int,
    cause: str | None,
    crashes: int,
    last_error: str | None,
) -> WaitingRow:
    state = _state_of(now, due_at=due_at, claimed=claimed)
    is_waiting = state is ItemState.WAITING
    return WaitingRow(
        key=key,
        conversation=conversation,
        body=read_body(body),
        attempts=attempts,
        put_at=put_at,
        state=state,
        due_at=due_at if is_waiting else None,
        cause=cause if is_waiting else None,
        crashes=crashes,
        last_error=last_error,
    )


def _state_of(now: float, *, due_at: float | None, claimed: int) -> ItemState:
    if due_at is None:
        return ItemState.CLAIMED if claimed else ItemState.BEHIND
    return ItemState.WAITING if due_at > now else ItemState.READY


def _ignore(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
