"""Costs: charges and a rate card → one row for each response, day, country or conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final

from rasa_whatsapp_channel.billing.charges import is_billed
from rasa_whatsapp_channel.store.base import ChargedMessage
from rasa_whatsapp_channel.whatsapp.markets import markets_of
from rasa_whatsapp_channel.whatsapp.rate_card import RateCard

ELSEWHERE: Final = "(sent by another program)"
NO_NAME: Final = "(no response of the domain)"


@dataclass(frozen=True)
class Cost:
    """*messages* of which *billed* are charged, *unpriced* of those without a rate."""

    messages: int = 0
    billed: int = 0
    unpriced: int = 0
    amount: Decimal = Decimal(0)


class Costs:
    """
    Adds up messages by *by*, one of `BY`.

    *free* is the number of free messages in a month. Without a *card* the amounts stay 0.
    """

    def __init__(self, by: str, *, card: RateCard | None, free: int, zone: tzinfo) -> None:
        self.by = by
        self._key = BY[by]
        self._card = card
        self._free = free
        self._zone = zone
        self.rows: dict[str, Cost] = {}
        self.total = Cost()

    def add(self, message: ChargedMessage) -> None:
        charge = message.charge
        billed = is_billed(charge, self._free)
        rate = self._card.rate(charge.country, charge.category) if self._card and billed else None
        key = self._key(message, self._zone)
        self.rows[key] = self._sum(self.rows.get(key, Cost()), billed, rate)
        self.total = self._sum(self.total, billed, rate)

    def _sum(self, cost: Cost, billed: bool, rate: Decimal | None) -> Cost:
        return replace(
            cost,
            messages=cost.messages + 1,
            billed=cost.billed + billed,
            unpriced=cost.unpriced + (billed and rate is None and self._card is not None),
            amount=cost.amount + (rate or 0),
        )


def _day(message: ChargedMessage, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(message.charge.at, zone):%Y-%m-%d}"


def _response(message: ChargedMessage, _: tzinfo) -> str:
    return ELSEWHERE if message.recipient_id is None else message.response or NO_NAME


def _country(message: ChargedMessage, _: tzinfo) -> str:
    code = message.charge.country
    return " ".join(filter(None, (f"+{code}" if code else "", markets_of(code)[0])))


def _conversation(message: ChargedMessage, _: tzinfo) -> str:
    return message.recipient_id or ELSEWHERE


BY: Final[Mapping[str, Callable[[ChargedMessage, tzinfo], str]]] = {
    "day": _day,
    "response": _response,
    "country": _country,
    "conversation": _conversation,
}
