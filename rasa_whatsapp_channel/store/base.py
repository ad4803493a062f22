"""
What survives: two queues, a ledger of what was sent, and small values that expire.

One interface, and tests for each part of it (tests/integration/store) that every store passes.
Times are unix seconds of the store's clock, leases and waits are seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.token_bucket import Limit

Body = Mapping[str, Any]
Clock = Callable[[], float]


_Store = TypeVar("_Store", bound="Store")


@dataclass(frozen=True)
class Retention:
    """Seconds that a store remembers what is over. Entries that wait are never forgotten."""

    seen: float = 8 * DAY  # WhatsApp delivers a webhook again for up to 7 days
    ledger: float = 30 * DAY
    dead_letters: float = 30 * DAY
    # A message that failed after a day is not sent again, so its body is not needed any longer.
    sent_bodies: float = DAY


# For who opens a bot's store from outside: how long it remembers what was sent is the bot's to say.
OUTSIDE: Final = Retention(ledger=math.inf)

# What a wait is for. It ends after its seconds, or earlier by what its cause names: nothing else
# can end it.
TIME: Final = "time"
WINDOW: Final = "window"  # the person writes, which opens the 24-hour window
TOKEN: Final = "token"  # noqa: S105  # the number's token is accepted again
THROUGHPUT: Final = "throughput"  # the number may send again
INFRASTRUCTURE: Final = "infrastructure"  # what the bot needs (its stores, its broker) is back
DEBOUNCE: Final = "debounce"  # the person chose something, so nothing more belongs to this turn


def status_of(message_id: str) -> str:
    """Return the cause of a wait for a delivered, read or failed status of this message alone."""
    return f"status:{message_id}"


def confirmation_of(key: str) -> str:
    """Return the cause of a wait for any status of the message of the outbox entry *key*."""
    return f"confirmation:{key}"


# Crashes in a row from which on an entry is suspected of killing its process.
SUSPECT_FROM: Final = 2


@dataclass(frozen=True)
class QueueItem:
    """
    One entry of a queue, claimed.

    Together with *key*, *attempts* is the fence of the claim: after the next claim this one can no
    longer end the entry.
    """

    key: str
    conversation: str
    body: Body
    #: Claims so far, this one included.
    attempts: int
    #: When it was put, unix seconds.
    put_at: float
    #: Attempts that were no fault of the entry.
    uncounted: int = 0
    #: Claims in a row, before this one, that ended with the process of the claimant.
    crashes: int = 0
    #: When the first of its failures was, unix seconds; None when none was.
    failing_since: float | None = None
    #: The last of them, in words.
    last_error: str | None = None

    @property
    def tries(self) -> int:
        """The attempts that count, this one included."""
        return self.attempts - self.uncounted


@dataclass(frozen=True)
class Done:
    """
    The entry is finished.

    Its conversation's next one may go after *hold* seconds, or when what *cause* names happened.
    *then* is done when the store knows; it may be done more than once.
    """

    hold: float = 0.0
    cause: str = TIME
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Retry:
    """
    Handle the entry again in *after* seconds, or when what *cause* names happened.

    *counted* False: this was no fault of the entry, and is no try. *body* replaces the entry's.
    *error* stays with the entry for people to see. *then* as in `Done`.
    """

    after: float
    cause: str = TIME
    counted: bool = True
    body: Body | None = None
    error: str | None = None
    then: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class DeadLetter:
    """The entry cannot be handled; *reason* is for a person."""

    reason: str


Outcome = Done | Retry | DeadLetter
Handler = Callable[[QueueItem], Awaitable[Outcome]]
DONE: Final = Done()


class ItemState(str, Enum):
    """Where an entry of a queue is. Those that are done are gone, dead letters are kept apart."""

    BEHIND = "behind"  # another entry of its conversation comes first
    READY = "ready"
    CLAIMED = "claimed"
    WAITING = "waiting"


@dataclass(frozen=True)
class WaitingRow:
    """An entry of a queue, looked at."""

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    state: ItemState
    #: Of a waiting entry: until when at the latest, unix seconds.
    due_at: float | None = None
    #: Of a waiting entry: what it waits for.
    cause: str | None = None
    crashes: int = 0
    last_error: str | None = None


@dataclass(frozen=True)
class DeadLetterRow:
    """An entry that cannot be handled, with the reason in words."""

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
    How much a queue holds.

    *waiting* counts the claimed entries too; *oldest* is when the first of them was put, None when
    there are none. *failing* counts the waiting entries that failed, and *last_error* is what the
    one met that began to fail last.
    """

    waiting: int
    dead_letters: int
    oldest: float | None
    failing: int = 0
    last_error: str | None = None


