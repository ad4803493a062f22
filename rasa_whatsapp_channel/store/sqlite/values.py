"""Small values with an end, in the file."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.store.sqlite.commits import Commits
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode

GET: Final = "SELECT value FROM small_values WHERE key = ? AND expires_at > ?"
SET: Final = "INSERT OR REPLACE INTO small_values (key, value, expires_at) VALUES (?, ?, ?)"
ADD: Final = """
    INSERT INTO small_values (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
    WHERE small_values.expires_at <= ?
"""
DELETE: Final = "DELETE FROM small_values WHERE key = ?"


class SQLiteValues(Values):
    def __init__(self, commits: Commits, *, clock: Clock) -> None:
        self._commits = commits
        self._clock = clock

    async def get(self, key: str) -> Any | None:
        row = await self._commits.read(_one, GET, to_unicode(key), self._clock())
        return None if row is None else from_json(row[0])

    async def set(self, key: str, value: Any, ttl: float) -> None:
        end = self._clock() + ttl
        await self._commits.write(_count, SET, to_unicode(key), to_json(value), end)

    async def add(self, key: str, value: Any, ttl: float) -> bool:
        now = self._clock()
        entry = (to_unicode(key), to_json(value), now + ttl)
        return await self._commits.write(_count, ADD, *entry, now) == 1

    async def delete(self, key: str) -> None:
        await self._commits.write(_count, DELETE, to_unicode(key))


def _one(db: sqlite3.Connection, statement: str, *values: str | float) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = db.execute(statement, values).fetchone()
    return row


def _count(db: sqlite3.Connection, statement: str, *values: str | float) -> int:
    return db.execute(statement, values).rowcount
