"""
Sender: sends the messages of the outbox, one recipient at a time, in order.

A message is held back by, in this order: an earlier attempt that may have succeeded, a person who
took over, an opt-out from marketing, the 24-hour window, the state of the account, the messaging
limit, a pause of the number, the limits of `billing`, the pair limit, the rate of the number.
After a file the next message waits until the file was delivered.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.handoffs import DESK
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound import recovery
from rasa_whatsapp_channel.outbound.account_gate import AccountGate
from rasa_whatsapp_channel.outbound.drop_media import drop_media
from rasa_whatsapp_channel.outbound.failed_attempts import FailedAttempts, is_there
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.outbound.marketing import Marketing
from rasa_whatsapp_channel.outbound.message import OutboxMessage, SendRemedy
from rasa_whatsapp_channel.outbound.notified import Notified
from rasa_whatsapp_channel.outbound.owner_gate import OwnerGate
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.sent_record import SentRecord
from rasa_whatsapp_channel.outbound.simulator_header import (
    response_header,
    write_changes,
)
from rasa_whatsapp_channel.outbound.statuses import ENDED, Statuses
from rasa_whatsapp_channel.outbound.throttle import Throttle
from rasa_whatsapp_channel.outbound.tier_gate import TierGate
from rasa_whatsapp_channel.outbound.unsent import Unsent
from rasa_whatsapp_channel.outbound.window import WINDOW_CLOSED, WaysOut, WindowGate
from rasa_whatsapp_channel.store.base import (
    DONE,
    INFRASTRUCTURE,
    TIME,
    DeadLetter,
    Done,
    Outcome,
    QueueItem,
    Retry,
    SentMessage,
    Store,
    status_cause,
)
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client
from rasa_whatsapp_channel.whatsapp.errors import (
    InvalidMessage,
    MediaError,
    SendError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.identity import as_dialled
from rasa_whatsapp_channel.whatsapp.messages import Message, find_media

logger = logging.getLogger(__name__)

# Concurrent work of one number. Preparations are apart, so that slow files hold up no text, and
# those of links apart from the others: a file server may be slow, and WhatsApp fast.
PREPARATIONS: Final = 50
REQUESTS: Final = 200
NOT_SAID: Final = Done()  # the whole item is over, with all its parts


class Sender:
    """Handles the items of one number. *ways* lead out of a closed window."""

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
        state: AccountState | None = None,
        marketing: Marketing | None = None,
        limits: LimitGate | None = None,
        tier: TierGate | None = None,
        owner_gate: OwnerGate | None = None,
        notified: Notified | None = None,
        policy: SendPolicy | None = None,
        metrics: Metrics | None = None,
        ways: WaysOut | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._store = store
        self._payloads = Payloads(store.values)
        self._statuses = statuses
        self._people = people or People(store.values, clock=clock)
        self._marketing = marketing
        self._limits = limits
        self._tier = tier
        self._owner_gate = owner_gate or OwnerGate(None, clock=clock)
        self._policy = policy or SendPolicy()
        state = state or AccountState(store.values, clock=clock)
        self._metrics = metrics or Metrics()
        self._unsent = Unsent(client, failures, limits, self._metrics)
        self._window = WindowGate(
            store,
            self._people,
            keep=self._policy.wait_for_window,
            ways=ways or WaysOut(state, metrics=self._metrics),
            clock=clock,
        )
        self._account = AccountGate(
            store,
            state,
            self._window,
            self._unsent,
            keep=self._policy.wait_for_window,
            clock=clock,
        )
        self._record = SentRecord(store, self._people, client=client, sleep=sleep)
        self._notified = notified
        rate = self._policy.max_per_second
        self._rate = Limit(f"rate:{account}", rate, max(rate, 1.0))
        self._clock = clock
        self._monotonic = monotonic
        self._working_since = monotonic()
        self._sleep = sleep
        self._jitter = jitter
        self._throttle = Throttle(clock=monotonic)
        self._failed_attempts = FailedAttempts(
            client=client,
            people=self._people,
            state=state,
            window=self._window,
            account=self._account,
            record=self._record,
            unsent=self._unsent,
            throttle=self._throttle,
            metrics=self._metrics,
            may_upload=uploads.may_upload,
            clock=clock,
            jitter=jitter,
        )
        self._preparations = asyncio.Semaphore(PREPARATIONS)
        self._fetches = asyncio.Semaphore(PREPARATIONS)
        self._requests = asyncio.Semaphore(REQUESTS)

    @property
    def paused(self) -> str | None:
        """Return what the number waits for before it sends anything; None while it sends."""
        return None if self._throttle.is_open else self._throttle.cause

    async def handle(self, item: QueueItem) -> Outcome:
        await self._record.keep_trace(item)
        try:
            entry = OutboxMessage.from_body(item.body)
        except InvalidMessage as error:
            return DeadLetter(str(error))
        if entry.part:
            item = replace(item, key=entry.key_of(item.key))
        try:
            message = entry.outgoing.message
        except InvalidMessage as error:
            outcome: Outcome = await self._unsent.dead_letter(item, entry, str(error))
        else:
            outcome = await self._handle(item, entry, message)
        if entry.following and outcome is not NOT_SAID:
            return await self._next_part(item, entry, outcome)
        return outcome

    async def _handle(self, item: QueueItem, entry: OutboxMessage, message: Message) -> Outcome:
        if item.attempts > 1 and (end := await self._earlier_attempt(item, entry, message)):
            return end
        person = await self._people.of(entry.recipient_id)
        if await self._is_withheld(item, entry, person):
            return NOT_SAID
        if (left := entry.not_before - self._clock()) > 0:
            return Retry(left, counted=False)
        if SendRemedy.DROP_FILE in entry.remedies:
            return await self._drop_file(item, entry, message)
        if self._marketing is not None and entry.is_template:
            reason = await self._marketing.why_withheld(entry, person)
            if reason:
                return await self._unsent.withhold(item, entry, reason)
        held = await self._window.hold(item, entry, person)
        if isinstance(held, DeadLetter):
            return await self._unsent.dead_letter(item, entry, held.reason, code=WINDOW_CLOSED)
        if held is not None:
            return NOT_SAID if isinstance(held, Done) else held
        if stopped := await self._account.hold(item, entry, person):
            return stopped
        if self._tier and (
            full := await self._tier.hold(item, entry, person, jitter=self._jitter())
        ):
            return full
        if wait := self._throttle.admit():
            return Retry(wait, cause=self._throttle.cause or TIME, counted=False)
        try:
            # A message without an answer may be doubled, so one goes only when WhatsApp is there.
            # That ends no pause: only a message that was answered does.
            if self._throttle.cause == INFRASTRUCTURE and not await is_there(self._client):
                self._throttle.pause(0.0, INFRASTRUCTURE)
                return Retry(self._throttle.left, cause=INFRASTRUCTURE, counted=False)
            # First, so that what is stopped waits for no rate, and uses none up.
            over = await self._limits.hold(item, entry, person) if self._limits else None
            if over is not None:
                self._throttle.not_sent()
                return await self._unsent.dead_letter(item, entry, over.reason)
            if wait := await self._pass_limits(item, entry, person):
                self._throttle.not_sent()
                return Retry(wait, counted=False)
            return await self._send(item, entry, message, person)
        except BaseException:
            self._throttle.not_sent()
            raise

    async def _is_withheld(self, item: QueueItem, entry: OutboxMessage, person: Person) -> bool:
        conversation = person.conversations(entry.recipient_id)[0]
        if not await self._owner_gate.withholds(item.key, entry, conversation):
            return False
        await self._unsent.uncount(item, entry)
        return True

    async def _earlier_attempt(
        self, item: QueueItem, entry: OutboxMessage, message: Message
    ) -> Outcome | None:
        """Return what follows if an earlier attempt succeeded, or may have succeeded."""
        listened = self._monotonic() - self._working_since
        found = await self._record.earlier_attempt(item, entry, listened=listened)
        if isinstance(found, SentMessage):
            return await self._after_sending(item, found, message)
        if isinstance(found, Accepted):
            return await self._accepted(item, entry, message, found)
        if isinstance(found, DeadLetter):
            return await self._unsent.dead_letter(item, entry, found.reason)
        return found

    async def _next_part(self, item: QueueItem, entry: OutboxMessage, outcome: Outcome) -> Outcome:
        """Replace a finished part by the next one, so that no other message overtakes."""
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
            return await self._unsent.dead_letter(item, entry, str(error))
        except (MediaError, SendError) as error:
            return await self._failed_attempts.follow(item, entry, error, in_upload=True)
        # Limits and files take their time, in which a status may have come.
        is_unsure = entry.unconfirmed or item.crashes
        if is_unsure and (end := await self._earlier_attempt(item, entry, message)):
            self._throttle.not_sent()
            return end
        if await self._is_withheld(item, entry, person):
            self._throttle.not_sent()
            return NOT_SAID
        ids = () if ready is message else recovery.uploaded_ids(entry, ready)
        if entry.ids or ids or entry.file_failures:
            entry = replace(entry, ids=ids, file_failures=0, file_failing_since=0.0)
        try:
            async with self._requests:
                accepted = await self._request(item, entry, ready, person)
        except InvalidMessage as error:
            self._throttle.not_sent()
            return await self._unsent.dead_letter(item, entry, str(error))
        except SendError as error:
            return await self._failed_attempts.follow(item, entry, error, is_sent=True)
        self._throttle.answered()
        return await self._accepted(item, entry, message, accepted, person)

    async def _prepare(self, entry: OutboxMessage, message: Message) -> Message:
        """Return *message* with the ids of its uploaded files."""
        links = SendRemedy.UPLOAD_LINK in entry.remedies
        if not self._uploads.has_work(message, links=links):
            return message
        fetches = recovery.has_links(message)
        async with self._fetches if fetches else self._preparations:
            if SendRemedy.UPLOAD_AGAIN in entry.remedies:
                for media_id in entry.ids:
                    await self._uploads.forget(media_id)
            return await self._uploads.prepare(message, links=links)

    async def _request(
        self, item: QueueItem, entry: OutboxMessage, ready: Message, person: Person
    ) -> Accepted:
        conversation = person.conversations(entry.recipient_id)[0]
        await self._payloads.note_sent(conversation, ready)
        await self._record.expect_status(item, person)
        address = person.address
        if SendRemedy.AS_DIALLED in entry.remedies and address.phone:
            address = replace(address, phone=as_dialled(address.phone) or address.phone)
        told = response_header(entry.response, entry.changes) if self._client.is_local else {}
        try:
            with (
                instrumentation.send_span(self._client.api.name, ready.type),
                self._metrics.send_timer(),
            ):
                return await self._client.send(
                    address,
                    ready,
                    reply_to=entry.outgoing.reply_to,
                    callback_data=item.key,
                    local_headers=told,
                )
        except asyncio.CancelledError as error:
            # The bot stops; WhatsApp may have the message all the same.
            raise TransportError("it was broken off before WhatsApp answered") from error

    async def _accepted(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        message: Message,
        accepted: Accepted,
        person: Person | None = None,
    ) -> Outcome:
        self._metrics.sent(message.type)
        recorded = await self._record.record(item, entry, accepted, person)
        if isinstance(recorded, Retry):
            return recorded
        return await self._after_sending(item, recorded, message)

    async def _after_sending(self, item: QueueItem, sent: SentMessage, message: Message) -> Outcome:
        if self._notified is not None:
            await self._notified.note(item.key, sent.status)
        if sent.status == "failed":  # the status was faster than our note
            await self._statuses.failed(sent)
        if sent.status in ENDED or not self._waits(message):
            return DONE
        return Done(
            hold=self._policy.delivered_timeout,
            cause=status_cause(sent.message_id),
            then=partial(self._statuses.recheck, sent.message_id),
        )

    def _waits(self, message: Message) -> bool:
        """Return whether the next message waits for this one: text overtakes files on their way."""
        what = self._policy.wait_for_delivered
        return what == "all" or (what == "media" and any(find_media(message)))

    async def _drop_file(self, item: QueueItem, entry: OutboxMessage, message: Message) -> Outcome:
        """Replace the message by what is left of it without its file, and report the loss."""
        error = entry.file_error or {}
        source, reason = error.get("source"), str(error.get("reason"))
        if item.key.startswith(f"{DESK}:"):  # a person is told, and sends another one
            return await self._unsent.dead_letter(item, entry, reason, code=error.get("code", 0))
        files = dict.fromkeys(find_media(message))
        lost = [file for file in files if source in (None, file.path, file.link)]
        shown = [file for file in lost if await self._uploads.may_be_shown(file)]
        known = () if source is None else lost
        left = drop_media(message, reason=reason, lost=known, shown=shown)
        for change in left.changes:
            self._metrics.changed(change.code)
        if not left.messages:
            return await self._unsent.dead_letter(
                item, entry, left.changes[0].text, code=error.get("code", 0)
            )
        for change in left.changes:
            # No error as where composing loses a part: the response is not at fault.
            logger.warning("whatsapp.changed: %s", replace(change, response=entry.called(item.key)))
        told = write_changes(left.changes) if self._client.is_local else ()
        body = entry.replaced_by(left.messages, told).body()
        return Retry(0.0, counted=False, body=body, error=reason)
