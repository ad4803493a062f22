"""Statuses: updates the ledger, ends waits, and recovers messages that failed after sending."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import (
    MessageNotes,
    item_key,
    template_conversation,
)
from rasa_whatsapp_channel.conversation.window import Windows
from rasa_whatsapp_channel.outbound import recovery
from rasa_whatsapp_channel.outbound.charges import Charges
from rasa_whatsapp_channel.outbound.drop_media import needs_file
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.outbound.marketing import Marketing, charged_category
from rasa_whatsapp_channel.outbound.message import OutboxMessage, SendRemedy
from rasa_whatsapp_channel.outbound.notified import Notified
from rasa_whatsapp_channel.store.base import (
    ARRIVED,
    DeadLetter,
    PlaceOf,
    SentMessage,
    Store,
    StoreError,
    confirmation_cause,
    is_news,
    status_cause,
)
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, ErrorCode, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, InvalidMessage, PlatformError
from rasa_whatsapp_channel.whatsapp.events import Status

logger = logging.getLogger(__name__)

# After one of these the next message may go; `delivered` itself is skipped when a chat is open.
ENDED: Final = ARRIVED | {"failed"}
# A status carries no HTTP status; a code that is in no table is not tried again.
NO_HTTP_STATUS: Final = 400
AFTER: Final = ":after-"  # in a key: the id of the message that failed
NO_REASON: Final = "no reason given"


class Statuses:
    """
    *codes* are the verdicts of the API by error code; *keyed*: its statuses repeat the key of the
    message.
    """

    def __init__(
        self,
        store: Store,
        failures: Failures,
        state: AccountState,
        *,
        people: People | None = None,
        marketing: Marketing | None = None,
        charges: Charges | None = None,
        limits: LimitGate | None = None,
        notified: Notified | None = None,
        codes: Mapping[int, ErrorCode] = CLOUD_CODES,
        keyed: bool = True,
        may_upload: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._notes = MessageNotes(store.values)
        self._windows = Windows(store.values)
        self._failures = failures
        self._people = people or People(store.values, clock=clock)
        self._state = state
        self._marketing = marketing
        self._charges = charges
        self._limits = limits
        self._notified = notified
        self._codes = codes
        self._keyed = keyed
        self._may_upload = may_upload
        self._clock = clock

    async def note(self, status: Status) -> None:
        """
        Keep *status*, and do what follows from it. Raises `StoreError`.

        That of a payment says nothing of the delivery, also where it is called ``failed``.
        """
        if status.is_payment:
            return
        trace = await self._trace_of(status) if instrumentation.is_on() else None
        with instrumentation.status_span(status.status, trace) as span:
            if status.errors:
                span.fail(str(status.errors[0].code or "_OTHER"))  # the conventions' word
            await self._note(status)

    async def _trace_of(self, status: Status) -> Any:
        """Return the trace of the message; None if it is not known."""
        try:
            key = status.callback_data
            if not key:
                sent = await self._store.ledger.get(status.message_id)
                key = sent.key if sent is not None else None
            return await self._notes.trace(key) if key else None
        except StoreError:
            return None  # raised again when the status is noted

    async def _note(self, status: Status) -> None:
        error = status.errors[0] if status.errors else PlatformError(0)
        reason = "; ".join(str(each) for each in status.errors) or None
        is_settled = await self._settle_failure(status, error, reason)
        charge = self._charges.of(status) if self._charges else None
        noted = await self._store.ledger.note_status(
            status.message_id, status.status, reason=reason, code=error.code, charge=charge
        )
        if self._charges and charge:
            await self._charges.note(status, charge, noted.charge)
        # One that is no news may be told again, as a process died before what follows was done.
        sent = noted.message or await self._store.ledger.get(status.message_id)
        if sent is None:
            await self._note_confirmation(status)
            return
        if self._failures.tell_desk and sent.status != "failed":
            await self._failures.tell_desk(sent.key, sent.status)
        await self._tie(sent.recipient_id, status)
        if self._notified is not None:
            await self._notified.note(sent.key, sent.status)
        category = charged_category(status)
        if self._marketing and category and (entry := _read_entry(sent)):
            await self._marketing.note_category(entry, category)
        if noted.message is not None and status.status == "failed" and not is_settled:
            await self.failed(sent)
        if sent.status in ENDED:
            await self._store.outbox.end_wait(sent.recipient_id, status_cause(sent.message_id))

    async def _settle_failure(
        self, status: Status, error: PlatformError, reason: str | None
    ) -> bool:
        """
        Handle a failure before it is noted; False: there is nothing to do yet.

        If that is interrupted, WhatsApp sends the status again, and it must still be new then.
        """
        if status.status != "failed":
            return False
        sent = await self._store.ledger.get(status.message_id)
        if sent is None or not is_news(status.status, sent.status):
            return False
        await self.failed(replace(sent, status="failed", reason=reason, code=error.code))
        return True

    async def _note_confirmation(self, status: Status) -> None:
        """
        Note that WhatsApp accepted an item of which no answer is noted (yet).

        Its process may have died before the answer, or the connection broke. The sender checks
        this before another attempt, and continues now if it waits for it.
        """
        key = status.callback_data if self._keyed else await self._key_of_unknown_message(status)
        if not key:
            return
        await self._notes.confirm(key, status.message_id)
        conversation = await self._notes.expecting(key)
        if conversation is not None:
            await self._tie(conversation, status)
            await self._store.outbox.end_wait(conversation, confirmation_cause(key))

    async def _key_of_unknown_message(self, status: Status) -> str | None:
        """
        Return the key of the item that *status* is of where it tells no key.

        Of one person's messages one at a time is on its way.
        """
        name = status.recipient_id or status.recipient_user_id
        if name is None:
            return None
        person = await self._people.of(name)
        return await self._notes.key_of_unknown(person.name, status.message_id)

    async def _tie(self, conversation: str, status: Status) -> None:
        """Note the names of the recipient in *status*."""
        await self._people.tie(
            conversation,
            status.recipient_user_id,
            status.recipient_id,
            status.recipient_parent_user_id,
        )

    async def recheck(self, message_id: str) -> None:
        """
        End the wait for *message_id* if its status came while the item was still claimed.

        `note` had nothing to end then: a wait begins when the item is done.
        """
        sent = await self._store.ledger.get(message_id)
        if sent is not None and sent.status in ENDED:
            await self._store.outbox.end_wait(sent.recipient_id, status_cause(message_id))

    async def failed(self, sent: SentMessage) -> None:
        """Send an undelivered message once more, or report its failure to the bot."""
        if self._limits is not None:
            await self._limits.uncount(sent.key)
        entry = _read_entry(sent)
        reason = sent.reason or NO_REASON
        if entry is None:
            await self._tell(sent, OutboxMessage(sent.recipient_id, {}, sent.response), reason)
            return
        error = _to_error(sent, self._codes)
        decision = recovery.recover(entry, error, now=self._clock(), may_upload=self._may_upload)
        if isinstance(decision, DeadLetter | recovery.AwaitConfirmation | recovery.SendOther):
            if isinstance(decision, DeadLetter) and _needs_file(entry):
                reason = decision.reason
            await self._tell(sent, entry, reason)
            return
        again = await self._next_attempt(sent, entry, error.error, decision)
        logger.log(
            logging.INFO if recovery.is_quiet(decision) else logging.WARNING,
            "whatsapp.not_delivered: %s %s: %s",
            entry.called(sent.key),
            str(decision),  # it holds the message, which is not to be in the log
            reason,
        )
        # Made of the first key: WhatsApp returns keys of up to 512 characters.
        key = f"{sent.key.partition(AFTER)[0]}{AFTER}{sent.message_id}"
        # A template must not wait for messages that wait for its answer.
        conversation = (
            template_conversation(sent.recipient_id) if again.is_template else sent.recipient_id
        )
        # What comes after it has waited for this status, so it goes where it was.
        place = PlaceOf(item_key(sent.key), status_cause(sent.message_id))
        await self._store.outbox.put(key, conversation, again.body(), place=place)

    async def _next_attempt(
        self,
        sent: SentMessage,
        entry: OutboxMessage,
        error: PlatformError,
        decision: recovery.NextAttempt,
    ) -> OutboxMessage:
        """
        Return what is put into the outbox.

        About a closed window and a refused template the sender decides as about every message.
        """
        match decision:
            case recovery.WaitForWindow():
                person = await self._people.of(sent.recipient_id)
                await self._windows.close(person.conversations(sent.recipient_id), since=sent.at)
                return replace(entry, ids=(), crashes=0)
            case recovery.TemplateRefused(event, failed):
                if failed.template_subject:
                    await self._state.note_template(failed.template_subject, event, error)
                return failed
            case recovery.ApplyRemedy(remedy, other):
                if remedy is SendRemedy.AS_SERVICE:
                    await self._state.note_direct_send(error)
                return other
            case recovery.RetryLater(wait, failed):
                return replace(failed, not_before=self._clock() + wait)

    async def _tell(self, sent: SentMessage, entry: OutboxMessage, reason: str) -> None:
        await self._failures.tell(
            sent.key,
            entry,
            code=sent.code,
            reason=reason,
            title=_title_of(sent),
        )


def _read_entry(sent: SentMessage) -> OutboxMessage | None:
    """Return the message as it was sent; None if it is not known, or of another version."""
    if not sent.body:
        return None
    try:
        return OutboxMessage.from_body(sent.body)
    except InvalidMessage:
        return None


def _title_of(sent: SentMessage) -> str:
    """Return the title in the reason that `note` wrote: code and title, a colon, details."""
    words = (sent.reason or "").removeprefix(f"{sent.code} ")
    return words.partition(": ")[0].partition("; ")[0]


def _needs_file(entry: OutboxMessage) -> bool:
    return entry.is_template and needs_file(entry.outgoing.message)


def _to_error(sent: SentMessage, codes: Mapping[int, ErrorCode]) -> APIError:
    verdict = decide_verdict(codes, code=sent.code, status=NO_HTTP_STATUS)
    title = (sent.reason or "").removeprefix(f"{sent.code} ")
    return APIError(PlatformError(sent.code, title), status=NO_HTTP_STATUS, verdict=verdict)
