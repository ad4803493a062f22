"""Window gate: keeps messages while the 24-hour window is closed, or sends them another way."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.compose.changes import Change, make_change
from rasa_whatsapp_channel.compose.closed_window import Outside, Way, choose, takes_text
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.conversation.window import Windows, is_closed, is_covered
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.message import OutboxMessage, SendRemedy, log_change
from rasa_whatsapp_channel.outbound.simulator_header import write_changes
from rasa_whatsapp_channel.store.base import (
    DONE,
    WINDOW,
    DeadLetter,
    Done,
    Queue,
    QueueItem,
    Retry,
    Store,
)
from rasa_whatsapp_channel.whatsapp.identity import split_number

CROSSING: Final = 30.0  # seconds that a request may take
AGAIN: Final = 5.0  # seconds until another attempt, where WhatsApp says other than we know
WINDOW_CLOSED: Final = 131047  # WhatsApp's code for a message outside of the window
TOO_LATE: Final = "the 24-hour window is closed, and the person did not write again"
WAITS: Final = ":waits"  # in a key: a message that waits after all, in its conversation
_REFUSED: Final = {
    SendRemedy.AS_SERVICE.value: Way.DIRECT_SEND,
    SendRemedy.WITHOUT_TEMPLATE.value: Way.TEXT,
}


class WaysOut:
    """
    Chooses as what messages go while the window is closed, and tells about it.

    *reengagement* is the body of a template for responses that bring none of their own, or that
    carries their text. With *notes* a simulator is told, too. `of` raises `StoreError`.
    """

    def __init__(
        self,
        account: AccountState | None = None,
        *,
        reengagement: Mapping[str, Any] | None = None,
        metrics: Metrics | None = None,
        notes: bool = False,
    ) -> None:
        self._account = account
        self.reengagement = reengagement
        self._metrics = metrics or Metrics()
        self._notes = notes

    @property
    def carries_text(self) -> bool:
        return self.reengagement is not None and takes_text(self.reengagement)

    async def of(self, entry: OutboxMessage, refused: Collection[Way] = ()) -> Outside:
        refused = {*refused, *(_REFUSED[each] for each in entry.remedies if each in _REFUSED)}
        if entry.direct is not None:
            # A user id is accepted there, and the message never delivered.
            is_phone = split_number(entry.recipient_id)[0].isdecimal()
            account = self._account
            if not (is_phone and (account is None or await account.may_direct_send())):
                refused.add(Way.DIRECT_SEND)
        return choose(
            entry.instead_of or entry.message,
            direct=entry.direct,
            template=entry.template,
            is_own=entry.is_own,
            reengagement=self.reengagement,
            refused=refused,
        )

    def replacement(self, entry: OutboxMessage, key: str, outside: Outside) -> OutboxMessage:
        """Return what goes instead of *entry*, and tell about it."""
        self.tell(entry, key, outside)
        changes = (*entry.changes, *self._noted(entry, key, outside))
        return replace(entry.replaced_by_way(outside), changes=changes)

    async def put(self, outbox: Queue, entry: OutboxMessage, key: str, outside: Outside) -> None:
        """Put the template that goes while *entry* waits apart; its key lets it be sent once."""
        assert outside.body is not None
        stand_in = OutboxMessage(
            entry.recipient_id,
            outside.body,
            entry.response,
            changes=self._noted(entry, key, outside),
            instead_of=entry.instead_of or entry.message,
            stands_in=True,
            turn_version=entry.turn_version,
        )
        conversation = template_conversation(entry.recipient_id)
        if await outbox.put(entry.template_key or f"{key}:template", conversation, stand_in.body()):
            self.tell(entry, key, outside)

    def tell(self, entry: OutboxMessage, key: str, outside: Outside) -> None:
        log_change(_change(entry, key, outside), self._metrics)

    def _noted(
        self, entry: OutboxMessage, key: str, outside: Outside
    ) -> Sequence[Mapping[str, str]]:
        return write_changes([_change(entry, key, outside)]) if self._notes else ()


def _change(entry: OutboxMessage, key: str, outside: Outside) -> Change:
    rest = "" if outside.replaces else "; the message follows when the person writes"
    values = {"template": outside.subject, "rest": rest}
    return make_change(outside.way.value, entry.called(key), values)


class WindowGate:
    """
    Messages are kept for *keep* seconds, unless one of *ways* leads to the person.

    All methods raise `StoreError`.
    """

    def __init__(
        self,
        store: Store,
        people: People,
        *,
        keep: float,
        ways: WaysOut,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._windows = Windows(store.values)
        self._people = people
        self._keep = keep
        self.ways = ways
        self._clock = clock

    async def hold(
        self, item: QueueItem, entry: OutboxMessage, person: Person
    ) -> Retry | Done | DeadLetter | None:
        """Return what happens to *entry* while the window is closed; None if it may be sent."""
        if not entry.needs_window or not await self.is_closed(entry, person):
            return None
        left = item.put_at + self._keep - self._clock()
        if left <= 0:
            return DeadLetter(TOO_LATE)
        outside = await self.ways.of(entry)
        if outside.replaces:
            body = self.ways.replacement(entry, item.key, outside).body()
            return Retry(0.0, counted=False, body=body)
        if item.conversation == template_conversation(entry.recipient_id):
            # Nothing may wait there: it holds up templates.
            await self._store.outbox.put(f"{item.key}{WAITS}", entry.recipient_id, entry.body())
            return DONE
        if outside.body is None:
            self.ways.tell(entry, item.key, outside)
        else:
            await self.send(item, entry, person, outside)
        return Retry(left, cause=WINDOW, counted=False, then=partial(self._recheck, entry))

    async def close(self, entry: OutboxMessage) -> Retry:
        """Note that WhatsApp says the window is closed; both may have written at the same time."""
        person = await self._people.of(entry.recipient_id)
        names = person.conversations(entry.recipient_id)
        closed = await self._windows.close(names, since=self._clock() - CROSSING)
        return Retry(0.0 if closed else AGAIN, counted=False)

    async def is_closed(
        self, entry: OutboxMessage, person: Person, *, since: float = math.inf
    ) -> bool:
        """Return whether the window is closed, and was not open for a while *since* then."""
        wrote_at = await self._windows.last_wrote(person.conversations(entry.recipient_id))
        return is_closed(wrote_at, self._clock()) and (wrote_at or 0.0) <= since

    async def _recheck(self, entry: OutboxMessage) -> None:
        """End the wait if the person wrote while the entry was still claimed."""
        person = await self._people.of(entry.recipient_id)
        if not await self.is_closed(entry, person):
            await self._store.outbox.end_wait(entry.recipient_id, WINDOW)

    async def send(
        self, item: QueueItem, entry: OutboxMessage, person: Person, outside: Outside
    ) -> None:
        """
        Put the template *outside* into the outbox, for *entry* that waits.

        A reengagement template stands for all that waits since, and goes once.
        """
        names = person.conversations(entry.recipient_id)
        if outside.way is Way.REENGAGEMENT:
            last = await self._windows.last_template(names[0])
            wrote_at = await self._windows.last_wrote(names)
            if is_covered(last, wrote_at=wrote_at, put_at=item.put_at, keep=self._keep):
                return
        await self.ways.put(self._store.outbox, entry, item.key, outside)
        if outside.way is Way.REENGAGEMENT:
            await self._windows.note_template(names[0], self._clock(), life=2 * self._keep)
