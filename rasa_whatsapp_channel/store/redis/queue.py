"""A queue in Redis; the states of its entries are told in queue.lua."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Body, Depth, GivenUp, Item, Queue, Retention, Waiting
from rasa_whatsapp_channel.store.line import Line
from rasa_whatsapp_channel.store.redis.link import Arg, Link
from rasa_whatsapp_channel.store.text import from_json, to_json
from rasa_whatsapp_channel.whatsapp.errors import StoreError

# Seconds that a server is blocked on the list of wakes at once.
LISTEN: Final = 1.0


class RedisQueue(Queue):
    def __init__(self, name: str, link: Link, *, retention: Retention) -> None:
        self._link = link
        self._script = link.script("queue")
        self._prefix = link.prefix(name)
        self._retention = retention
        self._line = Line()
        self._listener: asyncio.Task[None] | None = None

    async def put(self, key: str, conversation: str, body: Body) -> bool:
        return await self._says("put", key, conversation, to_json(body), self._retention.seen)

    async def claim_many(self, lease: float, limit: int) -> Sequence[Item]:
        claimed = self._submit("claim", lease, limit)
        try:
            due_in, entries = await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._hand_back)
            raise
        if due_in:
            self._line.wake_in(float(due_in))
        return [_to_item(entry) for entry in entries]

    def _hand_back(self, claimed: asyncio.Future[Any]) -> None:
        if claimed.cancelled() or claimed.exception():
            return
        _, entries = claimed.result()
        for entry in entries:
            try:
                released = self._submit("release", *_claim_of(_to_item(entry)), 0.0, 1)
            except StoreError:
                return  # closed meanwhile; the lease ends by itself
            released.add_done_callback(_forgive)

    async def extend(self, item: Item, lease: float) -> bool:
        return await self._says("extend", *_claim_of(item), lease)

    async def replace_body(self, item: Item, body: Body) -> bool:
        return await self._says("replace_body", *_claim_of(item), to_json(body))

    async def done(self, item: Item, hold: float = 0.0) -> None:
        await self._call("done", *_claim_of(item), hold)

    async def release(self, item: Item, after: float = 0.0, *, attempt: bool = True) -> None:
        forgiven = 0 if attempt else 1
        await self._call("release", *_claim_of(item), after, forgiven)

    async def give_up(self, item: Item, reason: str, hold: float = 0.0) -> None:
        await self._call("give_up", *_claim_of(item), reason, self._retention.given_up, hold)

    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        lives = self._retention.seen, self._retention.given_up
        return await self._says("put_given_up", key, conversation, to_json(body), reason, *lives)

    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        return [_to_given_up(entry) for entry in await self._call("given_up", limit)]

    async def retry(self, key: str) -> bool:
        return await self._says("retry", key)

    async def discard(self, key: str) -> bool:
        return await self._says("discard", key)

    async def free(self, conversation: str) -> bool:
        return await self._says("free", conversation)

    async def waiting(self, limit: int = 100) -> Sequence[Waiting]:
        return [_to_waiting(entry) for entry in await self._call("waiting", limit)]

    async def purge(self, conversation: str) -> int:
        return int(await self._call("purge", conversation))

    async def forget_old(self) -> None:
        """Forget what was set aside longer ago than its retention."""
        while await self._call("forget_old", self._retention.given_up):
            pass

    async def depth(self) -> Depth:
        waiting, given_up, oldest = await self._call("depth", self._retention.given_up)
        return Depth(int(waiting), int(given_up), float(oldest) if oldest else None)

    async def wait(self, timeout: float) -> None:
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen(), name="whatsapp store: listen")
        await self._line.wait(timeout)

    async def _listen(self) -> None:
        """Block on the list of wakes as long as somebody waits here."""
        await asyncio.sleep(0)  # let who started this begin to wait
        try:
            while not self._line.is_empty:
                if await self._link.pop(f"{self._prefix}wake", LISTEN):
                    await self._pass_on()
        except StoreError:
            while not self._line.is_empty:
                self._line.wake()  # they are told when they claim

    async def _pass_on(self) -> None:
        if self._line.is_empty:
            await self._call("wake")  # for another server
        else:
            self._line.wake()

    async def close(self) -> None:
        self._line.close()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _call(self, operation: str, *args: Arg) -> Any:
        return await self._submit(operation, *args)

    def _submit(self, operation: str, *args: Arg) -> asyncio.Future[Any]:
        return self._link.submit(self._script, self._prefix, operation, *args)

    async def _says(self, operation: str, *args: Arg) -> bool:
        return bool(await self._call(operation, *args) == 1)


def _forgive(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _claim_of(item: Item) -> tuple[str, str, int]:
    return item.conversation, item.key, item.attempts


def _to_item(entry: Sequence[Any]) -> Item:
    key, conversation, body, attempts, put_at, forgiven, out = entry
    return Item(
        key,
        conversation,
        from_json(body),
        int(attempts),
        float(put_at),
        int(forgiven),
        lapsed=out == "1",
    )


def _to_waiting(entry: Sequence[Any]) -> Waiting:
    key, conversation, body, attempts, put_at, due_at, out = entry
    return Waiting(
        key=key,
        conversation=conversation,
        body=from_json(body),
        attempts=int(attempts),
        put_at=float(put_at),
        due_at=float(due_at) if due_at else None,
        out=out == 1,
    )


def _to_given_up(entry: Sequence[str]) -> GivenUp:
    key, conversation, body, attempts, put_at, given_up_at, reason = entry
    return GivenUp(
        key=key,
        conversation=conversation,
        body=from_json(body),
        attempts=int(attempts),
        put_at=float(put_at),
        given_up_at=float(given_up_at),
        reason=reason,
    )
