"""
What survives: two queues, a ledger of what was sent, and small values that expire.

One interface, and one contract suite (tests/integration/store) that every implementation passes.
Times are unix seconds of the store's clock, leases and waits are seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Body = Mapping[str, Any]
Clock = Callable[[], float]

DAY: Final = 86_400


@dataclass(frozen=True)
class Item:
    """
    One entry of a queue, claimed.

    *attempts* counts the claims, this one included. Together with *key* it is the proof of the
    claim: who lost the lease can no longer end the item.
    """

    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float


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
    """How much a queue holds. *oldest* is when its oldest waiting entry was put, None when empty."""

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

    @abstractmethod
    async def claim(self, lease: float) -> Item | None:
        """Return the oldest free entry and hide it for *lease* seconds; None when there is none now."""

    @abstractmethod
    async def extend(self, item: Item, lease: float) -> bool:
        """Hide *item* for *lease* seconds from now. False: the claim was lost."""

    @abstractmethod
    async def done(self, item: Item) -> None:
        """Forget *item*, remember its key. Does nothing when the claim was lost."""

    @abstractmethod
    async def release(self, item: Item, after: float = 0.0) -> None:
        """Hand *item* back, to be claimed in *after* seconds at the earliest; its conversation waits."""

    @abstractmethod
    async def give_up(self, item: Item, reason: str) -> None:
        """Set *item* aside; its conversation goes on with the next entry."""

    @abstractmethod
    async def put_given_up(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        """Keep something that cannot be handled at all where a person can see it. False: seen before."""

    @abstractmethod
    async def given_up(self, limit: int = 100) -> Sequence[GivenUp]:
        """Return what was set aside, newest first."""

    @abstractmethod
    async def retry(self, key: str) -> bool:
        """Put an entry that was set aside back at the end of its conversation. False: there is none."""

    @abstractmethod
    async def depth(self) -> Depth: ...

    @abstractmethod
    async def wait(self, timeout: float) -> None:
        """
        Return when an entry may be claimable, at the latest after *timeout* seconds.

        A hint: it may return early, and other processes may be faster.
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


@dataclass(frozen=True)
class Sent:
    """A message that WhatsApp accepted, and what became of it."""

    message_id: str
    key: str  # of the outbox entry
    recipient_id: str
    response: str | None  # name of the Rasa response, where known
    status: str
    at: float
    reason: str | None = None  # why it failed


class Ledger(ABC):
    """What was sent, by WhatsApp's message id. Statuses may arrive before our own note of the id."""

    @abstractmethod
    async def note_sent(
        self, message_id: str, *, key: str, recipient_id: str, response: str | None = None
    ) -> None: ...

    @abstractmethod
    async def note_status(
        self, message_id: str, status: str, *, reason: str | None = None
    ) -> Sent | None:
        """
        Keep *status* if it is news, and return the message then; None when it is not.

        For an id not (yet) noted as sent, the status is kept and joined later.
        """

    @abstractmethod
    async def get(self, message_id: str) -> Sent | None: ...

    @abstractmethod
    async def by_key(self, key: str) -> Sent | None:
        """Return what became of the outbox entry *key*."""


class Values(ABC):
    """Small values under a key, each with an end."""

    @abstractmethod
    async def get(self, key: str) -> Any | None: ...

    @abstractmethod
    async def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep *value* (anything JSON can hold) for *ttl* seconds."""

    @abstractmethod
    async def add(self, key: str, value: Any, ttl: float) -> bool:
        """Keep *value* unless the key is taken. False: it is."""

    @abstractmethod
    async def delete(self, key: str) -> None: ...


class Store(ABC):
    """Opened once per process. Everything raises `StoreError` when the store cannot do its work."""

    inbox: Queue
    outbox: Queue
    ledger: Ledger
    values: Values

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def ping(self) -> None:
        """Raise `StoreError` unless the store can be written."""
