"""Small values with an end, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_whatsapp_channel.store import bucket
from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.fading import Fading
from rasa_whatsapp_channel.store.text import from_json, to_json


class MemoryValues(Values):
    def __init__(self, door: Door, *, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._kept: Fading[str] = Fading(clock)
        self._buckets: Fading[bucket.Bucket] = Fading(clock)

    async def get(self, key: str) -> Any | None:
        self._door.check()
        text = self._kept.get(key)
        return None if text is None else from_json(text)

    async def set(self, key: str, value: Any, ttl: float) -> None:
        self._door.check()
        self._kept.set(key, to_json(value), self._clock() + ttl)

    async def set_many(self, values: Mapping[str, Any], ttl: float) -> None:
        for key, value in values.items():
            await self.set(key, value, ttl)

    async def add(self, key: str, value: Any, ttl: float) -> bool:
        self._door.check()
        text = to_json(value)
        if key in self._kept:
            return False
        self._kept.set(key, text, self._clock() + ttl)
        return True

    async def delete(self, key: str) -> None:
        self._door.check()
        self._kept.pop(key)

    async def purge(self, prefix: str) -> int:
        self._door.check()
        return len(self._kept.pop_where(lambda key, _: key.startswith(prefix)))

    async def take(self, *limits: bucket.Limit) -> Sequence[float]:
        self._door.check()
        before = [(limit, self._buckets.get(limit.key)) for limit in limits]
        takes = bucket.take(before, now=self._clock())
        for limit, taken in zip(limits, takes, strict=True):
            self._buckets.set(limit.key, taken.bucket, taken.full_at)
        return [taken.wait for taken in takes]

    def forget_old(self) -> None:
        self._kept.purge()
        self._buckets.purge()
