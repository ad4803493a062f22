"""Failed attempts: does what `recovery` decides after a message could not be sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound import recovery
from rasa_whatsapp_channel.outbound.account_gate import AccountGate
from rasa_whatsapp_channel.outbound.message import OutboxMessage, SendRemedy
from rasa_whatsapp_channel.outbound.sent_record import SentRecord
from rasa_whatsapp_channel.outbound.throttle import Throttle
from rasa_whatsapp_channel.outbound.unsent import Unsent
from rasa_whatsapp_channel.outbound.window import AGAIN, WindowGate
from rasa_whatsapp_channel.store.base import (
    TOKEN,
    Clock,
    DeadLetter,
    Done,
    Outcome,
    QueueItem,
    Retry,
)
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    SendError,
    TransportError,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FailedAttempts:
    """
    All parts are of one number. *may_upload*: files may be uploaded.

    Every method raises `StoreError`.
    """

    client: Client
    people: People
    state: AccountState
    window: WindowGate
    account: AccountGate
    record: SentRecord
    unsent: Unsent
    throttle: Throttle
    metrics: Metrics
    may_upload: bool
    clock: Clock
    jitter: Callable[[], float]

    async def follow(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        error: SendError | MediaError,
        *,
        is_sent: bool = False,
        in_upload: bool = False,
    ) -> Outcome:
        """Return what follows *error*; *is_sent* and *in_upload* as in `recovery.recover`."""
        # A file may break its upload, while WhatsApp answers everything else.
        answers = in_upload and isinstance(error, TransportError) and await is_there(self.client)
        if not isinstance(error, MediaError):
            self.metrics.api_error(error)
        decision = recovery.recover(
            entry,
            error,
            now=self.clock(),
            is_sent=is_sent,
            in_upload=in_upload,
            answers=answers,
            may_upload=self.may_upload,
            jitter=self.jitter(),
        )
        if answers:
            self.throttle.not_sent()
        else:
            self.throttle.follow(decision, error)
        if isinstance(decision, recovery.AwaitConfirmation):
            wait = self.record.patience(item, entry, decision.wait)
            self._log(item, entry, error, replace(decision, wait=wait))
            return await self.record.await_confirmation(
                item, decision.entry, wait, error=str(error)
            )
        if is_sent:
            await self.record.expect_no_status(item, entry)
        if isinstance(decision, recovery.SendOther):
            person = await self.people.of(entry.recipient_id)
            other = await self.account.after_refusal(item, entry, person, decision.reason)
            if isinstance(other, Done):
                await self.unsent.uncount(item, entry)
                return other
            decision = other
        if isinstance(decision, DeadLetter):
            said = _said(error)
            return await self.unsent.dead_letter(
                item, entry, decision.reason, code=said.code, title=said.title
            )
        await self.unsent.uncount(item, entry)
        return await self._next_attempt(item, entry, error, decision)

    async def _next_attempt(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        error: SendError | MediaError,
        decision: recovery.NextAttempt,
    ) -> Outcome:
        """Return when *entry* is sent again, and as what."""
        reason = str(error)
        match decision:
            case recovery.WaitForWindow():
                return await self.window.close(entry)
            case recovery.TemplateRefused(event, failed):
                return await self._after_refusal(item, failed, error, event)
            case recovery.PauseSending(wait, failed, cause):
                self.metrics.retried("outbox")
                is_token = cause == TOKEN  # then the message is not at fault
                body = (entry if is_token else failed).body()
                wait = max(wait, self.throttle.left)
                return Retry(wait, cause=cause, counted=not is_token, body=body, error=reason)
            case recovery.RetryLater(wait):
                self.metrics.retried("outbox")
            case recovery.ApplyRemedy(remedy):
                wait = 0.0
                if remedy is SendRemedy.AS_SERVICE:
                    await self.state.note_direct_send(_said(error))
        self._log(item, entry, error, decision)
        return Retry(wait, body=decision.entry.body(), error=reason)

    async def _after_refusal(
        self, item: QueueItem, entry: OutboxMessage, error: SendError | MediaError, event: str
    ) -> Outcome:
        """Note that the template has *event*, and decide as about later messages with it."""
        if isinstance(error, APIError) and entry.template_subject:
            await self.state.note_template(entry.template_subject, event, error.error)
        person = await self.people.of(entry.recipient_id)
        held = await self.account.hold(item, entry, person)
        return held or Retry(AGAIN, body=entry.body(), error=str(error))

    def _log(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        error: SendError | MediaError,
        decision: recovery.Decision,
    ) -> None:
        logger.log(
            logging.INFO if recovery.is_quiet(decision) else logging.WARNING,
            "whatsapp.not_sent: %s %s: %s",
            entry.called(item.key),
            str(decision),  # it holds the message, which is not to be in the log
            error,
        )


async def is_there(client: Client) -> bool:
    """Return whether WhatsApp answers a request that sends nothing."""
    try:
        await client.ping()
    except SendError as error:
        logger.debug("whatsapp.still_no_answer: %s", error)
        return False
    return True


def _said(error: SendError | MediaError) -> PlatformError:
    """Return what WhatsApp said; code 0 where it said nothing."""
    return error.error if isinstance(error, APIError) else PlatformError(0)
