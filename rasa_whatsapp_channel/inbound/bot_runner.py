"""Bot runner: runs turns and records events, within their time, and says what follows a failure."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.conversation.errors import (
    BotUnavailable,
    ConversationLocked,
    TurnTimeout,
)
from rasa_whatsapp_channel.conversation.silence import Silences
from rasa_whatsapp_channel.inbound.handoff import LEFT_TO_BOT
from rasa_whatsapp_channel.inbound.outages import SERVICE, Outages
from rasa_whatsapp_channel.inbound.read_receipts import ReadReceipt
from rasa_whatsapp_channel.inbound.recovery import after_failure
from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import (
    DONE,
    INFRASTRUCTURE,
    Clock,
    Outcome,
    QueueItem,
    Retry,
    StoreError,
)

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

logger = logging.getLogger(__name__)


class Bot(Protocol):
    """
    Runs one turn. *repeated*: an earlier attempt may have been completed.

    Returns False if the turn sent nothing, which may mean that the conversation is silenced.
    """

    def __call__(self, turn: Turn, *, repeated: bool) -> Awaitable[bool | None]: ...


async def no_bot(turn: Turn, *, repeated: bool) -> bool | None:
    """Stand in for the bot where a process has other roles, and claims no turns."""
    raise BotUnavailable("process", "this one runs no bot")


# Adds an event to its tracker, unless it is there already; returns False if it has no conversation.
Record = Callable[[TrackerEvent], Awaitable[bool]]


async def nothing_is_recorded(event: TrackerEvent) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class BotRunner:
    """
    At most *turns* run at the same time, *turn_timeout* seconds each.

    Without *runs_bot* everything is left to a process that has it.
    """

    bot: Bot
    runs_bot: bool
    record: Record
    outages: Outages
    silences: Silences
    turns: asyncio.Semaphore
    turn_timeout: float
    metrics: Metrics
    clock: Clock

    def hold(self) -> Retry | None:
        """Return how long a turn waits for a service that is away; None: it may begin."""
        if not (wait := self.outages.wait()):
            return None
        return Retry(wait, cause=INFRASTRUCTURE, counted=False, error=self.outages.in_words())

    async def run(
        self,
        item: QueueItem,
        work: Turn | TrackerEvent,
        receipt: ReadReceipt | None = None,
        *,
        is_probe: bool = False,
        repeated: bool = False,
    ) -> Outcome:
        """Run a turn, or record an event. *is_probe*: it shows whether an outage is over."""
        if not self.runs_bot:
            return LEFT_TO_BOT
        try:
            async with self.turns:
                # An outage may have begun while this waited for a slot.
                if not is_probe and (held := self.hold()):
                    if receipt:
                        receipt.withhold()
                    return held
                has_sent = await self._call_bot(work, repeated=repeated or item.attempts > 1)
        except StoreError:
            raise  # not the bot's failure: the consumer waits until the store works again
        except Exception as error:  # whatever the bot raises: the message must not be lost
            if receipt:
                receipt.withhold()
            return self.failed(item, error)
        if has_sent is False and await self.silences.fell_silent(item.conversation) and receipt:
            receipt.withhold()
        self.outages.over()
        if item.failing_since is not None:  # this message may have noted it
            self.outages.over(SERVICE)
        if isinstance(work, Turn):
            self.metrics.handled()
        return DONE

    async def _call_bot(self, work: Turn | TrackerEvent, *, repeated: bool) -> bool | None:
        failure: Exception | None = None
        with self.metrics.turn_timer() if isinstance(work, Turn) else nullcontext():
            try:
                async with timeout(self.turn_timeout):
                    try:
                        if isinstance(work, TrackerEvent):
                            await self._record_event(work)
                            return None
                        with instrumentation.span("turn"):
                            return await self.bot(work, repeated=repeated)
                    except Exception as error:  # a timeout inside the bot is not `turn_timeout`
                        failure = error
            except asyncio.TimeoutError as error:
                raise TurnTimeout(self.turn_timeout) from error
        assert failure is not None
        raise failure

    async def _record_event(self, event: TrackerEvent) -> None:
        if await self.record(event):
            self.metrics.noted(event.type)
            return
        logger.info(
            "whatsapp.event_not_kept: %s %s: the bot has no conversation that it belongs to",
            event.type,
            event.id,
        )

    def failed(self, item: QueueItem, error: Exception) -> Outcome:
        """Return what follows *error*, which the bot or one of its services raised."""
        if isinstance(error, BotUnavailable) and not isinstance(error, ConversationLocked):
            self.outages.note(error)
        since = item.failing_since
        outcome = after_failure(
            error,
            tries=item.tries,
            claims=item.attempts,
            lasting=0.0 if since is None else self.clock() - since,
        )
        if isinstance(outcome, Retry):
            self.metrics.retried("inbox")
            _log_retry(item, error, outcome)
        return outcome


def _log_retry(item: QueueItem, error: Exception, outcome: Retry) -> None:
    if isinstance(error, BotUnavailable):
        # `Outages` logs it once; thousands of items may wait.
        logger.debug("whatsapp.turn_waits: %s for %g seconds: %s", item.key, outcome.after, error)
        return
    logger.warning(
        "whatsapp.turn_failed: %s, attempt %d, again in %g seconds: %s",
        item.key,
        item.tries,
        outcome.after,
        in_one_line(error),
        exc_info=error,
    )
