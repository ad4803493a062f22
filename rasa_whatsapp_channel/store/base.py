"""
Store interface: three queues, a ledger of sent messages, and small values that expire.

One interface, and tests for each part of it (tests/integration/store) that every store passes.
Times are unix seconds of the store's clock; leases and waits are in seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.unix_time import DAY


class StoreError(ChannelError):
    """The store cannot be opened, read or written."""


TRIES: Final = 100  # of a change, while others make changes

Body = Mapping[str, Any]
Clock = Callable[[], float]


_Store = TypeVar("_Store", bound="Store")


@dataclass(frozen=True)
class Retention:
    """Seconds that a store remembers what is done. Items that wait never expire."""

    seen: float = 8 * DAY  # WhatsApp delivers a webhook again for up to 7 days
    ledger: float = 30 * DAY
    dead_letters: float = 30 * DAY
    # A message that fails after a day is not sent again, so its body is no longer needed.
    sent_bodies: float = DAY


# For a process that opens a bot's store from outside: only the bot lets its ledger expire.
OUTSIDE: Final = Retention(ledger=math.inf)

# For the bot; for WhatsApp; and what is done while a person answers, for which no bot has to run.
QUEUES: Final = ("inbox", "outbox", "desk")

# Causes of a wait. It ends after its seconds, or earlier by the event that its cause names.
TIME: Final = "time"
WINDOW: Final = "window"  # the person writes, which opens the 24-hour window
TOKEN: Final = "token"  # noqa: S105  # the number's token is accepted again
THROUGHPUT: Final = "throughput"  # the number may send again
ACCOUNT: Final = "account"  # the account may send again
INFRASTRUCTURE: Final = "infrastructure"  # a service the bot needs (tracker store, broker) is back
DEBOUNCE: Final = "debounce"  # the person chose something, which completes the turn


def status_cause(message_id: str) -> str:
    """Return the cause of a wait for a delivered, read or failed status of this message."""
    return f"status:{message_id}"


def template_cause(name: str) -> str:
    """Return the cause of a wait for a template that can be sent again, in any language."""
    return f"template:{name}"


def confirmation_cause(key: str) -> str:
    """Return the cause of a wait for any status of the message of the outbox item *key*."""
    return f"confirmation:{key}"


# Crashes in a row after which an item is suspected of killing its process.
SUSPECT_FROM: Final = 2


@dataclass(frozen=True)
class QueueItem:
    """
    A claimed item of a queue.

    *key* and *attempts* together are the fence of the claim: after the next claim this one can no
    longer end the item.
    """

    key: str
    conversation: str
    body: Body
    #: Claims so far, this one included.
    attempts: int
    #: When it was put, unix seconds.
    put_at: float
    #: Attempts that do not count, as the item did not cause their failure.
    uncounted: int = 0
    #: Claims in a row, before this one, that ended with the process of the claimant.
    crashes: int = 0
    #: Time of its first failure, unix seconds; None if there was none.
    failing_since: float | None = None
    #: Its last failure, in words.
    last_error: str | None = None

    @property
    def tries(self) -> int:
        """The attempts that count, this one included."""
        return self.attempts - self.uncounted


@dataclass(frozen=True)
class Done:
    """
    The item is finished.

    The next item of its conversation is held for *hold* seconds, or until the event *cause*. *then*
    is called once the store has recorded the outcome; it may be called more than once.
    """

    hold: float = 0.0
    cause: str = TIME
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Retry:
    """
    Handle the item again in *after* seconds, or at the event *cause*.

    An attempt with *counted* False is not counted as a try. *body* replaces the body of the item,
    *error* is stored with it for people to see. *then* as in `Done`.
    """

    after: float
    cause: str = TIME
    counted: bool = True
    body: Body | None = None
    error: str | None = None
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class DeadLetter:
    """The item cannot be handled; *reason* is for a person."""

    reason: str


Outcome = Done | Retry | DeadLetter
Handler = Callable[[QueueItem], Awaitable[Outcome]]
DONE: Final = Done()


class ItemState(str, Enum):
    """State of an item that is not done. Dead letters are stored apart."""

    BEHIND = "behind"  # another item of its conversation comes first
    READY = "ready"
    CLAIMED = "claimed"
    WAITING = "waiting"


@dataclass(frozen=True)
class WaitingRow:
    """An item that is not done, as an operator sees it."""

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    state: ItemState
    #: Of a waiting item: until when at the latest, unix seconds.
    due_at: float | None = None
    #: Of a waiting item: what it waits for.
    cause: str | None = None
    crashes: int = 0
    last_error: str | None = None


@dataclass(frozen=True)
class DeadLetterRow:
    """An item that could not be handled, with the reason in words."""

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    died_at: float
    reason: str


@dataclass(frozen=True)
class Depth:
    """
    Number of items in a queue.

    *waiting* includes the claimed items. *oldest* is the time since when one of them is late, None
    if none is: it was put, and nothing but its handling is waited for; or its wait was over; or it
    failed. *failing* counts the waiting items that failed, and *last_error* is the error of the one
    that began to fail last.
    """

    waiting: int
    dead_letters: int
    oldest: float | None
    failing: int = 0
    last_error: str | None = None


@dataclass(frozen=True)
class Notes:
    """Small values, by key, that are stored for *ttl* seconds together with an item."""

    values: Mapping[str, Any]
    ttl: float


@dataclass(frozen=True)
class PlaceOf:
    """
    The place of an item that was done before it was known to fail: for the one that replaces it.

    That is right behind the item *key* while that is still claimed, before all others while the
    conversation waits for *cause*, and else at the end.
    """

    key: str
    cause: str


class Queue(ABC):
    """
    Queue of items, each conversation in the order of its puts.

    At most one item of a conversation is claimed at any time, always the oldest; conversations do
    not wait for each other. A key that was put is refused until the retention has passed.
    docs/design.md shows the states of an item.
    """

    #: one of `QUEUES`
    name: str

    async def put(
        self,
        key: str,
        conversation: str,
        body: Body,
        *,
        after: float = 0.0,
        notes: Notes | None = None,
        place: PlaceOf | None = None,
    ) -> bool:
        """
        Add an item, at the end without *place*. False: the key was seen before, and no item was
        added.

        The first item of its conversation cannot be claimed for *after* seconds. *notes* are stored
        in the same step, also where the key was seen before.
        """
        with instrumentation.put_span(self.name, body) as span:
            body = instrumentation.with_trace(body)
            is_new = await self._insert(key, conversation, body, after, notes, place)
            if not is_new:
                span.set_attribute(instrumentation.DUPLICATE, True)
            return is_new

    async def put_dead_letter(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        """Add a dead letter that never was an item. False: the key was seen before."""
        body = instrumentation.with_trace(body)
        return await self._insert_dead_letter(key, conversation, body, reason)

    @abstractmethod
    async def _insert(
        self,
        key: str,
        conversation: str,
        body: Body,
        after: float,
        notes: Notes | None,
        place: PlaceOf | None,
    ) -> bool: ...

    @abstractmethod
    async def _insert_dead_letter(
        self, key: str, conversation: str, body: Body, reason: str
    ) -> bool: ...

    async def claim(self) -> QueueItem | None:
        """
        Claim the oldest ready item; None if there is none.

        The claim lasts until it is ended, or until this process dies, see `store.heartbeat`. If the
        caller is cancelled before it receives the item, the item is handed back.
        """
        items = await self.claim_many(1)
        return items[0] if items else None

    @abstractmethod
    async def claim_many(self, limit: int) -> Sequence[QueueItem]:
        """
        Claim up to *limit* ready items, the oldest ones, of as many conversations.

        Items with `SUSPECT_FROM` crashes or more are left to `claim_suspect`.
        """

    @abstractmethod
    async def claim_first(self, conversation: str) -> QueueItem | ItemState | None:
        """
        Claim the first item of *conversation*, or return the state in which it cannot be claimed.

        None: there is none. It may be one that is left to `claim_suspect` otherwise.
        """

    @abstractmethod
    async def claim_suspect(self) -> QueueItem | None:
        """Claim the oldest ready item that may have killed its process, if there is one."""

    @abstractmethod
    async def done(self, item: QueueItem, hold: float = 0.0, *, cause: str = TIME) -> None:
        """
        Remove *item* and remember its key. Does nothing if the claim was lost.

        The next item of the conversation, present or put later, cannot be claimed for *hold*
        seconds, or until the event *cause*.
        """

    @abstractmethod
    async def retry_later(
        self,
        item: QueueItem,
        after: float = 0.0,
        *,
        cause: str = TIME,
        counted: bool = True,
        body: Body | None = None,
        error: str | None = None,
    ) -> None:
        """
        End the claim; neither the item nor its conversation can be claimed for *after* seconds.

        With 0 seconds the item is ready at once. With *counted* False the claim is not counted as a
        try, and earlier crashes remain counted. *body* replaces the body of the item; *error* is
        the failure, stored with the item. Does nothing if the claim was lost.
        """

    @abstractmethod
    async def dead_letter(self, item: QueueItem, reason: str) -> None:
        """Make *item* a dead letter; its conversation continues with the next item."""

    @abstractmethod
    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetterRow]:
        """Return the dead letters, newest first."""

    @abstractmethod
    async def requeue(self, key: str) -> bool:
        """Put a dead letter at the end of its conversation, as a new item. False: not found."""

    @abstractmethod
    async def discard(self, key: str) -> bool:
        """Delete a dead letter; its key stays seen. False: not found."""

    @abstractmethod
    async def end_wait(self, conversation: str, cause: str) -> bool:
        """
        End the wait of the conversation, or of its first item, if its cause is *cause*.

        False: it does not wait, or has another cause.
        """

    @abstractmethod
    async def end_waits(self, cause: str) -> int:
        """End the wait of every item that waits for *cause*, and return their number."""

    @abstractmethod
    async def waiting(self, limit: int = 100) -> Sequence[WaitingRow]:
        """Return the items that are not done, oldest first."""

    @abstractmethod
    async def holds(self) -> Sequence[str]:
        """Return the conversations without items whose next item would have to wait."""

    @abstractmethod
    async def erase(self, conversation: str) -> int:
        """
        Delete every item of the conversation and its dead letters; their keys stay seen.

        Returns their number. If one is claimed, the next item waits for some seconds, as a consumer
        may still be working on the claimed one.
        """

    @abstractmethod
    async def depth(self) -> Depth: ...

    @abstractmethod
    async def wait(self, timeout: float) -> None:
        """
        Return when an item may be claimable, at the latest after *timeout* seconds.

        A hint: it may return early, and another task may be faster. An item wakes one waiting task,
        not all, so the caller should claim next.
        """


# Statuses in their order. `failed` is final unless some device got the message.
STATUS_RANK: Final[Mapping[str, int]] = {
    "accepted": 0,
    "sent": 1,
    "failed": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}

# Statuses of messages that need not be sent again.
ARRIVED: Final = frozenset({"delivered", "read", "played"})


def is_news(status: str, before: str | None) -> bool:
    """Return whether *status* comes after the status *before*."""
    if status not in STATUS_RANK:
        return False
    return before is None or STATUS_RANK[status] > STATUS_RANK[before]


@dataclass(frozen=True)
class SentMessage:
    """A message that WhatsApp accepted, with its last status."""

    message_id: str
    key: str  # of the outbox item
    recipient_id: str
    response: str | None  # name of the Rasa response, where known
    status: str
    at: float  # of the status
    reason: str | None = None  # why it failed
    code: int = 0  # WhatsApp's, of the failure; 0 where it gave none
    #: The outbox item as it was sent; None once it was delivered, or after a day.
    body: Body | None = None


@dataclass(frozen=True)
class Charge:
    """What WhatsApp charges for a delivered message, in its own words."""

    at: float  # of the status, by WhatsApp's clock
    number: str  # the business number's id, empty where there is one without
    country: str  # the calling code, empty where it is not known
    category: str
    type: str
    #: The month whose free messages it counts among, as 2026-11; empty for none.
    month: str = ""
    #: Which one of that month and number it is, from 1; the ledger counts.
    nth: int = 0


@dataclass(frozen=True)
class Noted:
    """What a status has changed: its message if it was news, its charge if none was kept before."""

    message: SentMessage | None = None
    charge: Charge | None = None


@dataclass(frozen=True)
class ChargedMessage:
    """A charge with its message; *recipient_id* is None where this bot did not send it."""

    message_id: str
    recipient_id: str | None
    response: str | None
    charge: Charge


class Ledger(ABC):
    """Sent messages by WhatsApp's message id. A status may arrive before `note_sent`."""

    @abstractmethod
    async def note_sent(
        self,
        message_id: str,
        *,
        key: str,
        recipient_id: str,
        response: str | None = None,
        body: Body | None = None,
    ) -> SentMessage:
        """
        Record that WhatsApp accepted the message; *body* is kept in case it fails later.

        The result has the status that arrived before, if there was one; it was not handled yet.
        """

    @abstractmethod
    async def note_status(
        self,
        message_id: str,
        status: str,
        *,
        reason: str | None = None,
        code: int = 0,
        charge: Charge | None = None,
    ) -> Noted:
        """
        Record *status* if it is news, and *charge* with its count if none was kept before.

        The status of an id that is not recorded as sent (yet) is kept until `note_sent`. A status
        that is not in STATUS_RANK is no news.
        """

    @abstractmethod
    async def get(self, message_id: str) -> SentMessage | None: ...

    @abstractmethod
    async def by_key(self, key: str) -> SentMessage | None:
        """Return the message last recorded for the outbox item *key*."""

    @abstractmethod
    async def charges(self, since: float, until: float) -> Sequence[ChargedMessage]:
        """Return what was charged from *since* on and before *until*, the oldest first."""

    @abstractmethod
    async def allowance_used(self, number: str, month: str) -> int:
        """Return how many messages of a number were counted in *month*."""

    @abstractmethod
    async def erase(self, recipient_id: str) -> int:
        """
        Delete the messages sent to one person; return their number.

        Those from a further business number, which stands behind an ``@``, are theirs, too.
        """


