"""
Debounce memory: the latest messages of a conversation, and which of them became one turn.

The rules are in `inbound.debounce`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY

MOST: Final = 30  # messages of one turn
LIFE: Final = DAY / 24
HANDLED_LIFE: Final = DAY

#: *key* of the inbox item, *at* in unix seconds, *body* of the event; None if it ends the wait.
RecentMessage = Mapping[str, Any]


class DebounceMemory:
    """Every method raises `StoreError`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    async def add(self, conversation: str, message: RecentMessage) -> None:
        """Append *message* to the latest messages. Not safe for concurrent calls."""
        kept = await self.latest(conversation)
        await self._values.set(latest_key(conversation), [*kept, message][-MOST:], LIFE)

    async def latest(self, conversation: str) -> list[RecentMessage]:
        """Return the latest messages, oldest first."""
        kept = await self._values.get(latest_key(conversation))
        return kept if isinstance(kept, list) else []

    async def decide(self, key: str, bodies: Sequence[Any]) -> None:
        """Store the messages that are handled together with the inbox item *key*."""
        await self._values.set(f"debounced:{key}", list(bodies), LIFE)

    async def decided(self, key: str) -> list[Any] | None:
        """Return what `decide` stored; a repeated turn has the same messages."""
        decided = await self._values.get(f"debounced:{key}")
        return decided if isinstance(decided, list) else None

    async def note_handled(self, keys: Iterable[str]) -> None:
        """Note that the inbox items *keys* were handled as part of another item's turn."""
        await self._values.set_many({f"debounce-handled:{key}": 1 for key in keys}, HANDLED_LIFE)

    async def was_handled(self, key: str) -> bool:
        return bool(await self._values.get(f"debounce-handled:{key}"))


def latest_key(conversation: str) -> str:
    return f"debounce:{conversation}"