class Queue(ABC):
    """
    Entries in the order they were put, per conversation.

    At most one entry of a conversation is claimed at any time, and always its oldest; conversations
    do not wait for each other. A key that was ever put is refused until the retention has passed.
    docs/design.md draws the states of an entry.
    """

    @abstractmethod
    async def put(self, key: str, conversation: str, body: Body) -> bool:
        """Keep the entry. False: this key was seen before, nothing changed."""

    async def claim(self) -> QueueItem | None:
        """
        Return the oldest ready entry; None when there is none now.

        It belongs to this process until it is ended, or until the process dies: see
        `store.heartbeat`. An entry whose caller was cancelled before it got hold of it is handed
        back.
        """
        items = await self.claim_many(1)
        return items[0] if items else None

    @abstractmethod
    async def claim_many(self, limit: int) -> Sequence[QueueItem]:
        """
        Claim up to *limit* entries in one go; as many conversations, the oldest of them.

        Those with `SUSPECT_FROM` crashes or more are left to `claim_suspect`.
        """

    @abstractmethod
    async def claim_suspect(self) -> QueueItem | None:
        """Claim the oldest ready entry of those that may have killed their process, if any."""

    @abstractmethod
    async def done(self, item: QueueItem, hold: float = 0.0, *, cause: str = TIME) -> None:
        """
        Forget *item*, remember its key. Does nothing when the claim was lost.

        The next entry of the conversation, there already or put later, is not claimable before
        *hold* seconds are over, or what *cause* names has happened.
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
        End the claim; neither the entry nor its conversation is claimable for *after* seconds.

        With 0 seconds the entry is ready at once. *counted* False: this claim was no fault of the
        entry and is no try; its crashes before are not forgotten either. *body* takes the place of
        the entry's. *error* says what failed, and stays with the entry. Does nothing when the claim
        was lost.
        """

    @abstractmethod
    async def dead_letter(self, item: QueueItem, reason: str) -> None:
        """Keep *item* for a person to see; its conversation goes on with the next entry."""

    @abstractmethod
    async def put_dead_letter(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        """Keep what cannot be handled at all, for a person to see. False: seen before."""

    @abstractmethod
    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetterRow]:
        """Return the dead letters, newest first."""

    @abstractmethod
    async def requeue(self, key: str) -> bool:
        """Put a dead letter at the end of its conversation, as if it were new. False: none."""

    @abstractmethod
    async def discard(self, key: str) -> bool:
        """Forget a dead letter; its key stays seen. False: there is none."""

    @abstractmethod
    async def end_wait(self, conversation: str, cause: str) -> bool:
        """
        End the wait of the conversation, or of its first entry, if *cause* is what it is for.

        False: it does not wait, or for something else.
        """

    @abstractmethod
    async def waiting(self, limit: int = 100) -> Sequence[WaitingRow]:
        """Return what is not done, oldest first."""

    @abstractmethod
    async def erase(self, conversation: str) -> int:
        """
        Forget every entry of the conversation, dead letters too; their keys stay seen.

        Returns how many there were. While one is claimed, what is put afterwards waits for some
        seconds, since somebody may still be at work on it.
        """

    @abstractmethod
    async def depth(self) -> Depth: ...

    @abstractmethod
    async def wait(self, timeout: float) -> None:
        """
        Return when an entry may be claimable, at the latest after *timeout* seconds.

        A hint: it may return early, and others may be faster. An entry wakes one waiting task, not
        all, so whoever returns from here should claim.
        """


