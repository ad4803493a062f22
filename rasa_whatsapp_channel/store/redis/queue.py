"""Redis queue; queue.lua describes the states of its items."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import (
    TIME,
    Body,
    DeadLetterRow,
    Depth,
    ItemState,
    Notes,
    PlaceOf,
    Queue,
    QueueItem,
    Retention,
    StoreError,
    WaitingRow,
)
from rasa_whatsapp_channel.store.heartbeat import LEASE
from rasa_whatsapp_channel.store.redis.connection import Connection
from rasa_whatsapp_channel.store.redis.script import Arg
from rasa_whatsapp_channel.store.redis.values import RedisValues
from rasa_whatsapp_channel.store.text import from_json, read_body, to_json
from rasa_whatsapp_channel.store.wait_queue import WaitQueue

logger = logging.getLogger(__name__)

# Longest wait of one BLPOP on the list of wakes, in seconds.
LISTEN: Final = 1.0
UNREADABLE: Final = "it cannot be read: what Redis has of it is not what was written there"


class RedisQueue(Queue):
    """*claimant* returns the id of this process; it is called before every claim."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        values: RedisValues,
        *,
        retention: Retention,
        claimant: Callable[[], str],
    ) -> None:
        self.name = name
        self._connection = connection
        self._values = values
        self.prefix = connection.prefix(name)
        self._retention = retention
        self._claimant = claimant
        self._claim_number = 0
        self._unsure_since = 0  # the number of the first claim since the last answer
        self._claiming = asyncio.Lock()  # the script knows a repeated claim as the latest one
        self._wait_queue = WaitQueue()
        self._listener: asyncio.Task[None] | None = None

    async def _insert(
        self,
        key: str,
        conversation: str,
        body: Body,
        after: float,
        notes: Notes | None,
        place: PlaceOf | None,
    ) -> bool:
        entry = key, conversation, to_json(body), self._retention.seen, after
        where = (place.key, place.cause) if place else ()
        operations = [self._submit("put", *entry, *where)]
        if notes:
            operations.append(self._values.submit_all(notes.values, notes.ttl))
        is_new, *_ = await asyncio.gather(*operations)  # of one moment, and so one call
        return bool(is_new == 1)

    async def claim_many(self, limit: int) -> Sequence[QueueItem]:
        return await self._claim(limit, "ready")

    async def claim_suspect(self) -> QueueItem | None:
        items = await self._claim(1, "suspects")
        return items[0] if items else None

    async def claim_first(self, conversation: str) -> QueueItem | ItemState | None:
        if items := await self._claim(1, "ready", conversation):
            return items[0]
        state = await self._call("state_of_first", conversation)
        return ItemState(state) if state else None

    async def _claim(self, limit: int, place: str, *only: str) -> Sequence[QueueItem]:
        """Claim the oldest items of *place*, or *only* the first one of a conversation."""
        async with self._claiming:
            number = self._claim_number
            self._claim_number += 1
            numbers = (number, self._unsure_since)
            claimed = self._submit("claim", self._claimant(), *numbers, limit, place, *only)
            try:
                due_in, entries = await asyncio.shield(claimed)
                items = [item for entry in entries if (item := await self._read(entry)) is not None]
            except asyncio.CancelledError:
                claimed.add_done_callback(self._hand_back_late)
                raise
            # After a `StoreError` it may have been executed; the next claim takes it back.
            self._unsure_since = self._claim_number
        if due_in:
            self._wait_queue.wake_in(float(due_in))
        return items

    async def _read(self, entry: Sequence[Any]) -> QueueItem | None:
        """Return the item, or make it a dead letter if it is damaged."""
        try:
            return _to_item(entry)
        except (TypeError, ValueError):
            key, conversation, _, attempts = entry[:4]
            logger.error("whatsapp.dead_letter: %s of the %s: %s", key, self.name, UNREADABLE)
            claim = (conversation, key, attempts)
            await self._call("dead_letter", *claim, UNREADABLE, self._retention.dead_letters)
            return None

    def _hand_back_late(self, claimed: asyncio.Future[Any]) -> None:
        if claimed.cancelled() or claimed.exception():
            return
        _, entries = claimed.result()
        for key, conversation, _, attempts, *_ in entries:
            try:
                handed_back = self._submit("hand_back", conversation, key, attempts)
            except StoreError:
                return  # closing hands back everything
            handed_back.add_done_callback(_ignore)

    async def done(self, item: QueueItem, hold: float = 0.0, *, cause: str = TIME) -> None:
        await self._call("done", *_claim_of(item), hold, cause)

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
        text = "" if body is None else to_json(body)
        uncounted = 0 if counted else 1
        claim = _claim_of(item)
        await self._call("retry_later", *claim, after, cause, uncounted, text, error or "")

    async def dead_letter(self, item: QueueItem, reason: str) -> None:
        await self._call("dead_letter", *_claim_of(item), reason, self._retention.dead_letters)

    async def _insert_dead_letter(
        self, key: str, conversation: str, body: Body, reason: str
    ) -> bool:
        lives = self._retention.seen, self._retention.dead_letters
        return await self._says("put_dead_letter", key, conversation, to_json(body), reason, *lives)

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetterRow]:
        return [_to_dead_letter(entry) for entry in await self._call("dead_letters", limit)]

    async def requeue(self, key: str) -> bool:
        return await self._says("requeue", key)

    async def discard(self, key: str) -> bool:
        return await self._says("discard", key)

    async def end_wait(self, conversation: str, cause: str) -> bool:
        return await self._says("end_wait", conversation, cause)

    async def end_waits(self, cause: str) -> int:
        return int(await self._call("end_waits", cause))

    async def waiting(self, limit: int = 100) -> Sequence[WaitingRow]:
        return [_to_row(entry) for entry in await self._call("waiting", limit)]

    async def holds(self) -> Sequence[str]:
        start = f"{self.prefix}hold:"
        found = [keys async for keys in self._connection.keys(start)]
        return [key.removeprefix(start) for keys in found for key in keys]

    async def erase(self, conversation: str) -> int:
        return int(await self._call("erase", conversation, LEASE))

    async def expire(self) -> None:
        """Delete the dead letters that are older than their retention."""
        while await self._call("expire", self._retention.dead_letters):
            pass

    async def depth(self) -> Depth:
        found = await self._call("depth", self._retention.dead_letters)
        waiting, dead_letters, oldest, failing, last_error = found
        return Depth(
            waiting=int(waiting),
            dead_letters=int(dead_letters),
            oldest=float(oldest) if oldest else None,
            failing=int(failing),
            last_error=last_error or None,
        )

    async def wait(self, timeout: float) -> None:
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen(), name="whatsapp store: listen")
        await self._wait_queue.wait(timeout)

    async def _listen(self) -> None:
        """Read the list of wakes as long as a task waits here."""
        await asyncio.sleep(0)  # let the caller begin to wait
        try:
            while not self._wait_queue.is_empty:
                if await self._connection.pop(f"{self.prefix}wake", LISTEN):
                    await self._pass_on()
        except StoreError:
            while not self._wait_queue.is_empty:
                self._wait_queue.wake()  # their claims raise it

    async def _pass_on(self) -> None:
        if self._wait_queue.is_empty:
            await self._call("wake")  # for another server
        else:
            self._wait_queue.wake()

    async def close(self) -> None:
        self._wait_queue.close()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _call(self, operation: str, *args: Arg) -> Any:
        return await self._submit(operation, *args)

    def _submit(self, operation: str, *args: Arg) -> asyncio.Future[Any]:
        return self._connection.submit("queue", self.prefix, operation, *args)

    async def _says(self, operation: str, *args: Arg) -> bool:
        return bool(await self._call(operation, *args) == 1)


