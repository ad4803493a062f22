"""Charges: counts what WhatsApp charges for, and warns before and when it costs more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from rasa_whatsapp_channel.account import ERROR_LIFE, AccountState, Trouble
from rasa_whatsapp_channel.billing.charges import (
    charge_of,
    end_of_month,
    is_billed,
    month_of,
    threshold,
)
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.settings import BillingSettings
from rasa_whatsapp_channel.store.base import Charge, Ledger
from rasa_whatsapp_channel.whatsapp.account_events import Severity
from rasa_whatsapp_channel.whatsapp.events import Status

logger = logging.getLogger(__name__)

#: WhatsApp's code of a message that did not go because nobody would pay for it.
NO_PAYMENT_METHOD: Final = 131042
ALLOWANCE: Final = "free messages"
PAYMENT: Final = "payment"


class Charges:
    """
    *numbers* are the ids of the bot's numbers, the first one first. Every method raises
    `StoreError`.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: AccountState,
        *,
        numbers: Sequence[str] = ("",),
        billing: BillingSettings | None = None,
        limits: LimitGate | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._numbers = numbers
        self._billing = billing or BillingSettings()
        self._limits = limits
        self._metrics = metrics or Metrics()
        self._clock = clock

    def of(self, status: Status) -> Charge | None:
        """Return what *status* tells of the cost of its message, for the ledger; None: nothing."""
        found = charge_of(status, zone=self._billing.time_zone, now=self._clock())
        if found is None or found.number in self._numbers:
            return found
        return replace(found, number=self._numbers[0])

    async def note(self, status: Status, told: Charge, charge: Charge | None) -> None:
        """Count *charge*, what the ledger kept of what *status* *told*; None: it was known."""
        free = self._billing.free_messages
        if self._limits is not None and not is_billed(charge or told, free):
            await self._uncount(self._limits, status)
        if charge is None:
            return
        self._metrics.charged(
            charge.category, charge.type, charge.country, is_billed=is_billed(charge, free)
        )
        part = threshold(charge.nth, free) if charge.month else None
        if part is not None:
            await self._warn(charge, part)

    async def _uncount(self, limits: LimitGate, status: Status) -> None:
        sent = await self._ledger.get(status.message_id)
        if key := sent.key if sent is not None else status.callback_data:
            await limits.uncount(key)

    async def _warn(self, charge: Charge, part: float) -> None:
        free = self._billing.free_messages
        detail = (
            f"{charge.nth} of the {free} free messages of {charge.month} are used"
            + (f" by number {charge.number}" if charge.number else "")
            + ("; each further reply costs" if part == 1 else "")
        )
        logger.warning("whatsapp.free_messages_used: %s", detail)
        now = self._clock()
        await self._account.keep(
            Trouble(
                topic=ALLOWANCE,
                event="USED_UP" if part == 1 else "NEARLY_USED_UP",
                subject=charge.number,
                detail=detail,
                since=now,
                until=end_of_month(charge.at, self._billing.time_zone),
            )
        )

    async def note_failure(self, code: int, reason: str) -> None:
        """Raise the alarm where a message was not delivered because nobody pays for it."""
        if code != NO_PAYMENT_METHOD:
            return
        logger.error(
            "whatsapp.no_payment_method: WhatsApp delivers no reply until the account has a "
            "payment method that works; add one in the WhatsApp Manager: %s",
            reason,
        )
        now = self._clock()
        await self._account.keep(
            Trouble(
                topic=PAYMENT,
                event="NO_PAYMENT_METHOD",
                detail=reason,
                severity=Severity.ERROR.value,
                since=now,
                until=now + ERROR_LIFE,
            )
        )

    async def show_allowance(self) -> None:
        """Set the metric of the free messages that are left to each number this month."""
        month = month_of(self._clock(), self._billing.time_zone)
        for place, number in enumerate(self._numbers, start=1):
            used = await self._ledger.allowance_used(number, month)
            self._metrics.allowance_left(place, max(self._billing.free_messages - used, 0))
