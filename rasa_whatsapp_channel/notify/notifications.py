"""
Notifications: keeps what was asked for, and how far each one came.

A notification waits in the inbox, in a conversation of its own, until it is due. Its key is known
for as long as its state: what is asked for twice is sent once.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.notify.notification import Notification, NotificationError
from rasa_whatsapp_channel.notify.timing import is_failing
from rasa_whatsapp_channel.store.base import STATUS_RANK, Clock, Store, StoreError
from rasa_whatsapp_channel.unix_time import DAY

#: Kinds of items in the inbox: one that is due, and what your server is told of one.
DUE: Final = "notification"
CHANGED: Final = "notification_changed"

#: Topic of the trouble that lets marketing wait.
NOTIFICATIONS: Final = "notifications"

SCHEDULED: Final = "scheduled"  # it waits until it is due
QUEUED: Final = "queued"  # it goes into the outbox, or is there
FAILED: Final = "failed"
WITHHELD: Final = "withheld"
CANCELLED: Final = "cancelled"
_RANK: Final[Mapping[str, int]] = {QUEUED: 0, WITHHELD: 2, **STATUS_RANK}

LIFE: Final = 35 * DAY  # of the key and the state, after the last change
TRIES: Final = 100
_HOUR: Final = DAY / 24
_PREFIX: Final = "notify:"
# The key of a message: that of the notification, a position, and what later attempts add.
_MESSAGE: Final = re.compile(rf"{_PREFIX}(?P<key>[^:]+):(?P<place>\d+)(?::.*)?\Z")


class KeyTaken(NotificationError):
    """Another notification has this key."""

    status: ClassVar[int] = 409


@dataclass(frozen=True)
class Record:
    """How far a notification came. It names nobody, so it outlives the data of its person."""

    digest: str
    state: str = SCHEDULED
    at: float | None = None
    reason: str = ""
    #: position → state of each message that it became
    messages: Mapping[str, str] = field(default_factory=dict)

    @property
    def overall(self) -> str:
        """Return the state of the message that came least far, a failed one first."""
        if not self.messages:
            return self.state
        found = set(self.messages.values())
        worst = next((each for each in (FAILED, WITHHELD) if each in found), None)
        return worst or min(found, key=_rank)

    def with_message(self, place: str, state: str, reason: str) -> Record:
        """Return it after the message at *place* came to *state*; itself if that is no news."""
        before = self.messages.get(place)
        if before is not None and _rank(state) <= _rank(before):
            return self
        return replace(self, messages={**self.messages, place: state}, reason=reason or self.reason)


class Notifications:
    """With *tells* your server is told of each change. Every method raises `StoreError`."""

    def __init__(self, store: Store, *, tells: bool = False, clock: Clock = time.time) -> None:
        self._inbox = store.inbox
        self._values = store.values
        self._tells = tells
        self._clock = clock

    async def add(self, key: str, wish: Notification, *, after: float = 0.0) -> tuple[Record, bool]:
        """
        Keep *wish*, due at its time and *after* so many seconds.

        Returns its record, and whether it is new. Raises `KeyTaken` if *key* stands for another.
        """
        now = self._clock()
        at = max(wish.at or now, now) + after
        record = Record(wish.digest, at=at)
        is_new = await self._values.add(_PREFIX + key, asdict(record), at - now + LIFE)
        if not is_new:
            known = await self.get(key)
            record = known or record
            if record.digest != wish.digest:
                raise KeyTaken(f"{key} is the key of another notification")
        if record.state == SCHEDULED:  # whoever kept it may have died before this
            name = _PREFIX + key
            body = {"kind": DUE, "key": key, **wish.body()}
            await self._inbox.put(name, name, body, after=at - now)
        return record, is_new

    async def get(self, key: str) -> Record | None:
        value = await self._values.get(_PREFIX + key)
        return None if value is None else Record(**value)

    async def find(self, prefix: str) -> AsyncIterator[tuple[str, Record]]:
        """Yield all keys that begin with *prefix*, with their records. For what people look at."""
        async for key, value in self._values.find(_PREFIX + prefix):
            yield key.removeprefix(_PREFIX), Record(**value)

    async def queue(self, key: str, messages: int = 0) -> bool:
        """Note that it becomes so many *messages* now; False: it was cancelled before that."""

        def change(record: Record) -> Record:
            if record.state == CANCELLED:
                return record
            queued = {str(place): QUEUED for place in range(messages)}
            return replace(record, state=QUEUED, messages={**queued, **record.messages})

        after = await self._change(key, change)
        return after is not None and after.state == QUEUED

    async def end(self, key: str, state: str, reason: str) -> None:
        """Note that it is not sent: *state* is `FAILED` or `WITHHELD`."""
        await self._change(key, lambda record: replace(record, state=state, reason=reason))

    async def cancel(self, key: str) -> Record | None:
        """Cancel it if it is still scheduled; returns its record then, None if *key* is unknown."""

        def change(record: Record) -> Record:
            return replace(record, state=CANCELLED) if record.state == SCHEDULED else record

        return await self._change(key, change)

    async def note(self, message: str, state: str, reason: str = "") -> tuple[int, int] | None:
        """
        Note how far *message*, the key of an item of the outbox, came; others do not matter.

        Returns how many of this hour were sent and failed if it is one failure too many.
        """
        found = _MESSAGE.fullmatch(message)
        if found is None:
            return None
        place, word = found["place"], "sent" if state == "accepted" else state
        await self._change(found["key"], lambda it: it.with_message(place, word, reason))
        return await self._count(message, state) if state in ("accepted", FAILED) else None

    async def _count(self, message: str, state: str) -> tuple[int, int] | None:
        hour = int(self._clock() // _HOUR)
        names = [f"{each}:{hour}" for each in ("notified", "notify failed")]
        name = names[state == FAILED]
        await self._values.count(f"{name}:{message}", {name: 1}, 2 * _HOUR, beyond=True)
        if state != FAILED:
            return None
        sent, lost = [int(await self._values.get(each) or 0) for each in names]
        return (sent, lost) if is_failing(sent - lost, lost) else None

    async def _change(self, key: str, change: Callable[[Record], Record]) -> Record | None:
        """Change a record, and return it; None if *key* is unknown."""
        for _ in range(TRIES):
            value = await self._values.get(_PREFIX + key)
            if value is None:
                return None
            before = Record(**value)
            after = change(before)
            if after == before:
                return after
            if self._tells and after.overall != before.overall:  # first: told twice is no harm
                await self._tell(key, after)
            left = max((after.at or 0.0) - self._clock(), 0.0)
            if await self._values.compare_and_set(_PREFIX + key, value, asdict(after), left + LIFE):
                return after
        raise StoreError("the state of a notification is changed too often to be changed now")

    async def _tell(self, key: str, record: Record) -> None:
        """Keep what your server is told, once for each state."""
        name, told = f"notify-changed:{key}", to_json(key, record)
        more = {"kind": CHANGED, "type": "notification.changed", "changed_at": self._clock()}
        await self._inbox.put(f"{name}:{record.overall}", name, {**told, **more})


def to_json(key: str, record: Record) -> dict[str, Any]:
    """Return what your server is told of a notification."""
    told = {"key": key, "state": record.overall, "at": record.at, "reason": record.reason}
    return {name: value for name, value in told.items() if value not in (None, "")}


def _rank(state: str) -> int:
    return _RANK.get(state, 0)
