"""Redis values and token buckets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.redis.connection import Connection
from rasa_whatsapp_channel.store.redis.script import Arg
from rasa_whatsapp_channel.store.text import from_json, to_json, to_unicode
from rasa_whatsapp_channel.store.token_bucket import Limit


class RedisValues(Values):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._prefix = connection.prefix("values")

    async def get(self, key: str) -> Any | None:
        text = await self._call("get", key)
        return None if text is None else from_json(text)

    async def get_many(self, *keys: str) -> Mapping[str, Any]:
        texts = await self._call("get_many", *keys) if keys else ()
        found = zip(keys, texts, strict=True)
        return {key: from_json(text) for key, text in found if text is not None}

    async def set(self, key: str, value: Any, ttl: float) -> None:
        await self._call("set", key, to_json(value), ttl)

    async def set_many(self, values: Mapping[str, Any], ttl: float) -> None:
        if values:
            await self.submit_all(values, ttl)

    def submit_all(self, values: Mapping[str, Any], ttl: float) -> asyncio.Future[Any]:
        """Begin `set_many`; in one step with what else is submitted at this moment."""
        args = (arg for key, value in values.items() for arg in (key, to_json(value)))
        return self._submit("set_many", ttl, *args)

    async def add(self, key: str, value: Any, ttl: float) -> bool:
        return bool(await self._call("add", key, to_json(value), ttl) == 1)

    async def _replace(self, key: str, before: Any, value: Any, ttl: float) -> bool:
        texts = (to_json(before), to_json(value))
        return bool(await self._call("replace", key, *texts, ttl) == 1)

    async def delete(self, key: str) -> None:
        await self._call("delete", key)

    async def find(self, prefix: str) -> AsyncIterator[tuple[str, Any]]:
        start = f"{self._prefix}value:"
        seen: set[str] = set()  # a key may appear twice
        async for keys in self._connection.keys(f"{start}{to_unicode(prefix)}"):
            names = {key.removeprefix(start) for key in keys} - seen
            seen |= names
            for name, value in (await self.get_many(*names)).items():
                yield name, value

    async def take(self, *limits: Limit) -> Sequence[float]:
        waits = await self._call("take", *(arg for limit in limits for arg in limit))
        return [float(wait) for wait in waits]

    async def count(
        self, key: str, limits: Mapping[str, int], ttl: float, *, beyond: bool
    ) -> Sequence[int]:
        args = (arg for limit in limits.items() for arg in limit)
        found = await self._call("count", key, ttl, int(beyond), *args)
        return [int(count) for count in found]

    async def uncount(self, key: str) -> None:
        await self._call("uncount", key)

    async def _call(self, operation: str, *args: Arg) -> Any:
        return await self._submit(operation, *args)

    def _submit(self, operation: str, *args: Arg) -> asyncio.Future[Any]:
        return self._connection.submit("values", self._prefix, operation, *args)
