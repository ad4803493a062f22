"""
The store in a Redis, shared by several Rasa servers.

    address   the URL
    link      connections and scripts; what happens when they are lost
    server    what a Redis has to be
    queue, ledger, values   each with its Lua script: one script, one step, one round trip
    faults    Redis' errors in words

Why no stream with a consumer group. A group knows whom an entry was handed to, and XAUTOCLAIM
takes over what lay there too long. But it counts the time since the last delivery, against one
limit, whereas a conversation is hidden here for as long as each claim, extension, release or hold
says; and a stream takes nothing back for later. A sorted set of hidden conversations, by the time
they come back, says all four with one number. Whoever claims next, on whichever server, first frees
what is due: that is the take-over from a server that died, without a list of servers. A second one
holds the free conversations by the age of their first entry, as the other stores have it. Both, the
entries and the fence (key, attempts) change in one script, so a crash leaves nothing half done.

Whose clock. Redis' own: leases begin and end by the same clock whatever the servers' clocks say.
"""

from __future__ import annotations

from rasa_whatsapp_channel.store.base import Clock, Retention, Store
from rasa_whatsapp_channel.whatsapp.errors import StoreError

try:
    from rasa_whatsapp_channel.store.redis.ledger import RedisLedger
    from rasa_whatsapp_channel.store.redis.link import Link
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
    """*clock* is for tests: without one, Redis' own clock is used."""

    def __init__(
        self, url: str, *, clock: Clock | None = None, retention: Retention | None = None
    ) -> None:
        retention = retention or Retention()
        self._link = Link(url, clock=clock)
        self._queues = tuple(
            RedisQueue(name, self._link, retention=retention) for name in ("inbox", "outbox")
        )
        self.inbox, self.outbox = self._queues
        self.ledger = RedisLedger(self._link, retention=retention)
        self.values = RedisValues(self._link)

    async def open(self) -> None:
        await self._link.open()

    async def close(self) -> None:
        for queue in self._queues:
            await queue.close()
        await self._link.close()

    async def ping(self) -> None:
        await self.values.set("ping", 1, ttl=60.0)

    async def purge(self) -> None:
        """Redis forgets most of it by itself; this is about lists of what is gone."""
        for queue in self._queues:
            await queue.forget_old()