class Values(ABC):
    """Small values under a key, each with a time to live."""

    @abstractmethod
    async def get(self, key: str) -> Any | None: ...

    @abstractmethod
    async def get_many(self, *keys: str) -> Mapping[str, Any]:
        """Return the values that there are, by key, all read at the same time."""

    @abstractmethod
    async def set(self, key: str, value: Any, ttl: float) -> None:
        """Store *value* (any JSON value) for *ttl* seconds."""

    @abstractmethod
    async def set_many(self, values: Mapping[str, Any], ttl: float) -> None:
        """Store each of *values* under its key, atomically."""

    @abstractmethod
    async def add(self, key: str, value: Any, ttl: float) -> bool:
        """Store *value* unless the key exists. False: it does."""

    async def compare_and_set(self, key: str, before: Any | None, value: Any, ttl: float) -> bool:
        """
        Store *value* if the key still has the value *before*, as `get` returned it; None: none.

        False: it has another one, and nothing changed.
        """
        if before is None:
            return await self.add(key, value, ttl)
        return await self._replace(key, before, value, ttl)

    @abstractmethod
    async def _replace(self, key: str, before: Any, value: Any, ttl: float) -> bool: ...

    async def change(
        self, key: str, change: Callable[[Any | None], Any | None], ttl: float
    ) -> tuple[Any | None, Any | None]:
        """
        Store what *change* makes of the value, however many change it at the same time.

        *change* gets the value, None for none, once or more often; it returns None to leave it.
        Returns the value before and after.
        """
        for _ in range(TRIES):
            before = await self.get(key)
            after = change(before)
            if after is None:
                return before, before
            if await self.compare_and_set(key, before, after, ttl):
                return before, after
        raise StoreError(f"{key.partition(':')[0]}: changed too often to be changed now")

    @abstractmethod
    async def delete(self, key: str) -> None: ...

    @abstractmethod
    def find(self, prefix: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield each key that begins with *prefix*, with its value. For what people look at."""

    @abstractmethod
    async def take(self, *limits: Limit) -> Sequence[float]:
        """
        Take a token from the bucket of each of *limits*, or from none if one is empty.

        Returns for each the seconds until it has a token: 0.0 for all if they were taken. Buckets
        start full, and are separate from values.
        """

    @abstractmethod
    async def count(
        self, key: str, limits: Mapping[str, int], ttl: float, *, beyond: bool
    ) -> Sequence[int]:
        """
        Count *key* in each counter of *limits*, once however often it is asked.

        Where one has reached its limit it is counted in none, unless *beyond*. Returns how many
        others each counter had; of a key that was counted before, as it was then, and 0 for a
        counter that it is not in. Key and counters are values that live for *ttl* seconds.
        """

    @abstractmethod
    async def uncount(self, key: str) -> None:
        """Take *key* out of its counters, if it is counted."""


class Store(ABC):
    """
    Opened once per process. Every method raises `StoreError` if the store cannot do its work.

    A process keeps its claims as long as it lives, see `store.heartbeat`.
    """

    inbox: Queue
    outbox: Queue
    desk: Queue
    ledger: Ledger
    values: Values

    @property
    def queues(self) -> Sequence[Queue]:
        return self.inbox, self.outbox, self.desk

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Finish all pending operations, wake all waiting tasks, and close."""

    @abstractmethod
    def beat(self) -> None:
        """
        Record that this process lives, and take over the claims of processes that died.

        Blocks. The store's own thread calls it once a second after the first claim.
        """

    @abstractmethod
    async def ping(self) -> None:
        """Raise `StoreError` unless the store can be written."""

    @abstractmethod
    async def erase(self, person: str) -> int:
        """
        Delete everything that names *person*, except items that wait, and overwrite its bytes.

        Returns the number of deleted rows.
        """

    @abstractmethod
    async def expire(self) -> None:
        """Delete now what is older than its retention; the store also does this by itself."""

    async def __aenter__(self: _Store) -> _Store:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
