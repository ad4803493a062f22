"""SQLite ledger of sent messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from rasa_whatsapp_channel.store.base import (
    ARRIVED,
    Body,
    Charge,
    ChargedMessage,
    Clock,
    Ledger,
    Noted,
    SentMessage,
    is_news,
)
from rasa_whatsapp_channel.store.sqlite.writer import Writer
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode

COLUMNS: Final = "message_id, key, recipient_id, response, status, at, reason, code, body"
# Only column names are interpolated; values are always bound.
GET: Final = f"SELECT {COLUMNS} FROM sent WHERE message_id = ?"  # noqa: S608
BY_KEY: Final = f"SELECT {COLUMNS} FROM sent WHERE key = ? ORDER BY seq DESC LIMIT 1"  # noqa: S608
KEEP_NEW: Final = f"INSERT OR IGNORE INTO sent ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
# What a status noted before stays; *seq* tells which message of a key came last.
KEEP: Final = f"""
    INSERT INTO sent ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (message_id) DO UPDATE SET
        seq = (SELECT max(seq) + 1 FROM sent), key = excluded.key,
        recipient_id = excluded.recipient_id, response = excluded.response, body = excluded.body
"""  # noqa: S608
KEEP_STATUS: Final = """
    INSERT INTO sent (message_id, status, at, reason, code) VALUES (?, ?, ?, ?, ?)
"""
KEEP_CHARGE: Final = """
    UPDATE sent SET charged_at = ?, number = ?, country = ?, category = ?, type = ?, month = ?,
        nth = ?
    WHERE message_id = ? AND charged_at IS NULL
"""
CHARGES: Final = """
    SELECT message_id, recipient_id, response,
        charged_at, number, country, category, type, month, nth
    FROM sent WHERE charged_at >= ? AND charged_at < ? ORDER BY charged_at, seq
"""
COUNT: Final = """
    INSERT INTO allowances (number, month, used) VALUES (?, ?, 1)
    ON CONFLICT (number, month) DO UPDATE SET used = used + 1
"""
USED: Final = "SELECT used FROM allowances WHERE number = ? AND month = ?"
ERASE: Final = "DELETE FROM sent WHERE recipient_id = ?1 OR recipient_id GLOB ?1 || '@*'"
UPDATE_STATUS: Final = """
    UPDATE sent SET status = ?, at = ?, reason = ?, code = ?, body = CASE WHEN ? THEN body END
    WHERE message_id = ?
"""


class SQLiteLedger(Ledger):
    def __init__(self, writer: Writer, *, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def note_sent(
        self,
        message_id: str,
        *,
        key: str,
        recipient_id: str,
        response: str | None = None,
        body: Body | None = None,
    ) -> SentMessage:
        sent = SentMessage(
            message_id=to_unicode(message_id),
            key=to_unicode(key),
            recipient_id=to_unicode(recipient_id),
            response=None if response is None else to_unicode(response),
            status="accepted",
            at=self._clock(),
            body=body,
        )
        return await self._writer.write(_note_sent, sent, None if body is None else to_json(body))

    async def note_status(
        self,
        message_id: str,
        status: str,
        *,
        reason: str | None = None,
        code: int = 0,
        charge: Charge | None = None,
    ) -> Noted:
        words = None if reason is None else to_unicode(reason)
        told = (status, self._clock(), words, code)
        return await self._writer.write(_note, to_unicode(message_id), told, charge)

    async def get(self, message_id: str) -> SentMessage | None:
        return await self._writer.read(_get, to_unicode(message_id))

    async def by_key(self, key: str) -> SentMessage | None:
        return await self._writer.read(_by_key, to_unicode(key))

    async def charges(self, since: float, until: float) -> Sequence[ChargedMessage]:
        return await self._writer.read(_charges, since, until)

    async def allowance_used(self, number: str, month: str) -> int:
        return await self._writer.read(_used, number, month)

    async def erase(self, recipient_id: str) -> int:
        return await self._writer.write(_erase, to_unicode(recipient_id))


def _note_sent(db: sqlite3.Connection, sent: SentMessage, body: str | None) -> SentMessage:
    values = (sent.message_id, sent.key, sent.recipient_id, sent.response)
    if db.execute(KEEP_NEW, (*values, sent.status, sent.at, None, 0, body)).rowcount:
        return sent
    _, _, _, _, status, at, reason, code, _ = db.execute(GET, (sent.message_id,)).fetchone()
    sent = replace(sent, status=status, at=at, reason=reason, code=code)
    if sent.status in ARRIVED:
        sent, body = replace(sent, body=None), None
    db.execute(KEEP, (*values, sent.status, sent.at, sent.reason, sent.code, body))
    return sent


def _note(
    db: sqlite3.Connection,
    message_id: str,
    told: tuple[str, float, str | None, int],
    charge: Charge | None,
) -> Noted:
    message = _note_status(db, message_id, *told)
    return Noted(message, _note_charge(db, message_id, charge) if charge else None)


def _note_status(
    db: sqlite3.Connection, message_id: str, status: str, now: float, reason: str | None, code: int
) -> SentMessage | None:
    row = db.execute(GET, (message_id,)).fetchone()
    if not is_news(status, before=row[4] if row else None):
        return None
    if row is None:
        db.execute(KEEP_STATUS, (message_id, status, now, reason, code))
        return None
    keep_body = status not in ARRIVED
    db.execute(UPDATE_STATUS, (status, now, reason, code, keep_body, message_id))
    return _to_sent((*row[:4], status, now, reason, code, row[8] if keep_body else None))


def _get(db: sqlite3.Connection, message_id: str) -> SentMessage | None:
    return _to_sent(db.execute(GET, (message_id,)).fetchone())


def _by_key(db: sqlite3.Connection, key: str) -> SentMessage | None:
    return _to_sent(db.execute(BY_KEY, (key,)).fetchone())


def _note_charge(db: sqlite3.Connection, message_id: str, charge: Charge) -> Charge | None:
    if charge.month:
        charge = replace(charge, nth=_used(db, charge.number, charge.month) + 1)
    if not db.execute(KEEP_CHARGE, (*astuple(charge), message_id)).rowcount:
        return None
    if charge.month:
        db.execute(COUNT, (charge.number, charge.month))
    return charge


def _charges(db: sqlite3.Connection, since: float, until: float) -> Sequence[ChargedMessage]:
    rows = db.execute(CHARGES, (since, until)).fetchall()
    return [
        ChargedMessage(message_id, recipient_id, response, Charge(*charge))
        for message_id, recipient_id, response, *charge in rows
    ]


def _used(db: sqlite3.Connection, number: str, month: str) -> int:
    row = db.execute(USED, (number, month)).fetchone()
    return row[0] if row else 0


def _erase(db: sqlite3.Connection, recipient_id: str) -> int:
    return db.execute(ERASE, (recipient_id,)).rowcount


def _to_sent(row: tuple[Any, ...] | None) -> SentMessage | None:
    """Return the message; None also for an id of which only a status arrived."""
    if row is None or row[1] is None:
        return None
    message_id, key, recipient_id, response, status, at, reason, code, text = row
    body = None if text is None else from_json(text)
    return SentMessage(message_id, key, recipient_id, response, status, at, reason, code, body)
