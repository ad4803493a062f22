"""
Charges: which messages are billed, what the ledger keeps of a delivered one, how much of a month is
free.
"""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
from typing import Final

from rasa_whatsapp_channel.store.base import Charge
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.markets import calling_code
from rasa_whatsapp_channel.whatsapp.pricing import FREE_ENTRY_POINT, REGULAR, read_pricing

#: Statuses of a message that has arrived, which is what WhatsApp charges for.
CHARGED: Final = frozenset({"delivered", "read"})
# Its statuses never say that it was delivered.
_FREE_KINDS: Final = frozenset({"reaction"})
#: Parts of the free messages of a month that are worth a warning.
WARN_AT: Final = (1.0, 0.8)


def charge_of(status: Status, *, zone: tzinfo, now: float) -> Charge | None:
    """Return the charge that *status* tells of; None where it tells of none."""
    pricing = read_pricing(status.extra) if status.status in CHARGED else None
    if pricing is None:
        return None
    at = float(status.timestamp or now)
    return Charge(
        at=at,
        number=status.phone_number_id or "",
        country=calling_code(status.recipient_id, status.recipient_user_id),
        category=pricing.category,
        type=pricing.type,
        month=month_of(at, zone) if pricing.is_allowance else "",
    )


def is_billable(kind: str, pricing_type: str = REGULAR) -> bool:
    """
    Return whether WhatsApp bills a message of the type *kind* once the month's free ones are used.

    Each bubble is one message; typing and read receipts are none. *pricing_type* is the type in
    the pricing of its status, where there is one: in a free entry point everything is free.
    """
    return kind not in _FREE_KINDS and pricing_type != FREE_ENTRY_POINT


def is_billed(charge: Charge, free: int) -> bool:
    """Return whether *charge* costs something, *free* being the free messages of a month."""
    return charge.type == REGULAR and not 0 < charge.nth <= free


def month_of(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m}"


def end_of_month(at: float, zone: tzinfo) -> float:
    """Return when the month of *at* ends in *zone*, in unix seconds."""
    now = datetime.fromtimestamp(at, zone)
    return datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=zone).timestamp()


def threshold(nth: int, free: int) -> float | None:
    """Return the part of the *free* messages that the *nth* uses up; None if not worth a word."""
    return next((part for part in WARN_AT if nth == math.ceil(part * free)), None)
