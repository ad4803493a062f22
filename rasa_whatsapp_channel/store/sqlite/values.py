"""SQLite values and token buckets."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.store.sqlite.writer import Writer
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode
from rasa_whatsapp_channel.store.token_bucket import Bucket, Limit, take

GET: Final = "SELECT value FROM small_values WHERE key = ? AND expires_at > ?"
SET: Final = "INSERT OR REPLACE INTO small_values (key, value, expires_at) VALUES (?, ?, ?)"
ADD: Final = """
    INSERT INTO small_values (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
    WHERE small_values.expires_at <= ?
"""
REPLACE: Final = """
    UPDATE small_values SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND expires_at > ?
"""
DELETE: Final = "DELETE FROM small_values WHERE key = ?"
FIND: Final = """
    SELECT key, value FROM small_values WHERE key >= ? AND key <= ? AND expires_at > ?
    ORDER BY key LIMIT ?
"""
FOUND: Final = 1000  # rows that are read together
LAST: Final = "\U0010ffff"  # no key begins with anything greater
# The text of a number in JSON is the number.
COUNT_DOWN: Final = "UPDATE small_values SET value = CAST(value - 1 AS TEXT) WHERE key = ?"
BUCKET: Final = "SELECT tokens, at FROM buckets WHERE key = ? AND full_at > ?"
SET_BUCKET: Final = "INSERT OR REPLACE INTO buckets (key, tokens, at, full_at) VALUES (?, ?, ?, ?)"


ValueRow = tuple[str, str, float]  # key, value, when it expires


class SQLiteValues(Values):
    def __init__(self, writer: Writer, *, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def get(self, key: str) -> Any | None:
        row = await self._writer.read(_one, GET, to_unicode(key), self._clock())
        return None if row is None else from_json(row[0])

    async def get_many(self, *keys: str) -> Mapping[str, Any]:
        names = {to_unicode(key): key for key in keys}
        rows = await self._writer.read(_all, _get_many(len(names)), self._clock(), *names)
        return {names[name]: from_json(text) for name, text in rows}

    async def set(self, key: str, value: Any, ttl: float) -> None:
        end = self._clock() + ttl
        await self._writer.write(_count, SET, to_unicode(key), to_json(value), end)

    async def set_many(self, values: Mapping[str, Any], ttl: float) -> None:
        if rows := to_rows(values, self._clock() + ttl):
            await self._writer.write(set_all, rows)

    async def add(self, key: str, value: Any, ttl: float) -> bool:
        now = self._clock()
        entry = (to_unicode(key), to_json(value), now + ttl)
        return await self._writer.write(_count, ADD, *entry, now) == 1

    async def _replace(self, key: str, before: Any, value: Any, ttl: float) -> bool:
        now = self._clock()
        texts = (to_json(value), now + ttl, to_unicode(key), to_json(before))
        return await self._writer.write(_count, REPLACE, *texts, now) == 1

    async def delete(self, key: str) -> None:
        await self._writer.write(_count, DELETE, to_unicode(key))

    async def find(self, prefix: str) -> AsyncIterator[tuple[str, Any]]:
        first = to_unicode(prefix)
        last = first + LAST
        while rows := await self._writer.read(_all, FIND, first, last, self._clock(), FOUND):
            for key, text in rows:
                yield key, from_json(text)
            first = f"{key}\0"  # no key lies between the two

    async def take(self, *limits: Limit) -> Sequence[float]:
        named = [(to_unicode(limit.key), limit) for limit in limits]
        return await self._writer.write(self._take, named)

    async def count(
        self, key: str, limits: Mapping[str, int], ttl: float, *, beyond: bool
    ) -> Sequence[int]:
        named = {to_unicode(counter): limit for counter, limit in limits.items()}
        return await self._writer.write(self._add_to, to_unicode(key), named, ttl, beyond)

    async def uncount(self, key: str) -> None:
        await self._writer.write(self._take_from, to_unicode(key))

    def _add_to(
        self, db: sqlite3.Connection, key: str, limits: Mapping[str, int], ttl: float, beyond: bool
    ) -> Sequence[int]:
        now = self._clock()
        if counted := _one(db, GET, key, now):
            pairs = from_json(counted[0])
            before = dict(zip(pairs[::2], pairs[1::2], strict=True))
            return [before.get(counter, 0) for counter in limits]
        rows = {counter: _one(db, GET, counter, now) for counter in limits}
        found = {counter: from_json(row[0]) if row else 0 for counter, row in rows.items()}
        if beyond or all(found[counter] < limit for counter, limit in limits.items()):
            counts = {counter: count + 1 for counter, count in found.items()}
            # The value of a counted key are its counters, and what each of them had, in turn.
            values = {**counts, key: [each for pair in found.items() for each in pair]}
            set_all(db, to_rows(values, now + ttl))
        return list(found.values())

    def _take_from(self, db: sqlite3.Connection, key: str) -> None:
        if counted := _one(db, GET, key, self._clock()):
            db.execute(DELETE, (key,))
            db.executemany(COUNT_DOWN, [(counter,) for counter in from_json(counted[0])[::2]])

    def _take(self, db: sqlite3.Connection, limits: Sequence[tuple[str, Limit]]) -> Sequence[float]:
        now = self._clock()
        rows = [(limit, _one(db, BUCKET, key, now)) for key, limit in limits]
        takes = take([(limit, Bucket(*row) if row else None) for limit, row in rows], now=now)
        kept = [
            (key, *taken.bucket, taken.full_at)
            for (key, _), taken in zip(limits, takes, strict=True)
        ]
        db.executemany(SET_BUCKET, kept)
        return [taken.wait for taken in takes]


@cache
def _get_many(count: int) -> str:
    """Return the statement that reads so many values."""
    marks = ", ".join("?" * count)
    return f"SELECT key, value FROM small_values WHERE expires_at > ? AND key IN ({marks})"  # noqa: S608


def _one(db: sqlite3.Connection, statement: str, *values: str | float) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = db.execute(statement, values).fetchone()
    return row


def _all(db: sqlite3.Connection, statement: str, *values: str | float) -> list[tuple[str, str]]:
    return db.execute(statement, values).fetchall()


def set_all(db: sqlite3.Connection, rows: Sequence[ValueRow]) -> None:
    if rows:
        db.executemany(SET, rows)


def to_rows(values: Mapping[str, Any], expires_at: float) -> Sequence[ValueRow]:
    return [(to_unicode(key), to_json(value), expires_at) for key, value in values.items()]


def _count(db: sqlite3.Connection, statement: str, *values: str | float) -> int:
    return db.execute(statement, values).rowcount