# A status never goes backwards; failed ends a message unless it was delivered to some device.
STATUS_RANK: Final[Mapping[str, int]] = {
    "accepted": 0,
    "sent": 1,
    "failed": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}

# Messages with one of these need not be sent again.
ARRIVED: Final = frozenset({"delivered", "read", "played"})


def is_news(status: str, before: str | None) -> bool:
    """Tell whether *status* may take the place of the one *before*."""
    if status not in STATUS_RANK:
        return False
    return before is None or STATUS_RANK[status] > STATUS_RANK[before]


@dataclass(frozen=True)
class SentMessage:
    """A message that WhatsApp accepted, and what became of it."""

    message_id: str
    key: str  # of the outbox entry
    recipient_id: str
    response: str | None  # name of the Rasa response, where known
    status: str
    at: float  # of the status
    reason: str | None = None  # why it failed
    code: int = 0  # WhatsApp's, of the failure; 0 where it gave none
    #: The outbox entry as it was sent; None once it was delivered, or after a day.
    body: Body | None = None


class Ledger(ABC):
    """What was sent, by WhatsApp's message id. A status may arrive before our note of its id."""

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
        Note that WhatsApp accepted the message; *body* is kept in case it fails later.

        The answer holds the status that came before this note, if one did: nobody was told of it.
        """

    @abstractmethod
    async def note_status(
        self, message_id: str, status: str, *, reason: str | None = None, code: int = 0
    ) -> SentMessage | None:
        """
        Keep *status* if it is news, and return the message then; None when it is not.

        For an id not (yet) noted as sent, the status is kept and joined by `note_sent`. A status
        that is not in STATUS_RANK is no news.
        """

    @abstractmethod
    async def get(self, message_id: str) -> SentMessage | None: ...

    @abstractmethod
    async def by_key(self, key: str) -> SentMessage | None:
        """Return the message last noted for the outbox entry *key*."""

    @abstractmethod
    async def erase(self, recipient_id: str) -> int:
        """Forget all that was sent to one person; return how many messages that were."""


class Values(ABC):
    """Small values under a key, each with an end."""

    @abstractmethod
    async def get(self, key: str) -> Any | None: ...

    @abstractmethod
    async def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep *value* (anything JSON can hold) for *ttl* seconds."""

    @abstractmethod
    async def set_many(self, values: Mapping[str, Any], ttl: float) -> None:
        """Keep each of *values* under its key, in one step."""

    @abstractmethod
    async def add(self, key: str, value: Any, ttl: float) -> bool:
        """Keep *value* unless the key is taken. False: it is."""

    @abstractmethod
    async def delete(self, key: str) -> None: ...

    @abstractmethod
    async def erase(self, prefix: str) -> int:
        """
        Forget all values whose key begins with *prefix*; return how many there were.

        A prefix that does not end in a separator takes longer names with it.
        """

    @abstractmethod
    async def take(self, *limits: Limit) -> Sequence[float]:
        """
        Take a token from the bucket of each of *limits*, or from none when one has none.

        Returns for each the seconds until it would have one: 0.0 for all when they were taken.
        Buckets begin full, and know nothing of values.
        """


class Store(ABC):
    """
    Opened once per process. Everything raises `StoreError` when the store cannot do its work.

    What a process claimed is its own as long as it lives, see `store.heartbeat`.
    """

    inbox: Queue
    outbox: Queue
    ledger: Ledger
    values: Values

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Finish what was asked for, then let go. Whoever waits is woken."""

    @abstractmethod
    def beat(self) -> None:
        """
        Tell other processes that this one lives, and take over from those that are silent.

        Called by the store's own thread once a second, as soon as something was claimed; it blocks.
        """

    @abstractmethod
    async def ping(self) -> None:
        """Raise `StoreError` unless the store can be written."""

    @abstractmethod
    async def erase(self, person: str) -> int:
        """
        Forget all that names *person* but what waits, so that nothing of it is left in the bytes.

        Returns how much that was.
        """

    @abstractmethod
    async def expire(self) -> None:
        """Forget now what is older than its retention; it also happens bit by bit by itself."""

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
