"""
Outbox → WhatsApp: one recipient at a time, in order.

What may keep a message back, in this order: an earlier try that may have got through, the 24-hour
window, a pause of the number, the pair limit, the number's rate; then, after a file, the next
message waits until it was delivered.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel.common import ChannelError
from rasa_whatsapp_channel.conversation.identity import People, Person
from rasa_whatsapp_channel.conversation.message_notes import MessageNotes
from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.conversation.queue_keys import template_lane
from rasa_whatsapp_channel.conversation.window import Windows, is_closed, is_covered
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound import recovery
from rasa_whatsapp_channel.outbound.drop_media import drop_media, say_dropped
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.policy import SendPolicy, Throttle
from rasa_whatsapp_channel.outbound.simulator_header import (
    DEAD_LETTERS,
    response_header,
    write_changes,
    write_dead_letter,
)
from rasa_whatsapp_channel.outbound.statuses import ENDED, Statuses
from rasa_whatsapp_channel.store.base import (
    DONE,
    INFRASTRUCTURE,
    TIME,
    TOKEN,
    WINDOW,
    DeadLetter,
    Done,
    Outcome,
    QueueItem,
    Retry,
    SentMessage,
    Store,
    confirmation_of,
    status_of,
)
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    InvalidMessage,
    MediaError,
    PlatformError,
    SendError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.messages import Message, Outgoing, Template, find_media

logger = logging.getLogger(__name__)

T = TypeVar("T")

CROSSING: Final = 30.0  # seconds that a request may take
AGAIN: Final = 5.0
WRITE_PAUSE: Final = 1.0  # between two tries to note that a message was sent
# What one number does at the same time, so that files that are slow to come hold up no text.
PREPARATIONS: Final = 50
REQUESTS: Final = 200
NOT_CONFIRMED: Final = (
    "it was sent {} times and WhatsApp never answered, so whether it arrived is not known; "
    "it is not sent again by itself ({})"
)


class Sender:
    """*reengagement* is the body of the template for closed windows, None when there is none."""

    def __init__(
        self,
        client: Client,
        uploads: MediaUploads,
        store: Store,
        statuses: Statuses,
        failures: Failures,
        *,
        account: str,
        people: People | None = None,
        policy: SendPolicy | None = None,
        metrics: Metrics | None = None,
        reengagement: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._store = store
        self._notes = MessageNotes(store.values)
        self._payloads = Payloads(store.values)
        self._windows = Windows(store.values)
        self._statuses = statuses
        self._failures = failures
        self._people = people or People(store.values, clock=clock)
        self._policy = policy or SendPolicy()
        rate = self._policy.max_per_second
        self._rate = Limit(f"rate:{account}", rate, max(rate, 1.0))
        self._metrics = metrics or Metrics()
        self._reengagement = reengagement
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._throttle = Throttle(clock=monotonic)
        self._preparations = asyncio.Semaphore(PREPARATIONS)
        self._requests = asyncio.Semaphore(REQUESTS)

    @property
    def paused(self) -> str | None:
        """Return what the number waits for before it sends anything; None while it sends."""
        return None if self._throttle.is_open else self._throttle.cause

    async def handle(self, item: QueueItem) -> Outcome:
        try:
            entry = OutboxMessage.from_body(item.body)
        except InvalidMessage as error:
            return DeadLetter(str(error))
        item = replace(item, key=entry.key_of(item.key))
        try:
            message = entry.outgoing.message
        except InvalidMessage as error:
            outcome = await self._dead_letter(item, entry, str(error))
        else:
            outcome = await self._handle(item, entry, message)
        return await self._go_on(item, entry, outcome) if entry.following else outcome

    async def _handle(self, item: QueueItem, entry: OutboxMessage, message: Message) -> Outcome:
        if item.attempts > 1 and (end := await self._earlier_try(item, entry, message)):
            return end
        if (left := entry.not_before - self._clock()) > 0:
            return Retry(left, counted=False)
        if entry.without_file:
            return await self._drop_file(item, entry, message)
        person = await self._people.of(entry.recipient_id)
        if not isinstance(message, Template) and await self._is_window_closed(entry, person):
            return await self._outside_window(item, entry, person)
        if wait := self._throttle.admit():
            return Retry(wait, cause=self._throttle.cause or TIME, counted=False)
        try:
            if self._throttle.cause == INFRASTRUCTURE and not await self._answers():
                return Retry(self._throttle.left, cause=INFRASTRUCTURE, counted=False)
            if wait := await self._pass_limits(item, entry, person):
                self._throttle.not_sent()
                return Retry(wait, counted=False)
            return await self._send(item, entry, message, person)
        except BaseException:
            self._throttle.not_sent()
            raise

    async def _answers(self) -> bool:
        """Ask whether WhatsApp answers again: a message would be lost to one that does not."""
        try:
            await self._client.ping()
        except SendError as error:
            logger.debug("whatsapp.still_no_answer: %s", error)
            self._throttle.pause(0.0, INFRASTRUCTURE)
            return False
        # It may answer this and no message: only when one got through, the others go as well.
        return True

    def _follow_answer(self) -> None:
        if self._throttle.answered():
            logger.info("whatsapp.sending_resumed: WhatsApp answers this number again")

    async def _go_on(self, item: QueueItem, entry: OutboxMessage, outcome: Outcome) -> Outcome:
        """Let the next part follow, in the same place of the conversation, so nothing overtakes."""
        if isinstance(outcome, Retry):
            return outcome
        following = entry.next(item.crashes).body()
        if isinstance(outcome, Done):
            return Retry(
                outcome.hold, outcome.cause, counted=False, body=following, then=outcome.then
            )
        body = entry.alone().body()
        await self._store.outbox.put_dead_letter(item.key, item.conversation, body, outcome.reason)
        self._metrics.dead_letter("outbox")
        logger.error("whatsapp.dead_letter: %s of the outbox: %s", item.key, outcome.reason)
        return Retry(0.0, counted=False, body=following)

    async def _earlier_try(
        self, item: QueueItem, entry: OutboxMessage, message: Message
    ) -> Outcome | None:
        """Return what follows where an earlier try got through, or may have got through."""
        if sent := await self._store.ledger.by_key(item.key):
            # Noted, but the process died, or the store broke, before the entry was ended.
            return await self._after_sending(item, sent, message)
        message_id = await self._notes.confirmation(item.key)
        if message_id is not None:
            logger.info(
                "whatsapp.confirmed: %s was taken, as its status says", entry.called(item.key)
            )
            return await self._note(item, entry, message, Accepted(message_id))
        if entry.unconfirmed >= recovery.SENT_AT_MOST:
            reason = NOT_CONFIRMED.format(entry.unconfirmed, item.last_error)
            return await self._dead_letter(item, entry, reason)
        if item.crashes > entry.crashes and self._client.api.callback_data:
            # The process may have died after the request had gone out.
            waited = replace(entry, crashes=item.crashes)
            return await self._confirm(item, waited, recovery.BROKEN, error=None, counted=False)
        return None

    async def _confirm(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        wait: float,
        *,
        error: str | None,
        counted: bool = True,
    ) -> Outcome:
        """Let a status tell whether WhatsApp took the message, which ends the wait."""
        await self._notes.expect_confirmation(item.key, item.conversation, wait)
        cause = confirmation_of(item.key)
        return Retry(
            wait,
            cause=cause,
            counted=counted,
            body=entry.body(),
            error=error,
            then=partial(self._look_for_confirmation, item),
        )

    async def _look_for_confirmation(self, item: QueueItem) -> None:
        """End the wait if the status came while the entry was still claimed."""
        if await self._notes.confirmation(item.key) is not None:
            await self._store.outbox.end_wait(item.conversation, confirmation_of(item.key))

    async def _is_window_closed(self, entry: OutboxMessage, person: Person) -> bool:
        return is_closed(await self._wrote_at(entry, person), self._clock())

    async def _wrote_at(self, entry: OutboxMessage, person: Person) -> float | None:
        return await self._windows.last_wrote(person.conversations(entry.recipient_id))

    async def _outside_window(
        self, item: QueueItem, entry: OutboxMessage, person: Person
    ) -> Outcome:
        left = item.put_at + self._policy.wait_for_window - self._clock()
        if left <= 0:
            reason = "the 24-hour window is closed, and the person did not write again"
            return await self._dead_letter(item, entry, reason, code=131047)
        if entry.template is not None:
            await self._put_template(item, entry, entry.template)
        elif self._reengagement is not None:
            await self._reengage(item, entry, self._reengagement, person)
        else:
            logger.warning(
                "whatsapp.window_closed: %s waits for the person to write; no template is set",
                entry.called(item.key),
            )
        return Retry(left, cause=WINDOW, counted=False, then=partial(self._look_at_window, entry))

    async def _look_at_window(self, entry: OutboxMessage) -> None:
        """End the wait if the person wrote while the entry was still claimed."""
        person = await self._people.of(entry.recipient_id)
        if not await self._is_window_closed(entry, person):
            await self._store.outbox.end_wait(entry.recipient_id, WINDOW)

    async def _reengage(
        self, item: QueueItem, entry: OutboxMessage, template: Mapping[str, Any], person: Person
    ) -> None:
        """Put *template* out unless *item* was put while another waited for the answer to it."""
        name = person.conversations(entry.recipient_id)[0]
        last = await self._windows.last_template(name)
        wrote_at = await self._wrote_at(entry, person)
        keep = self._policy.wait_for_window
        if is_covered(last, wrote_at=wrote_at, put_at=item.put_at, keep=keep):
            return
        await self._put_template(item, entry, template)
        await self._windows.note_template(name, self._clock(), life=2 * keep)

    async def _put_template(
        self, item: QueueItem, entry: OutboxMessage, template: Mapping[str, Any]
    ) -> None:
        """Put *template* out in a lane of its own; its key lets it go only once."""
        stand_in = OutboxMessage(entry.recipient_id, template, entry.response)
        key = entry.template_key or f"{item.key}:template"
        await self._store.outbox.put(key, template_lane(entry.recipient_id), stand_in.body())

    async def _pass_limits(self, item: QueueItem, entry: OutboxMessage, person: Person) -> float:
        """Wait for the number's rate; return how long the person has to wait for theirs, or 0.0."""
        limits = [self._rate]
        if self._client.api.pair_limit:
            key = f"pair:{person.conversations(entry.recipient_id)[0]}"
            limits.append(Limit(key, 1 / self._policy.pair_interval, self._policy.pair_burst))
        while any(waits := await self._store.values.take(*limits)):
            if any(waits[1:]):
                logger.info(
                    "whatsapp.pair_limit: %s waits %.0f s: after %.0f messages in a row "
                    "one person gets one in %.0f s",
                    entry.called(item.key),
                    waits[1],
                    self._policy.pair_burst,
                    self._policy.pair_interval,
                )
                return waits[1]
            await self._sleep(waits[0])
        return 0.0

    async def _send(
        self, item: QueueItem, entry: OutboxMessage, message: Message, person: Person
    ) -> Outcome:
        try:
            ready = await self._prepare(entry, message)
        except InvalidMessage as error:
            self._throttle.not_sent()
            return await self._dead_letter(item, entry, str(error))
        except (MediaError, SendError) as error:
            return await self._after_failure(item, entry, error, in_upload=True)
        made = () if ready is message else recovery.find_made(entry, ready)
        if entry.ids or made or entry.file_failures:
            entry = replace(entry, ids=made, file_failures=0, file_failing_since=0.0)
        try:
            async with self._requests:
                accepted = await self._request(item, entry, ready, person)
        except InvalidMessage as error:
            self._throttle.not_sent()
            return await self._dead_letter(item, entry, str(error))
        except SendError as error:
            return await self._after_failure(item, entry, error, is_sent=True)
        self._follow_answer()
        return await self._note(item, entry, message, accepted)

    async def _prepare(self, entry: OutboxMessage, message: Message) -> Message:
        if not self._uploads.has_work(message, links=entry.by_upload):
            return message
        async with self._preparations:
            await self._forget_refused(entry)
            return await self._uploads.prepare(message, links=entry.by_upload)

    async def _request(
        self, item: QueueItem, entry: OutboxMessage, ready: Message, person: Person
    ) -> Accepted:
        conversation = person.conversations(entry.recipient_id)[0]
        await self._payloads.note_sent(conversation, ready)
        try:
            with self._metrics.send_timer():
                return await self._client.send(
                    person.address,
                    ready,
                    reply_to=entry.outgoing.reply_to,
                    callback_data=item.key,
                    local_headers=self._local_headers(entry),
                )
        except asyncio.CancelledError as error:
            # Whoever stops the bot does not stop WhatsApp: it may have the message all the same.
            raise TransportError("it was broken off before WhatsApp answered") from error

    def _local_headers(self, entry: OutboxMessage) -> Mapping[str, str]:
        """Return what a simulator is told beside the message."""
        if not self._client.is_local:
            return {}
        return response_header(entry.response, entry.changes)

    async def _note(
        self, item: QueueItem, entry: OutboxMessage, message: Message, accepted: Accepted
    ) -> Outcome:
        """
        Note that WhatsApp took the message, and whose it is.

        What it was is kept in case it fails later.
        """
        self._metrics.sent(message.type)
        note = partial(
            self._store.ledger.note_sent,
            accepted.message_id,
            key=item.key,
            recipient_id=entry.recipient_id,
            response=entry.response,
            body=entry.alone().body(),
        )
        message_id = accepted.message_id
        try:
            sent = await self._insist(note)
        except asyncio.CancelledError:
            # The bot ends before the store could be written: what goes on finds it like a status.
            return Retry(
                recovery.BROKEN,
                cause=confirmation_of(item.key),
                counted=False,
                then=partial(self._notes.confirm, item.key, message_id),
            )
        logger.debug("whatsapp.sent: %s is %s", item.key, message_id)
        names = (accepted.user_id, accepted.wa_id)
        await self._insist(partial(self._people.tie, entry.recipient_id, *names))
        return await self._after_sending(item, sent, message)

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write until the store takes it: until then nobody but us knows that WhatsApp has it."""
        while True:
            try:
                return await write()
            except StoreError as error:
                logger.error("whatsapp.sent_not_noted: the store is tried again: %s", error)
                await self._sleep(WRITE_PAUSE)

    async def _after_sending(self, item: QueueItem, sent: SentMessage, message: Message) -> Outcome:
        if sent.status == "failed":  # the status was faster than our note
            await self._statuses.failed(sent)
        if sent.status in ENDED or not self._waits(message):
            return DONE
        if item.conversation != sent.recipient_id:
            return DONE  # a template, which nothing comes after
        return Done(
            hold=self._policy.delivered_timeout,
            cause=status_of(sent.message_id),
            then=partial(self._statuses.let_go, sent.message_id),
        )

    def _waits(self, message: Message) -> bool:
        """Text overtakes files: they are loaded and checked first on their way."""
        what = self._policy.wait_for_delivered
        return what == "all" or (what == "media" and any(find_media(message)))

    async def _drop_file(self, item: QueueItem, entry: OutboxMessage, message: Message) -> Outcome:
        """Put what is left without the file in the place of the message, and say what is lost."""
        why = entry.without_file or {}
        source, reason = why.get("source"), str(why.get("reason"))
        files = frozenset(find_media(message))
        lost = {file for file in files if source is None or source in (file.path, file.link)}
        shown = [file for file in lost if await self._uploads.may_be_shown(file)]
        known = () if source is None else lost
        messages = drop_media(message, lost=known, shown=shown)
        changes = say_dropped(message, messages, reason=reason, lost=known, shown=shown)
        for change in changes:
            self._metrics.changed(change.code)
        if not messages:
            return await self._dead_letter(item, entry, changes[0].text, code=why.get("code", 0))
        for change in changes:
            said = replace(change, response=entry.called(item.key))
            # Not an error as where composing loses a part: the fault is not in the response.
            logger.warning("whatsapp.changed: %s", said)
        told = write_changes(changes) if self._client.is_local else ()
        first, *others = messages
        reply_to = entry.outgoing.reply_to
        left = replace(
            entry,
            message=Outgoing(first, reply_to).body(),
            following=(*(other.body() for other in others), *entry.following),
            part=entry.part or int(bool(others)),
            changes=(*entry.changes, *told),
            without_file=None,
            renewed=0,
        )
        return Retry(0.0, counted=False, body=left.body(), error=reason)

    async def _forget_refused(self, entry: OutboxMessage) -> None:
        """Forget the ids that WhatsApp said to be none, so that their files are uploaded again."""
        for media_id in entry.ids if entry.renewed else ():
            await self._uploads.forget(media_id)

    async def _after_failure(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        error: SendError | MediaError,
        *,
        is_sent: bool = False,
        in_upload: bool = False,
    ) -> Outcome:
        now = self._clock()
        if isinstance(error, MediaError):
            failed = entry.file_failed(now)
        else:
            self._metrics.api_error(error)
            failed = entry.failed(now)
        decision = recovery.recover(
            failed,
            error,
            now=now,
            is_sent=is_sent,
            in_upload=in_upload,
            jitter=self._jitter(),
        )
        self._follow(decision, error)
        if isinstance(decision, DeadLetter):
            said = error.error if isinstance(error, APIError) else PlatformError(0)
            return await self._dead_letter(
                item, entry, decision.reason, code=said.code, title=said.title
            )
        if isinstance(decision, recovery.WaitForWindow):
            return await self._close_window(entry)
        if isinstance(decision, recovery.AnotherWay):
            self._tell(item, entry, error, decision.how, quiet=decision.quiet)
            return Retry(0.0, body=decision.entry.body(), error=str(error))
        if isinstance(decision, recovery.Confirm):
            what = f"may have been taken, as a status may tell in {decision.wait:g} s"
            self._tell(item, entry, error, what)
            return await self._confirm(item, decision.entry, decision.wait, error=str(error))
        self._metrics.retried("outbox")
        if isinstance(decision, recovery.RetryLater):
            self._tell(item, entry, error, f"is sent again in {decision.wait:.0f} s")
            return Retry(decision.wait, body=failed.body(), error=str(error))
        failed = entry if decision.cause == TOKEN else failed
        return Retry(
            max(decision.wait, self._throttle.left),
            cause=decision.cause,
            counted=decision.cause != TOKEN,
            body=failed.body(),
            error=str(error),
        )

    def _follow(self, decision: recovery.Decision, error: SendError | MediaError) -> None:
        """Pause the number where everybody's messages would fail like this one, or end a pause."""
        if isinstance(decision, recovery.PauseSending):
            if self._throttle.pause(decision.wait, decision.cause):
                self._say_paused(error)
        elif isinstance(error, MediaError):
            self._throttle.not_sent()
        elif isinstance(error, TransportError):
            if self._throttle.unanswered():
                self._say_paused(error)
            self._throttle.not_sent()
        else:
            self._follow_answer()

    def _say_paused(self, error: ChannelError) -> None:
        why = {
            TOKEN: "the token is not accepted; replace it",
            INFRASTRUCTURE: "WhatsApp does not answer",
        }.get(self._throttle.cause or "", "slowing down")
        logger.error("whatsapp.sending_paused: %s (%s)", why, error)

    def _tell(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        error: ChannelError,
        what: str,
        *,
        quiet: bool = False,
    ) -> None:
        logger.log(
            logging.INFO if quiet else logging.WARNING,
            "whatsapp.not_sent: %s %s: %s",
            entry.called(item.key),
            what,
            error,
        )

    async def _close_window(self, entry: OutboxMessage) -> Outcome:
        """Let the message wait for the person, unless both wrote at the same time."""
        person = await self._people.of(entry.recipient_id)
        wrote_at = await self._wrote_at(entry, person)
        if wrote_at is not None and self._clock() - wrote_at < CROSSING:
            return Retry(AGAIN, counted=False)  # what is open by now may not be noted as closed
        await self._windows.note_closed(person.conversations(entry.recipient_id))
        return Retry(0.0, counted=False)

    async def _dead_letter(
        self, item: QueueItem, entry: OutboxMessage, reason: str, *, code: int = 0, title: str = ""
    ) -> Outcome:
        await self._failures.tell(item.key, entry, code=code, reason=reason, title=title)
        told = write_dead_letter(entry, code=code, reason=reason)
        await self._client.post_local(DEAD_LETTERS, told)
        return DeadLetter(f"{entry.called(item.key)}: {reason}")
