"""A dict whose entries have an end."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from rasa_whatsapp_channel.store.base import Clock

V = TypeVar("V")

# Ends looked at per entry set: more than one, so that the past is forgotten faster than it grows.
ENDS_PER_SET: Final = 2


class Fading(Generic[V]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, V]] = {}
        self._ends: list[tuple[float, str]] = []

    def get(self, key: str) -> V | None:
        end, value = self._kept.get(key, (0.0, None))
        return value if end > self._clock() else None

    def __contains__(self, key: str) -> bool:
        return key in self._kept and self._kept[key][0] > self._clock()

    def __len__(self) -> int:
        return len(self._kept)

    def newest_first(self) -> Iterator[V]:
        return (value for _, value in reversed(self._kept.values()))

    def set(self, key: str, value: V, end: float) -> None:
        self._kept.pop(key, None)
        self._kept[key] = end, value
        heapq.heappush(self._ends, (end, key))
        self._forget(ENDS_PER_SET)
        if len(self._ends) > 2 * len(self._kept) + 100:  # ends of entries that were set again
            self._ends = [(end, key) for key, (end, _) in self._kept.items()]
            heapq.heapify(self._ends)

    def pop(self, key: str) -> V | None:
        return self._kept.pop(key, (0.0, None))[1]

    def pop_where(self, is_wanted: Callable[[str, V], bool]) -> list[str]:
        """Return the keys of what was taken out."""
        keys = [key for key, (_, value) in self._kept.items() if is_wanted(key, value)]
        for key in keys:
            del self._kept[key]
        return keys

    def purge(self) -> None:
        self._forget(len(self._ends))

    def _forget(self, limit: int) -> None:
        now = self._clock()
        while limit and self._ends and self._ends[0][0] <= now:
            limit -= 1
            end, key = heapq.heappop(self._ends)
            if key in self._kept and self._kept[key][0] == end:
                del self._kept[key]
