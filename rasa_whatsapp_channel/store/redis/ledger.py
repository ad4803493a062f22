"""Redis ledger of sent messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from rasa_whatsapp_channel.store.base import (
    ARRIVED,
    STATUS_RANK,
    Body,
    Charge,
    ChargedMessage,
    Ledger,
    Noted,
    Retention,
    SentMessage,
)
from rasa_whatsapp_channel.store.redis.connection import Connection
from rasa_whatsapp_channel.store.redis.script import Arg
from rasa_whatsapp_channel.store.text import from_json, to_json

ARRIVED_RANK: Final = min(STATUS_RANK[status] for status in ARRIVED)


class RedisLedger(Ledger):
    def __init__(self, connection: Connection, *, retention: Retention) -> None:
        self._connection = connection
        self._prefix = connection.prefix("ledger")
        self._life = retention.ledger
        self._body_life = retention.sent_bodies

    async def note_sent(
        self,
        message_id: str,
        *,
        key: str,
        recipient_id: str,
        response: str | None = None,
        body: Body | None = None,
    ) -> SentMessage:
        fields = ["recipient_id", recipient_id]
        if response is not None:
            fields += ["response", response]
        lives = STATUS_RANK["accepted"], ARRIVED_RANK, self._life
        kept = "" if body is None else to_json(body)
        noted = await self._call(
            "note_sent", message_id, *lives, kept, self._body_life, key, *fields
        )
        return _to_sent(*noted)

    async def note_status(
        self,
        message_id: str,
        status: str,
        *,
        reason: str | None = None,
        code: int = 0,
        charge: Charge | None = None,
    ) -> Noted:
        rank = STATUS_RANK.get(status)
        if rank is None:
            return Noted()
        fields = ["status", status]
        if reason is not None:
            fields += ["reason", reason]
        if code:
            fields += ["code", str(code)]
        lives = rank, ARRIVED_RANK, self._life
        noting = [self._submit("note_status", message_id, *lives, *fields)]
        if charge is not None:  # in the same call of the script
            told = astuple(charge)[:-1]
            noting.append(self._submit("note_charge", message_id, self._life, *told))
        news, *counts = await asyncio.gather(*noting)
        charges = (replace(charge, nth=int(nth)) for nth in counts if charge and nth is not None)
        return Noted(_to_sent(*news) if news else None, next(charges, None))

    async def get(self, message_id: str) -> SentMessage | None:
        return await self._read("get", message_id)

    async def by_key(self, key: str) -> SentMessage | None:
        return await self._read("by_key", key)

    async def charges(self, since: float, until: float) -> Sequence[ChargedMessage]:
        rows = await self._call("charges", since, until)
        return [_to_charged(*row) for row in rows]

    async def allowance_used(self, number: str, month: str) -> int:
        return int(await self._call("allowance_used", number, month))

    async def erase(self, recipient_id: str) -> int:
        people = f"{self._prefix}recipient:"
        names = {recipient_id}
        async for keys in self._connection.keys(f"{people}{recipient_id}@"):
            names |= {key.removeprefix(people) for key in keys}
        return sum([int(await self._call("erase", name)) for name in names])

    async def _read(self, operation: str, *args: Arg) -> SentMessage | None:
        fields = await self._call(operation, *args)
        return _to_sent(*fields) if fields else None

    async def _call(self, operation: str, *args: Arg) -> Any:
        return await self._submit(operation, *args)

    def _submit(self, operation: str, *args: Arg) -> asyncio.Future[Any]:
        return self._connection.submit("ledger", self._prefix, operation, *args)


def _to_charged(
    message_id: str,
    recipient_id: str | None,
    response: str | None,
    at: str,
    number: str,
    country: str,
    category: str,
    type_: str,
    month: str,
    nth: str,
) -> ChargedMessage:
    charge = Charge(float(at), number, country, category, type_, month, int(nth))
    return ChargedMessage(message_id, recipient_id, response, charge)


def _to_sent(
    message_id: str,
    body: str | None,
    key: str,
    recipient_id: str,
    response: str | None,
    status: str,
    at: str,
    reason: str | None,
    code: str | None,
) -> SentMessage:
    return SentMessage(
        message_id=message_id,
        key=key,
        recipient_id=recipient_id,
        response=response,
        status=status,
        at=float(at),
        reason=reason,
        code=int(code or 0),
        body=None if body is None else from_json(body),
    )
