"""A queue in memory: a deque per conversation, a heap of the free ones, a heap of the hidden."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

from rasa_whatsapp_channel.store.base import (
    Body,
    Clock,
    Depth,
    GivenUp,
    Item,
    Queue,
    Retention,
    Waiting,
)
from rasa_whatsapp_channel.store.line import Line
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.fading import Fading
from rasa_whatsapp_channel.store.text import from_json, to_json

# A clock may tick a little backwards; more than this means that it was set.
CLOCK_SLACK: Final = 1.0


@dataclass
class _Entry:
    seq: int
    key: str
    conversation: str
    body: str
    put_at: float
    attempts: int = 0
    forgiven: int = 0
    due_at: float = 0.0  # 0: free as soon as it is the first
    hidden_for: float = 0.0  # seconds from claim or release to due_at
    out: bool = False  # claimed, and not yet claimed again, released or ended


@dataclass(frozen=True)
class _Hold:
    until: float
    seconds: float


class MemoryQueue(Queue):
    def __init__(self, door: Door, *, clock: Clock, retention: Retention) -> None:
        self._door = door
        self._clock = clock
        self._retention = retention
        self._latest = 0.0
        self._numbers = count()
        self._seen: Fading[None] = Fading(clock)
        self._given_up: Fading[GivenUp] = Fading(clock)
        self._entries: dict[int, _Entry] = {}
        self._conversations: dict[str, deque[_Entry]] = {}
        self._holds: Fading[_Hold] = Fading(clock)  # of conversations without entries
        # Both may hold what is no longer so: whoever takes from them looks again.
        self._free: list[int] = []
        self._due: list[tuple[float, int]] = []
        self.line = Line()

    async def put(self, key: str, conversation: str, body: Body) -> bool:
        self._door.check()
        text = to_json(body)
        if not self._note_seen(key):
            return False
        self._append(key, conversation, text)
        return True

    def _note_seen(self, key: str) -> bool:
        if key in self._seen:
            return False
        self._seen.set(key, None, self._clock() + self._retention.seen)
        return True

    def _append(self, key: str, conversation: str, body: str) -> None:
        entry = _Entry(next(self._numbers), key, conversation, body, self._clock())
        self._entries[entry.seq] = entry
        line = self._conversations.setdefault(conversation, deque())
        line.append(entry)
        if len(line) == 1:
            self._hide_or_free(entry, self._rest_of_hold(conversation))

    def _rest_of_hold(self, conversation: str) -> float:
        hold = self._holds.get(conversation)
        self._holds.pop(conversation)
        # Never longer than was meant, though the clock was set back meanwhile.
        return min(hold.until - self._clock(), hold.seconds) if hold else 0.0

    def _hide_or_free(self, entry: _Entry, seconds: float) -> None:
        if seconds > 0:
            self._hide(entry, seconds)
        else:
            self._free_now(entry)

    def _free_now(self, entry: _Entry) -> None:
        entry.due_at = 0.0
        heapq.heappush(self._free, entry.seq)
        self.line.wake()

    async def claim_many(self, lease: float, limit: int) -> Sequence[Item]:
        self._door.check()
        self._free_what_is_due(self._now())
        items: list[Item] = []
        while len(items) < limit and (entry := self._oldest_free()):
            heapq.heappop(self._free)
            items.append(self._take(entry, lease))
        if self._oldest_free():
            self.line.wake()
        return items

    def _take(self, entry: _Entry, lease: float) -> Item:
        lapsed, entry.out = entry.out, True
        entry.attempts += 1
        self._hide(entry, lease)
        return Item(
            key=entry.key,
            conversation=entry.conversation,
            body=from_json(entry.body),
            attempts=entry.attempts,
            put_at=entry.put_at,
            forgiven=entry.forgiven,
            lapsed=lapsed,
        )

    def _now(self) -> float:
        now = self._clock()
        if now < self._latest - CLOCK_SLACK:
            self._follow_clock(now)
        self._latest = now
        return now

    def _follow_clock(self, now: float) -> None:
        for entry in self._entries.values():
            if entry.due_at - entry.hidden_for > now + CLOCK_SLACK:
                self._hide(entry, entry.hidden_for)

    def _free_what_is_due(self, now: float) -> None:
        while self._due:
            due_at, seq = self._due[0]
            entry = self._entries.get(seq)
            is_so = entry is not None and entry.due_at == due_at
            if is_so and due_at > now:
                self.line.wake_in(due_at - now)
                return
            heapq.heappop(self._due)
            if entry is not None and is_so:
                self._free_now(entry)

    def _oldest_free(self) -> _Entry | None:
        while self._free:
            entry = self._entries.get(self._free[0])
            if entry is not None and entry.due_at == 0:
                return entry
            heapq.heappop(self._free)
        return None

    def _hide(self, entry: _Entry, seconds: float) -> None:
        entry.due_at = self._clock() + seconds
        entry.hidden_for = seconds
        heapq.heappush(self._due, (entry.due_at, entry.seq))
        self.line.wake_in(seconds)

    async def extend(self, item: Item, lease: float) -> bool:
        self._door.check()
        entry = self._held(item)
        if entry is None:
            return False
        self._hide(entry, lease)
        return True

    def _held(self, item: Item) -> _Entry | None:
        """Return the entry unless the claim was lost."""
        line = self._conversations.get(item.conversation)
        if not line:
            return None
        entry = line[0]
        is_his = (entry.key, entry.attempts, entry.out) == (item.key, item.attempts, True)
        return entry if is_his else None

    async def replace_body(self, item: Item, body: Body) -> bool:
        self._door.check()
        text = to_json(body)
        entry = self._held(item)
        if entry is None:
            return False
        entry.body = text
        return True

    async def done(self, item: Item, hold: float = 0.0) -> None:
        self._door.check()
        entry = self._held(item)
        if entry is not None:
            self._remove(entry, hold)

    def _remove(self, entry: _Entry, hold: float) -> None:
        del self._entries[entry.seq]
        line = self._conversations[entry.conversation]
        line.popleft()
        if line:
            self._hide_or_free(line[0], hold)
        else:
            del self._conversations[entry.conversation]
            self._hold(entry.conversation, hold)

    def _hold(self, conversation: str, seconds: float) -> None:
        if seconds > 0:
            until = self._clock() + seconds
            self._holds.set(conversation, _Hold(until, seconds), until)

    async def release(self, item: Item, after: float = 0.0, *, attempt: bool = True) -> None:
        self._door.check()
        entry = self._held(item)
        if entry is None:
            return
        entry.out = False
        entry.forgiven += not attempt
        self._hide_or_free(entry, after)

    async def give_up(self, item: Item, reason: str, hold: float = 0.0) -> None:
        self._door.check()
        entry = self._held(item)
        if entry is not None:
            self._set_aside(entry, reason)
            self._remove(entry, hold)

    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        self._door.check()
        text = to_json(body)
        if not self._note_seen(key):
            return False
        self._set_aside(_Entry(-1, key, conversation, text, self._clock()), reason)
        return True

    def _set_aside(self, entry: _Entry, reason: str) -> None:
        now = self._clock()
        given_up = GivenUp(
            key=entry.key,
            conversation=entry.conversation,
            body=from_json(entry.body),
            attempts=entry.attempts,
            put_at=entry.put_at,
            given_up_at=now,
            reason=reason,
        )
        self._given_up.set(entry.key, given_up, now + self._retention.given_up)

    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        self._door.check()
        return list(islice(self._given_up.newest_first(), limit))

    async def retry(self, key: str) -> bool:
        self._door.check()
        given_up = self._given_up.pop(key)
        if given_up is None:
            return False
        self._append(key, given_up.conversation, to_json(given_up.body))
        return True

    async def discard(self, key: str) -> bool:
        self._door.check()
        return self._given_up.pop(key) is not None

    async def free(self, conversation: str) -> bool:
        self._door.check()
        line = self._conversations.get(conversation)
        if not line:
            return self._rest_of_hold(conversation) > 0
        entry = line[0]
        if entry.out or entry.due_at <= self._clock():
            return False
        self._free_now(entry)
        return True

    async def waiting(self, limit: int = 100) -> Sequence[Waiting]:
        self._door.check()
        return [self._look_at(entry) for entry in islice(self._entries.values(), limit)]

    def _look_at(self, entry: _Entry) -> Waiting:
        is_hidden = entry.due_at > self._clock()
        is_behind = self._conversations[entry.conversation][0] is not entry
        return Waiting(
            key=entry.key,
            conversation=entry.conversation,
            body=from_json(entry.body),
            attempts=entry.attempts,
            put_at=entry.put_at,
            due_at=None if is_behind else entry.due_at if is_hidden else 0.0,
            out=entry.out and is_hidden,
        )

    async def purge(self, conversation: str) -> int:
        self._door.check()
        given_up = self._given_up.pop_where(lambda _, entry: entry.conversation == conversation)
        self._holds.pop(conversation)
        entries = self._conversations.pop(conversation, deque())
        for entry in entries:
            del self._entries[entry.seq]
        if entries and entries[0].out:
            self._hold(conversation, entries[0].due_at - self._clock())
        return len(given_up) + len(entries)

    async def depth(self) -> Depth:
        self._door.check()
        oldest = next(iter(self._entries.values()), None)
        return Depth(
            waiting=len(self._entries),
            given_up=len(self._given_up),
            oldest=None if oldest is None else oldest.put_at,
        )

    async def wait(self, timeout: float) -> None:
        self._door.check()
        await self.line.wait(timeout)

    def forget_old(self) -> None:
        self._follow_clock(self._clock())
        self._seen.purge()
        self._given_up.purge()
        self._holds.purge()
