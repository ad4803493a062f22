"""
Outbox → WhatsApp: one recipient at a time, in order.

What may keep a message back, in this order: the 24-hour window, a pause for everybody, the pair
limit, the number's rate; then, after a file, the next message waits until it was delivered.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound import retry, window
from rasa_whatsapp_channel.outbound.brake import Brake
from rasa_whatsapp_channel.outbound.entry import Entry
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.heal import (
    BY_UPLOAD,
    as_text,
    find_lost,
    find_made,
    heal,
    may_need_healing,
)
from rasa_whatsapp_channel.outbound.issued import note_issued
from rasa_whatsapp_channel.outbound.media import MediaUploads
from rasa_whatsapp_channel.outbound.note import write_note
from rasa_whatsapp_channel.outbound.statuses import ENDED, Statuses
from rasa_whatsapp_channel.store.base import DAY, Item, Sent, Store
from rasa_whatsapp_channel.store.bucket import Limit
from rasa_whatsapp_channel.store.consumer import DONE, Done, Outcome, Release, SetAside
from rasa_whatsapp_channel.store.keys import (
    address_key,
    echo_key,
    reengaged_key,
    sent_key,
    template_lane,
    wrote_key,
)
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    InvalidMessage,
    MediaError,
    SendError,
    StoreError,
)
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.messages import Message, Template, find_media

logger = logging.getLogger(__name__)

T = TypeVar("T")

CROSSING: Final = 30.0  # seconds that a request may take
AGAIN: Final = 5.0
WRITES: Final = 600  # tries to note that a message was sent
WRITE_PAUSE: Final = 1.0
KEPT: Final = DAY  # how long a message that may have to go another way is kept


@dataclass(frozen=True)
class Pace:
    """How fast, and what waits for what. Seconds."""

    wait_for_delivered: str = "media"  # none, media, all
    delivered_timeout: float = 3.0
    max_per_second: float = limits.MESSAGES_PER_SECOND
    pair_interval: float = limits.PAIR_INTERVAL
    pair_burst: float = limits.PAIR_BURST
    wait_for_window: float = DAY


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
        pace: Pace | None = None,
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
        self._statuses = statuses
        self._failures = failures
        self._pace = pace or Pace()
        rate = self._pace.max_per_second
        self._rate = Limit(f"rate:{account}", rate, max(rate, 1.0))
        self._metrics = metrics or Metrics()
        self._reengagement = reengagement
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._brake = Brake(clock=monotonic, sleep=sleep)

    async def handle(self, item: Item) -> Outcome:
        entry = Entry.from_body(item.body)
        try:
            message = entry.outgoing.message
        except InvalidMessage as error:
            return await self._give_up(item, entry, str(error))
        if item.attempts > 1 and (end := await self._earlier_try(item, entry, message)):
            return end
        state = await self._window(item, entry, message)
        if not isinstance(state, window.Open):
            return await self._outside_window(item, entry, state)
        await self._brake.passes()
        if wait := await self._pass_limits(entry):
            return Release(wait, attempt=False)
        return await self._send(item, entry, message, keep=not state.known)

    async def _earlier_try(self, item: Item, entry: Entry, message: Message) -> Outcome | None:
        """Return what follows where an earlier try got through, or may have got through."""
        if sent := await self._store.ledger.by_key(item.key):
            # Noted, but the process died, or the store broke, before the entry was ended.
            return await self._after_sending(sent, message)
        message_id = await self._store.values.get(echo_key(item.key))
        if message_id is not None:
            logger.info("whatsapp.recognised: %s", entry.name, extra={"key": item.key})
            return await self._note(item, entry, message, message_id, keep=True)
        if item.lapsed and self._client.api.callback_data:
            return Release(retry.ECHO, attempt=False)
        return None

    async def _window(
        self, item: Item, entry: Entry, message: Message
    ) -> window.Open | window.Wait | window.TooLate:
        if isinstance(message, Template):
            return window.Open()
        wrote_at = await self._store.values.get(wrote_key(entry.recipient_id))
        return window.decide(
            wrote_at=wrote_at,
            now=self._clock(),
            put_at=item.put_at,
            keep=self._pace.wait_for_window,
        )

    async def _outside_window(
        self, item: Item, entry: Entry, state: window.Wait | window.TooLate
    ) -> Outcome:
        if isinstance(state, window.TooLate):
            reason = "the 24-hour window is closed, and the person did not write again"
            return await self._give_up(item, entry, reason, code=131047)
        if entry.template is not None:
            await self._put_template(item, entry, entry.template)
        elif self._reengagement is not None:
            await self._reengage(item, entry, self._reengagement)
        else:
            logger.warning("whatsapp.window_closed: %s", entry.name, extra={"key": item.key})
        # Ended early when the person writes.
        return Release(state.left, attempt=False, then=partial(self._look_again, entry))

    async def _look_again(self, entry: Entry) -> None:
        """End the wait if the person wrote while the entry was out: there was none to end then."""
        wrote_at = await self._store.values.get(wrote_key(entry.recipient_id))
        if not window.is_closed(wrote_at, self._clock()):
            await self._store.outbox.free(entry.recipient_id)

    async def _reengage(self, item: Item, entry: Entry, template: Mapping[str, Any]) -> None:
        """Put *template* out unless *item* was put while another waited for the answer to it."""
        key = reengaged_key(entry.recipient_id)
        last = await self._store.values.get(key)
        wrote_at = await self._store.values.get(wrote_key(entry.recipient_id))
        keep = self._pace.wait_for_window
        if window.is_covered(last, wrote_at=wrote_at, put_at=item.put_at, keep=keep):
            return
        await self._put_template(item, entry, template)
        await self._store.values.set(key, self._clock(), 2 * keep)

    async def _put_template(self, item: Item, entry: Entry, template: Mapping[str, Any]) -> None:
        """Put *template* out in a lane of its own; its key lets it go only once."""
        stand_in = Entry(entry.recipient_id, template, entry.response)
        key = entry.template_key or f"{item.key}:template"
        await self._store.outbox.put(key, template_lane(entry.recipient_id), stand_in.body())

    async def _pass_limits(self, entry: Entry) -> float:
        """Wait for the number's rate; return how long the person has to wait for theirs, or 0.0."""
        limits = [self._rate]
        if self._client.api.pair_limit:
            key = f"pair:{entry.recipient_id}"
            limits.append(Limit(key, 1 / self._pace.pair_interval, self._pace.pair_burst))
        while any(waits := await self._store.values.take(*limits)):
            if any(waits[1:]):
                return waits[1]
            await self._sleep(waits[0])
        return 0.0

    async def _send(self, item: Item, entry: Entry, message: Message, *, keep: bool) -> Outcome:
        ready = message
        try:
            await self._forget_refused(entry)
            ready = await self._uploads.prepare(message, links=entry.healed >= BY_UPLOAD)
            await note_issued(self._store.values, entry.recipient_id, ready)
            address = await self._address(entry)
            with self._metrics.send_timer():
                message_id = await self._client.send(
                    address,
                    ready,
                    reply_to=entry.outgoing.reply_to,
                    callback_data=item.key,
                    note=self._note_of(entry),
                )
        except InvalidMessage as error:
            return await self._give_up(item, entry, str(error))
        except MediaError as error:
            return await self._without_file(item, entry, error)
        except SendError as error:
            if await self._forget_lost(entry, ready, error):
                return Release(0.0, body=replace(entry, renewed=1).body())
            return await self._after_failure(item, entry, error)
        if self._brake.loosen():
            logger.info("whatsapp.goes_again")
        made = () if ready is message else find_made(entry, ready)
        if entry.ids or made:
            entry = replace(entry, ids=made)
        return await self._note(item, entry, message, message_id, keep=keep)

    def _note_of(self, entry: Entry) -> str | None:
        """Return what a simulator is told beside the message."""
        if not self._client.takes_notes:
            return None
        return write_note(entry.response, entry.changes)

    async def _note(
        self, item: Item, entry: Entry, message: Message, message_id: str, *, keep: bool
    ) -> Outcome:
        """Note that WhatsApp took the message."""
        self._metrics.sent(message.type)
        if keep or entry.ids or may_need_healing(message):
            kept = partial(self._store.values.set, sent_key(message_id), entry.body(), KEPT)
            await self._insist(kept)
        note = partial(self._store.ledger.note_sent, message_id, key=item.key)
        sent = await self._insist(
            partial(note, recipient_id=entry.recipient_id, response=entry.response)
        )
        logger.debug("whatsapp.sent", extra={"key": item.key, "message_id": message_id})
        return await self._after_sending(sent, message)

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write until the store takes it: until then nobody but us knows that WhatsApp has it."""
        for _ in range(WRITES):
            try:
                return await write()
            except StoreError as error:
                logger.error("whatsapp.sent_not_noted", extra={"reason": str(error)})
                await self._sleep(WRITE_PAUSE)
        return await write()

    async def _address(self, entry: Entry) -> str:
        """Return where the person is to be reached now; a conversation keeps its first name."""
        name, _ = split_number(entry.recipient_id)
        address = await self._store.values.get(address_key(name))
        return address if isinstance(address, str) else name

    async def _after_sending(self, sent: Sent, message: Message) -> Outcome:
        if sent.status == "failed":  # the status was faster than our note
            await self._statuses.failed(sent)
        if sent.status in ENDED or not self._waits(message):
            return DONE
        return Done(
            hold=self._pace.delivered_timeout,
            then=partial(self._statuses.let_go, sent.message_id),
        )

    def _waits(self, message: Message) -> bool:
        """Text overtakes files: they are loaded and checked first on their way."""
        what = self._pace.wait_for_delivered
        return what == "all" or (what == "media" and any(find_media(message)))

    async def _without_file(self, item: Item, entry: Entry, error: MediaError) -> Outcome:
        """The file cannot be had; where it is a link, the person gets at least that."""
        text = as_text(entry)
        if text is None:
            return await self._give_up(item, entry, str(error))
        logger.warning("whatsapp.link_as_text: %s: %s", entry.name, error, extra={"key": item.key})
        return Release(0.0, body=text.body())

    async def _forget_refused(self, entry: Entry) -> None:
        """Forget the ids that a status said to be none, so that their files are uploaded again."""
        for media_id in entry.ids if entry.renewed else ():
            await self._uploads.forget(media_id)

    async def _forget_lost(self, entry: Entry, ready: Message, error: SendError) -> bool:
        """Forget the ids WhatsApp does not know any more; they are made anew from their files."""
        code = error.code if isinstance(error, APIError) else 0
        forgotten = [await self._uploads.forget(id_) for id_ in find_lost(entry, ready, code)]
        if not any(forgotten):
            return False
        self._metrics.api_error(error)
        logger.warning("whatsapp.uploaded_again: %s", entry.name, extra={"code": code})
        return True

    async def _after_failure(self, item: Item, entry: Entry, error: SendError) -> Outcome:
        self._metrics.api_error(error)
        code = error.code if isinstance(error, APIError) else 0
        if healed := heal(entry, code):
            logger.warning("whatsapp.sent_another_way: %s", entry.name, extra={"code": code})
            return Release(0.0, body=healed.body())
        now = self._clock()
        entry = entry.failed(now)
        decision = retry.decide(
            error,
            failures=entry.failures,
            lasting=now - entry.failing_since,
            echoed=self._client.api.callback_data,
            jitter=self._jitter(),
        )
        if isinstance(decision, retry.WindowClosed) and entry.is_template:
            decision = retry.GiveUp(str(error))  # no window to wait for
        if isinstance(decision, retry.GiveUp):
            return await self._give_up(item, entry, decision.reason, code=code)
        if isinstance(decision, retry.WindowClosed):
            return await self._close_window(entry)
        self._metrics.retried("outbox")
        self._slow_down(decision, error)
        failures = entry if not decision.token else replace(entry, failures=0)
        return Release(decision.wait, body=failures.body())

    async def _close_window(self, entry: Entry) -> Outcome:
        """Let the message wait for the person, unless both wrote at the same time."""
        key = wrote_key(entry.recipient_id)
        wrote_at = await self._store.values.get(key)
        if wrote_at is not None and self._clock() - wrote_at < CROSSING:
            return Release(AGAIN, attempt=False)  # what is open by now may not be noted as closed
        await self._store.values.set(key, window.CLOSED, 2 * DAY)
        return Release(0.0)

    def _slow_down(self, decision: retry.Again, error: SendError) -> None:
        if not decision.everyone:
            logger.warning("whatsapp.send_again", extra={"reason": str(error)})
        elif self._brake.press(decision.wait):
            what = "the token is not accepted; replace it" if decision.token else "slowing down"
            logger.error("whatsapp.everyone_waits: %s (%s)", what, error)

    async def _give_up(self, item: Item, entry: Entry, reason: str, *, code: int = 0) -> Outcome:
        await self._failures.tell(item.key, entry, code=code, reason=reason)
        return SetAside(f"{entry.name}: {reason}")
