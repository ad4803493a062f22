"""
What survives: two queues, a ledger of what was sent, and small values that expire.

One interface, and one contract suite (tests/integration/store) that every implementation passes.
Times are unix seconds of the store's clock, leases and waits are seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel.store.bucket import Limit

Body = Mapping[str, Any]
Clock = Callable[[], float]

DAY: Final = 86_400

_Store = TypeVar("_Store", bound="Store")


@dataclass(frozen=True)
class Retention:
    """Seconds that a store remembers what is over. Entries that wait are never forgotten."""

    seen: float = 8 * DAY  # WhatsApp delivers a webhook again for up to 7 days
    ledger: float = 30 * DAY
    given_up: float = 30 * DAY


# For who opens a bot's store from outside: how long it remembers what was sent is the bot's to say.
OUTSIDE: Final = Retention(ledger=math.inf)


@dataclass(frozen=True)
class Item:
    """
    One entry of a queue, claimed.

    *attempts* counts the claims, this one included. Together with *key* it is the proof of the
    claim: who lost the lease can no longer end the item. *forgiven* of them were no fault of it.
    *lapsed*: the claim before this one ended with its lease, and nobody knows how far it got.
    """

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    forgiven: int = 0
    lapsed: bool = False

    @property
    def tries(self) -> int:
        """The attempts that count, this one included."""
        return self.attempts - self.forgiven


@dataclass(frozen=True)
class Waiting:
    """
    An entry of a queue, looked at. *attempts* counts the claims so far.

    *due_at* is when it can be claimed: 0.0 for now, None while it is behind another entry of its
    conversation. *out*: somebody has claimed it, until *due_at*.
    """

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    due_at: float | None
    out: bool


@dataclass(frozen=True)
class GivenUp:
    """An entry that was set aside, with the reason in words."""

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    given_up_at: float
    reason: str


@dataclass(frozen=True)
class Depth:
    """
    How much a queue holds.

    *waiting* counts the claimed entries too; *oldest* is when the first of them was put, None when
    there are none.
    """

    waiting: int
    given_up: int
    oldest: float | None


class Queue(ABC):
    """
    Entries in the order they were put, per conversation.

    At most one entry of a conversation is out at any time, and always its oldest; conversations do
    not wait for each other. A key that was ever put is refused until the retention has passed.
    """

    @abstractmethod
    async def put(self, key: str, conversation: str, body: Body) -> bool:
        """Keep the entry. False: this key was seen before, nothing changed."""

    async def claim(self, lease: float) -> Item | None:
        """
        Return the oldest free entry and hide it for *lease* seconds; None when there is none now.

        An entry whose caller was cancelled before it got hold of it is handed back.
        """
        items = await self.claim_many(lease, 1)
        return items[0] if items else None

    @abstractmethod
    async def claim_many(self, lease: float, limit: int) -> Sequence[Item]:
        """Claim up to *limit* entries in one go; as many conversations, the oldest free entries."""

    @abstractmethod
    async def extend(self, item: Item, lease: float) -> bool:
        """Hide *item* for *lease* seconds from now. False: the claim was lost."""

    @abstractmethod
    async def replace_body(self, item: Item, body: Body) -> bool:
        """Let *body* be what the next claim of the entry returns. False: the claim was lost."""

    @abstractmethod
    async def done(self, item: Item, hold: float = 0.0) -> None:
        """
        Forget *item*, remember its key. Does nothing when the claim was lost.

        The next entry of the conversation, there already or put later, is not claimable before
        *hold* seconds are over.
        """

    @abstractmethod
    async def release(self, item: Item, after: float = 0.0, *, attempt: bool = True) -> None:
        """
        Hand *item* back; neither it nor its conversation is claimable for *after* seconds.

        *attempt* False: this claim was no fault of the entry, and does not count as a try.
        """

    @abstractmethod
    async def give_up(self, item: Item, reason: str, hold: float = 0.0) -> None:
        """Set *item* aside; its conversation goes on with the next entry, after *hold* seconds."""

    @abstractmethod
    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        """Set aside what cannot be handled at all, for a person to see. False: seen before."""

    @abstractmethod
    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        """Return what was set aside, newest first."""

    @abstractmethod
    async def retry(self, key: str) -> bool:
        """
        Put an entry that was set aside back at the end of its conversation, as if it were new.

        False: there is none.
        """

    @abstractmethod
    async def discard(self, key: str) -> bool:
        """Forget an entry that was set aside; its key stays seen. False: there is none."""

    @abstractmethod
    async def free(self, conversation: str) -> bool:
        """
        End the hold of the conversation, or the wait of its released entry, now.

        False: there was neither, or an entry is out.
        """

    @abstractmethod
    async def waiting(self, limit: int = 100) -> Sequence[Waiting]:
        """Return what waits or is out, oldest first."""

    @abstractmethod
    async def purge(self, conversation: str) -> int:
        """
        Forget every entry of the conversation, waiting, out or set aside; their keys stay seen.

        Returns how many there were. While one is out, what is put afterwards waits for the end of
        its lease, since somebody may still be at work on it.
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


def is_news(status: str, before: str | None) -> bool:
    """Tell whether *status* may take the place of the one *before*."""
    if status not in STATUS_RANK:
        return False
    return before is None or STATUS_RANK[status] > STATUS_RANK[before]


@dataclass(frozen=True)
class Sent:
    """A message that WhatsApp accepted, and what became of it."""

    message_id: str
    key: str  # of the outbox entry
    recipient_id: str
    response: str | None  # name of the Rasa response, where known
    status: str
    at: float  # of the status
    reason: str | None = None  # why it failed


class Ledger(ABC):
    """What was sent, by WhatsApp's message id. A status may arrive before our note of its id."""

    @abstractmethod
    async def note_sent(
        self, message_id: str, *, key: str, recipient_id: str, response: str | None = None
    ) -> Sent:
        """
        Note that WhatsApp accepted the message.

        The answer holds the status that came before this note, if one did: nobody was told of it.
        """

    @abstractmethod
    async def note_status(
        self, message_id: str, status: str, *, reason: str | None = None
    ) -> Sent | None:
        """
        Keep *status* if it is news, and return the message then; None when it is not.

        For an id not (yet) noted as sent, the status is kept and joined by `note_sent`. A status
        that is not in STATUS_RANK is no news.
        """

    @abstractmethod
    async def get(self, message_id: str) -> Sent | None: ...

    @abstractmethod
    async def by_key(self, key: str) -> Sent | None:
        """Return the message last noted for the outbox entry *key*."""

    @abstractmethod
    async def purge(self, recipient_id: str) -> int:
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
    async def purge(self, prefix: str) -> int:
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
    """Opened once per process. Everything raises `StoreError` when the store cannot do its work."""

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
    async def ping(self) -> None:
        """Raise `StoreError` unless the store can be written."""

    @abstractmethod
    async def purge(self) -> None:
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
