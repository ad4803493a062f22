"""
Redis store: shared by several Rasa servers.

    server      the URL, and the configuration that the promises need
    connection  operations in their order, and what happens when a connection is lost
    claimants   which processes claim items, and which of them died
    queue, ledger, values   each with its Lua script: one script, one step, one round trip
    errors      Redis' errors, and what to do about them

Why no stream with a consumer group. A group knows whom an entry was handed to, and XAUTOCLAIM
takes over what lay there too long. But it counts the time since the last delivery, against one
limit, whereas a conversation waits here for as long as each retry or hold says, and what is claimed
stays so as long as its process lives; and a stream takes nothing back for later. A sorted set of
hidden conversations, by the time they come back, and a set of those that each process has claimed
say all of it. Both, the entries and the fence (key, attempts) change in one script, so a crash
leaves nothing half done.

Whose clock. Redis' own: waits begin and end by the same clock whatever the servers' clocks say.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from rasa_whatsapp_channel.store.base import Clock, Retention, Store
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.heartbeat import Heartbeat
from rasa_whatsapp_channel.store.text import mention_of

try:
    from rasa_whatsapp_channel.store.redis.claimants import RedisClaimants
    from rasa_whatsapp_channel.store.redis.connection import LOOK_EVERY, Connection
    from rasa_whatsapp_channel.store.redis.ledger import RedisLedger
    from rasa_whatsapp_channel.store.redis.queue import RedisQueue
    from rasa_whatsapp_channel.store.redis.values import RedisValues
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "redis":
        raise
    raise StoreError(
        "store: a redis:// URL needs the Python package redis; "
        "pip install 'rasa-whatsapp-channel[redis]'"
    ) from exc


class RedisStore(Store):
    """*clock* and *look_every* are for tests: without a clock, Redis' own is used."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        retention: Retention | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        retention = retention or Retention()
        self._connection = Connection(url, clock=clock, look_every=look_every)
        self._queues = tuple(
            RedisQueue(name, self._connection, retention=retention, claimant=self._claimant)
            for name in ("inbox", "outbox")
        )
        self.inbox, self.outbox = self._queues
        self.ledger = RedisLedger(self._connection, retention=retention)
        self.values = RedisValues(self._connection)
        self._own = ""
        self._heartbeat: Heartbeat | None = None

    async def open(self) -> None:
        await self._connection.open()
        self._own = uuid.uuid4().hex
        self._claimants = RedisClaimants(
            self._connection, [queue.prefix for queue in self._queues], self._own
        )
        self._heartbeat = Heartbeat(self.beat)

    async def close(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        for queue in self._queues:
            await queue.close()
        await self._connection.close()
        if heartbeat is not None:
            await asyncio.to_thread(self._leave, heartbeat)

    def _leave(self, heartbeat: Heartbeat) -> None:
        if heartbeat.is_started:
            heartbeat.stop()
            with contextlib.suppress(StoreError):  # then others take over after a while
                self._claimants.leave()
        self._claimants.close()

    def beat(self) -> None:
        self._claimants.beat()

    def _claimant(self) -> str:
        """Return the name of this process for a claim, which others can see it live by."""
        if self._heartbeat is not None and not self._heartbeat.is_started:
            self._heartbeat.start()
        return self._own

    async def ping(self) -> None:
        await self.values.set("ping", 1, ttl=60.0)

    async def erase(self, person: str) -> int:
        """Forget all that names *person* but what is in the queues; return how many keys it was."""
        mention = mention_of(person)
        parts = ("values", "ledger", "inbox", "outbox")
        places = [
            f"{self._connection.prefix(part)}{kind}"
            for part, kind in zip(parts, ("", "", "seen:", "seen:"), strict=True)
        ]
        return sum([await self._connection.delete_mentions(place, mention) for place in places])

    async def expire(self) -> None:
        """Redis forgets most of it by itself; this is about lists of what is gone."""
        for queue in self._queues:
            await queue.expire()
