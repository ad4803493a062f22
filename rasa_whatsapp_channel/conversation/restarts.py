"""
Restarts: under which id Rasa continues a conversation that it has ended for good.

Rasa Pro ignores every message of a tracker after `SessionEnded`, for ever. A person who writes
again gets a new tracker then: the id of the conversation with the time behind it, as in
``4915112345678!1790000000``. What the old tracker holds stays in it.
"""

from __future__ import annotations

import re
import time
from typing import Final

from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.unix_time import DAY

LIFE: Final = 3650 * DAY  # without it the ended tracker is asked once more, and ignores a message
_RESTARTED: Final = re.compile(r"!\d{9,}\Z")


class Restarts:
    """Every method raises `StoreError`."""

    def __init__(self, values: Values, *, clock: Clock = time.time) -> None:
        self._values = values
        self._clock = clock

    async def tracker_id(self, conversation: str) -> str:
        """Return the id of the tracker in which *conversation* goes on."""
        known = await self._values.get(restart_key(conversation))
        return known if isinstance(known, str) else conversation

    async def begin(self, conversation: str) -> str:
        """Begin a new tracker for *conversation*, and return its id."""
        tracker_id = f"{conversation}!{int(self._clock())}"
        await self._values.set(restart_key(conversation), tracker_id, LIFE)
        return tracker_id


def restart_key(conversation: str) -> str:
    return f"tracker:{conversation}"


def conversation_of(tracker_id: str) -> str:
    """Return the conversation that the tracker of this id belongs to."""
    return _RESTARTED.sub("", tracker_id)
