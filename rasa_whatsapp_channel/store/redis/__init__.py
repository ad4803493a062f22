"""
Redis store: shared by several Rasa servers.

    server      the URL, and the configuration that the promises need
    connection  operations in their order, and what happens when a connection is lost
    claimants   which processes claim items, and which of them died
    queue, ledger, values   each with its operations in Lua, which are parts of one script: what is
                asked for in one moment is one step and one round trip
    errors      Redis' errors, and what to do about them

Why no stream with a consumer group: a group knows the consumer of each item, and XAUTOCLAIM takes
over items that were delivered too long ago. But it has one time limit for all, whereas here each
retry or hold has its own, and a claim lasts as long as its process; and a stream cannot put an item
back for later. Instead, a sorted set holds the hidden conversations by the time they come back, and
a set per process holds its claims. They change together with the items and the fence (key,
attempts) in one script, so a crash leaves nothing half done.

Times are those of Redis: waits begin and end by one clock, whatever the clocks of the servers say.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.store.base import QUEUES, Clock, Retention, Store, StoreError
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
        f"store: a redis:// URL needs the Python package redis; {install_extra('redis')}"
    ) from exc


class RedisStore(Store):
    """*clock* and *look_every* are for tests; the default clock is that of Redis."""

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
        self.values = RedisValues(self._connection)
        self._queues = tuple(
            RedisQueue(
                name,
                self._connection,
                self.values,
                retention=retention,
                claimant=self._claimant,
            )
            for name in QUEUES
        )
        self.inbox, self.outbox, self.desk = self._queues
        self.ledger = RedisLedger(self._connection, retention=retention)
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
            with contextlib.suppress(StoreError):  # then other processes take over
                self._claimants.leave()
        self._claimants.close()

    def beat(self) -> None:
        self._claimants.beat()

    def _claimant(self) -> str:
        """Return the id of this process for a claim, and start its heartbeat."""
        if self._heartbeat is not None and not self._heartbeat.is_started:
            self._heartbeat.start()
        return self._own

    async def ping(self) -> None:
        await self.values.set("ping", 1, ttl=60.0)

    async def erase(self, person: str) -> int:
        """Delete all keys that name *person*, except queue items; return their number."""
        mention = mention_of(person)
        places = [self._connection.prefix(part) for part in ("values", "ledger")]
        places += [f"{queue.prefix}seen:" for queue in self._queues]
        return sum([await self._connection.delete_mentions(place, mention) for place in places])

    async def expire(self) -> None:
        """Delete old dead letters; everything else expires by itself in Redis."""
        for queue in self._queues:
            await queue.expire()
