"""Sent record: notes what WhatsApp accepted, and finds out what an earlier attempt achieved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import MessageNotes
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.outbound import recovery
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import (
    DeadLetter,
    QueueItem,
    Retry,
    SentMessage,
    Store,
    StoreError,
    confirmation_cause,
)
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client

logger = logging.getLogger(__name__)

T = TypeVar("T")

WRITE_PAUSE: Final = 1.0  # seconds between two attempts to note that a message was sent
NOT_CONFIRMED: Final = (
    "WhatsApp did not confirm it, so whether it arrived is not known; "
    "it is not sent again by itself ({})"
)


class SentRecord:
    """
    Waits for confirmations: by the key of a message, which statuses of most APIs repeat, else by
    the person whom a status of an unknown message is for.
    """

    def __init__(
        self,
        store: Store,
        people: People,
        *,
        client: Client,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._notes = MessageNotes(store.values)
        self._people = people
        self._client = client
        self._sleep = sleep

    async def keep_trace(self, item: QueueItem) -> None:
        """Keep the trace that the statuses of the message belong to."""
        if (trace := instrumentation.trace_to_keep(item.body)) is None:
            return
        try:
            await self._notes.keep_trace(item.key, trace, DAY)
        except StoreError as error:  # the message is sent all the same
            logger.info("whatsapp.trace_not_kept: %s: %s", item.key, error)

    async def expect_status(self, item: QueueItem, person: Person) -> None:
        """Note which message is on its way, where its statuses do not say of which they are."""
        if not self._client.api.callback_data:
            await self._notes.expect_status(person.name, item.key)

    async def expect_no_status(self, item: QueueItem, entry: OutboxMessage) -> None:
        """Note that the message is not on its way: other software may write to the person."""
        if self._client.api.callback_data:
            return
        await self._notes.expect_no_status((await self._people.of(entry.recipient_id)).name)
        if not (entry.unconfirmed or item.crashes):  # so what came meanwhile was of another message
            await self._notes.deny(item.key)

    async def earlier_attempt(
        self, item: QueueItem, entry: OutboxMessage, *, listened: float
    ) -> SentMessage | Accepted | Retry | DeadLetter | None:
        """
        Return what an earlier attempt achieved, or what follows if that is not known.

        `SentMessage` was noted before, `Accepted` confirmed by a status; None: nothing was sent.
        *listened*: seconds for which this process has been taking statuses.
        """
        if sent := await self._store.ledger.by_key(item.key):
            # Noted, but the process died, or the store broke, before the item was done.
            return sent
        message_id = await self._notes.confirmation(item.key)
        if message_id is not None:
            logger.info(
                "whatsapp.confirmed: %s was taken, as its status says", entry.called(item.key)
            )
            return Accepted(message_id)
        if entry.unconfirmed or item.crashes:
            # Where a process died, it may have sent the request. Elsewhere the wait is over, maybe
            # while no process ran: what could not be told then is told again.
            is_new = item.crashes > entry.crashes
            left = self.patience(item, entry) - (0.0 if is_new else listened)
            if left > 0:
                waited = replace(entry, crashes=item.crashes)
                return await self.await_confirmation(item, waited, left, counted=False)
        if entry.unconfirmed >= recovery.SENT_AT_MOST:
            await self.expect_no_status(item, entry)
            return DeadLetter(NOT_CONFIRMED.format(item.last_error))
        return None

    def patience(
        self, item: QueueItem, entry: OutboxMessage, least: float = recovery.BROKEN
    ) -> float:
        """Return the seconds after which no status is expected any more, *least* in a chat."""
        is_chat = item.conversation == entry.recipient_id
        # Where statuses repeat no key, that of another message to the person would be taken for it.
        if is_chat or not self._client.api.callback_data:
            return least
        return max(least, recovery.OUTSIDE_WINDOW)

    async def await_confirmation(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        wait: float,
        *,
        error: str | None = None,
        counted: bool = True,
    ) -> Retry:
        """Wait for a status that says whether WhatsApp accepted the message."""
        await self._notes.expect_confirmation(item.key, item.conversation, wait)
        return Retry(
            wait,
            cause=confirmation_cause(item.key),
            counted=counted,
            body=entry.body(),
            error=error,
            then=partial(self._recheck, item),
        )

    async def _recheck(self, item: QueueItem) -> None:
        """End the wait if the status came while the item was still claimed."""
        if await self._notes.confirmation(item.key) is not None:
            await self._store.outbox.end_wait(item.conversation, confirmation_cause(item.key))

    async def record(
        self, item: QueueItem, entry: OutboxMessage, accepted: Accepted, person: Person | None
    ) -> SentMessage | Retry:
        """
        Note in the ledger what was sent to whom, in case it fails later.

        *person* is who it was sent to, None where an earlier attempt sent it.
        """
        body = entry.alone().body()
        body.pop("unconfirmed", None)  # if it fails later, nobody wonders if it was accepted
        note = partial(
            self._store.ledger.note_sent,
            accepted.message_id,
            key=item.key,
            recipient_id=entry.recipient_id,
            response=entry.response,
            body=body,
        )
        try:
            sent = await self._insist(note)
        except asyncio.CancelledError:
            # The bot stops before the store could be written: noted as if a status had said so.
            return Retry(
                recovery.BROKEN,
                cause=confirmation_cause(item.key),
                counted=False,
                then=partial(self._notes.confirm, item.key, accepted.message_id),
            )
        logger.debug("whatsapp.sent: %s is %s", item.key, accepted.message_id)
        names = (accepted.user_id, accepted.wa_id)
        tie = partial(self._people.tie, entry.recipient_id, *names, known_as=person)
        await self._insist(tie)
        return sent

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Repeat *write* until the store takes it: until then only we know of the message."""
        while True:
            try:
                return await write()
            except StoreError as error:
                logger.error("whatsapp.sent_not_noted: the store is tried again: %s", error)
                await self._sleep(WRITE_PAUSE)
