"""Small values with an end, in memory."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.fading import Fading
from rasa_whatsapp_channel.store.text import from_json, to_json


class MemoryValues(Values):
    def __init__(self, door: Door, *, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._kept: Fading[str] = Fading(clock)

    async def get(self, key: str) -> Any | None:
        self._door.check()
        text = self._kept.get(key)
        return None if text is None else from_json(text)

    async def set(self, key: str, value: Any, ttl: float) -> None:
        self._door.check()
        self._kept.set(key, to_json(value), self._clock() + ttl)

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

    def purge(self) -> None:
        self._kept.purge()
