"""
Debounce: several messages in a row become one turn, if the setting ``debounce`` says so.

People write in several short messages, and a bot that answers each one talks across them. So the
first message waits in the inbox until nothing has come for a while; the turn is then made of all of
them, and the others count as handled when they are claimed.

No message leaves the inbox before its turn is over. Which messages make one turn is stored before
the turn begins, so a repeated turn has the same ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel.conversation.debounce import MOST, DebounceMemory, RecentMessage
from rasa_whatsapp_channel.conversation.numbered_replies import typed_number
from rasa_whatsapp_channel.inbound.turn import NO_WORDING, Turn, handling_of_message
from rasa_whatsapp_channel.settings.inbound import Handling
from rasa_whatsapp_channel.store.base import DEBOUNCE, Clock, QueueItem, Store
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, from_body, to_body
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

LONGEST: Final = 4  # times the setting: a person who never stops writing is answered then
_PARTS: Final = ("text", "image", "video")


class Debouncer:
    """*debounce* is the setting in seconds, 0 turns it off. *wording* is the setting `inbound`."""

    def __init__(
        self,
        store: Store,
        debounce: float,
        *,
        wording: Mapping[str, str] = NO_WORDING,
        clock: Clock = time.time,
    ) -> None:
        self._inbox = store.inbox
        self._memory = DebounceMemory(store.values)
        self._debounce = debounce
        self._wording = wording
        self._clock = clock
        self._lock = asyncio.Lock()

    async def note(self, event: InboundMessage, conversation: str) -> None:
        """Remember a message that was put into the inbox. Raises `StoreError`."""
        if not self._debounce or handling_of_message(event, self._wording) is not Handling.TURN:
            return
        body = to_body(event) if is_part(event) else None
        async with self._lock:
            message = {"key": event.key, "at": self._clock(), "body": body}
            await self._memory.add(conversation, message)
        if body is None:  # a tap ends the wait: what was written before it is a turn at once
            await self._inbox.end_wait(conversation, DEBOUNCE)

    async def was_handled(self, item: QueueItem) -> bool:
        """Return whether *item* was part of an earlier turn."""
        return bool(self._debounce) and await self._memory.was_handled(item.key)

    async def gather(
        self, item: QueueItem, event: InboundMessage
    ) -> tuple[float, Sequence[InboundMessage]]:
        """Return the seconds to wait; if they are 0.0, also the messages to join with *event*."""
        if not self._debounce or not is_part(event):
            return 0.0, ()
        decided = await self._memory.decided(item.key)
        if decided is None:
            wait, decided = self._decide(item, await self._memory.latest(item.conversation))
            if wait > 0:
                return wait, ()
            await self._memory.decide(item.key, decided)
        return 0.0, [
            event for event in map(from_body, decided) if isinstance(event, InboundMessage)
        ]

    async def note_handled(self, others: Sequence[InboundMessage]) -> None:
        """Note that these were part of another message's turn."""
        await self._memory.note_handled(event.key for event in others)

    def _decide(
        self, item: QueueItem, messages: Sequence[RecentMessage]
    ) -> tuple[float, list[Any]]:
        keys = [message["key"] for message in messages]
        later = messages[keys.index(item.key) + 1 :] if item.key in keys else []
        ends = next((n for n, message in enumerate(later) if message["body"] is None), None)
        parts = later[:ends]
        last = parts[-1]["at"] if parts else item.put_at
        until = min(last + self._debounce, item.put_at + LONGEST * self._debounce)
        wait = until - self._clock() if ends is None and len(parts) < MOST - 1 else 0.0
        return max(wait, 0.0), [message["body"] for message in parts]


def is_part(event: InboundMessage) -> bool:
    """Return whether *event* can be one of several in a turn: text or picture, and no choice."""
    if event.type not in _PARTS:
        return False
    words = text_of(object_of(event.content).get("body")) or ""
    return typed_number(event) is None and not words.lstrip().startswith("/")


def join(turns: Sequence[Turn]) -> Turn:
    """Return one turn for all: their texts, or the first intent if none of them has a text."""
    if len(turns) == 1:
        return turns[0]
    words = [turn.text for turn in turns if not turn.text.startswith("/")]
    facts = [turn.metadata["whatsapp"] for turn in turns]
    return replace(
        turns[0],
        text="\n".join(words) or turns[0].text,
        metadata={"whatsapp": {**facts[0], "messages": facts}},
    )
