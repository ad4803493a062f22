"""
Limit gate: counts what goes out, and holds back what is over the limits of `billing`.

A message counts from before its request on, since its delivery is known too late; it is counted
no more when it turns out to be free. Its key lets it count once, whatever is repeated.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

from rasa_whatsapp_channel.account import AccountState, Trouble
from rasa_whatsapp_channel.billing.charges import is_billable
from rasa_whatsapp_channel.billing.limits import (
    DAILY,
    WHAT_GOES,
    Limit,
    day_of,
    end_of_day,
    goes_beyond,
    reached,
)
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.settings import BillingSettings
from rasa_whatsapp_channel.settings.billing import WARN
from rasa_whatsapp_channel.store.base import DeadLetter, QueueItem, Store
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.account_events import Severity
from rasa_whatsapp_channel.whatsapp.messages import Text

logger = logging.getLogger(__name__)

LIFE: Final = 2 * DAY  # of what is counted: a day has up to 25 hours
TOPIC: Final = "limit"
NOTICE: Final = "billing.limit_text"  # as the name of a response


class LimitGate:
    """*billing* has a limit. Every method raises `StoreError`."""

    def __init__(
        self,
        store: Store,
        account: AccountState,
        *,
        billing: BillingSettings,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._account = account
        self._billing = billing
        self._metrics = metrics
        self._clock = clock
        self._had_room = False  # since this process began

    async def hold(
        self, item: QueueItem, entry: OutboxMessage, person: Person
    ) -> DeadLetter | None:
        """Count *entry*, or return why it does not go."""
        if not is_billable(str(entry.message.get("type"))):
            return None
        conversation = person.conversations(entry.recipient_id)[0]
        limits = self._limits(conversation)
        beyond = goes_beyond(
            self._billing.at_limit or WARN,
            is_template=not entry.needs_window,
            is_notice=entry.is_notice,
        )
        at_most = {limit.counter: limit.messages for limit in limits}
        counts = await self._store.values.count(_key(item.key), at_most, LIFE, beyond=beyond)
        limit = reached(limits, counts)
        if limit is None:
            await self._end_trouble(limits[0])
            return None
        reason = (
            f"the limit of {limit.messages} billed messages a day is reached "
            f"(`billing.{limit.setting}`)"
        )
        self._metrics.over_limit(limit.setting, is_stopped=not beyond)
        await self._report(limit, reason, entry.called(item.key))
        if beyond:
            return None
        if entry.needs_window and self._billing.limit_text:
            await self._notify(item, entry, conversation)
        return DeadLetter(reason)

    async def uncount(self, key: str) -> None:
        """Count the message of the outbox item *key* no more: nobody pays for it."""
        await self._store.values.uncount(_key(key))

    def _limits(self, conversation: str) -> Sequence[Limit]:
        day = f"billed:{day_of(self._clock(), self._billing.time_zone)}"
        counters = {DAILY: day, "daily_limit_per_conversation": f"{day}:{conversation}"}
        settings = {name: getattr(self._billing, name) for name in counters}
        return [Limit(name, most, counters[name]) for name, most in settings.items() if most]

    async def _report(self, limit: Limit, reason: str, message: str) -> None:
        """Report once a day, or once a day and conversation, that *limit* is reached."""
        if not await self._store.values.add(limit.report_key, True, LIFE):
            return
        is_error = limit.setting == DAILY and self._billing.at_limit != WARN
        logger.log(
            logging.ERROR if is_error else logging.WARNING,
            "whatsapp.limit_reached: %s, first by %s; until the day ends %s",
            reason,
            message,
            WHAT_GOES[self._billing.at_limit or WARN],
        )
        now = self._clock()
        await self._account.keep(
            Trouble(
                topic=TOPIC,
                event="REACHED",
                subject=limit.setting,
                detail=reason,
                severity=(Severity.ERROR if is_error else Severity.WARNING).value,
                since=now,
                until=end_of_day(now, self._billing.time_zone),
            )
        )

    async def _end_trouble(self, limit: Limit) -> None:
        """Forget once that the day's *limit* was reached: this process may have a higher one."""
        if limit.setting == DAILY and not self._had_room:
            self._had_room = True
            await self._account.end(TOPIC, limit.setting)
            await self._store.values.delete(limit.report_key)

    async def _notify(self, item: QueueItem, entry: OutboxMessage, conversation: str) -> None:
        """Tell the person, once a day: a key is put once."""
        day = day_of(self._clock(), self._billing.time_zone)
        name = hashlib.sha256(conversation.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        text = Text(self._billing.limit_text or "").body()
        notice = OutboxMessage(entry.recipient_id, text, NOTICE, is_notice=True)
        await self._store.outbox.put(f"limit:{day}:{name}", item.conversation, notice.body())


def _key(key: str) -> str:
    return f"counted:{key}"