def _ignore(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _claim_of(item: QueueItem) -> tuple[str, str, int]:
    return item.conversation, item.key, item.attempts


def _to_item(entry: Sequence[Any]) -> QueueItem:
    key, conversation, body, attempts, put_at, uncounted, crashes, failing_since, error = entry
    return QueueItem(
        key=key,
        conversation=conversation,
        body=from_json(body),
        attempts=int(attempts),
        put_at=float(put_at),
        uncounted=int(uncounted),
        crashes=int(crashes),
        failing_since=float(failing_since) if failing_since else None,
        last_error=error,
    )


def _to_row(entry: Sequence[Any]) -> WaitingRow:
    key, conversation, body, attempts, put_at, state, due_at, cause, crashes, last_error = entry
    return WaitingRow(
        key=key,
        conversation=conversation,
        body=read_body(body),
        attempts=int(attempts),
        put_at=float(put_at),
        state=ItemState(state),
        due_at=float(due_at) if due_at else None,
        cause=cause or None,
        crashes=int(crashes),
        last_error=last_error,
    )


def _to_dead_letter(entry: Sequence[str]) -> DeadLetterRow:
    key, conversation, body, attempts, put_at, died_at, reason = entry
    return DeadLetterRow(
        key=key,
        conversation=conversation,
        body=read_body(body),
        attempts=int(attempts),
        put_at=float(put_at),
        died_at=float(died_at),
        reason=reason,
    )
