"""
Billing: charges for delivered messages as WhatsApp does since October 2026, and the month's bill.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.state import ChatMessage
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.markets import calling_code, markets_of
from rasa_whatsapp_channel.whatsapp.rate_card import RateCard, RateCardError, read_rate_card

ANSWER_WITHIN: Final = DAY
ENTRY_POINT: Final = 3 * DAY
_FREE_REPLY: Final = "free_customer_service"


@dataclass
class _EntryPoint:
    """Somebody wrote from an advertisement; *ends* is set by the first answer."""

    asked: float
    ends: float | None = None


class Billing:
    def __init__(self, config: Config) -> None:
        self._free = config.free_messages
        self._zone = config.time_zone
        self._numbers = [each.phone_number_id for each in config.numbers]
        self.card = _read(config)
        self._used: dict[tuple[str, str], int] = {}  # number and month → free messages used
        self._entry_points: dict[tuple[str, str], _EntryPoint] = {}  # person and number

    def clear(self) -> None:
        self._used.clear()
        self._entry_points.clear()

    def note_referral(self, person: str, number: str, now: float) -> None:
        """Note that *person* wrote from an advertisement; an open entry point stays as it is."""
        known = self._entry_points.get((person, number))
        if known is None or (known.ends is not None and known.ends <= now):
            self._entry_points[person, number] = _EntryPoint(now)

    def charge(self, message: ChatMessage, earlier: Iterable[ChatMessage]) -> dict[str, Any]:
        """Return `pricing`, and in an entry point `conversation`, of a message that goes out."""
        category = str((message.filled or message.body or {}).get("category", "service")).lower()
        ends = self._entry_point_ends(message.person, message.number, message.timestamp)
        if ends is not None:
            origin = {"type": "referral_conversion"}
            return {
                "pricing": _pricing("referral_conversion", "free_entry_point"),
                "conversation": {
                    "id": f"{message.person}-{ends:.0f}",
                    "expiration_timestamp": f"{ends:.0f}",
                    "origin": origin,
                },
            }
        is_free = category == "service" and self._use(message, earlier) <= self._free
        return {"pricing": _pricing(category, _FREE_REPLY if is_free else "regular")}

    def _entry_point_ends(self, person: str, number: str, now: float) -> float | None:
        found = self._entry_points.get((person, number))
        if found is None:
            return None
        if found.ends is None and now - found.asked <= ANSWER_WITHIN:
            found.ends = now + ENTRY_POINT
        return found.ends if found.ends is not None and now < found.ends else None

    def _use(self, message: ChatMessage, earlier: Iterable[ChatMessage]) -> int:
        key = message.number, self._month(message)
        if key not in self._used:  # at first, and after an import
            self._used[key] = sum(
                (each.number, self._month(each)) == key
                and each.charge.get("pricing", {}).get("category") == "service"
                for each in earlier
            )
        self._used[key] += 1
        return self._used[key]

    def _month(self, message: ChatMessage) -> str:
        return f"{datetime.fromtimestamp(message.timestamp, self._zone):%Y-%m}"

    def bill(self, messages: Iterable[ChatMessage], month: str | None, now: float) -> Any:
        """Return the bill of *month*, as 2026-11; of the current one by default."""
        month = month or f"{datetime.fromtimestamp(now, self._zone):%Y-%m}"
        free = 0
        replies: Counter[str] = Counter()
        billed: Counter[tuple[str, str]] = Counter()
        for message in messages:
            pricing = message.charge.get("pricing")
            if pricing is None or self._month(message) != month:
                continue
            replies[message.number] += pricing["category"] == "service"
            if pricing["billable"]:
                billed[_code(message.person), pricing["category"]] += 1
            else:
                free += 1
        lines = [self._line(*key, count) for key, count in sorted(billed.items())]
        return {
            "month": month,
            "currency": self.card.currency if self.card else None,
            "free": free,
            "billed": sum(billed.values()),
            "cost": str(sum((Decimal(line["cost"]) for line in lines), Decimal(0))),
            "lines": lines,
            "allowance": [
                {"number": each, "free": self._free, "used": min(replies[each], self._free)}
                for each in self._numbers
            ],
        }

    def to_json(self) -> dict[str, Any]:
        """Return what the page says of prices in general."""
        return {"currency": self.card.currency if self.card else None, "free_messages": self._free}

    def pricing_to_json(self, message: ChatMessage) -> dict[str, Any] | None:
        """Return the `pricing` of a message with its market and cost; None: it costs nothing."""
        pricing = message.charge.get("pricing")
        if pricing is None:
            return None
        code = _code(message.person)
        rate = self._rate(code, pricing["category"]) if pricing["billable"] else Decimal(0)
        cost = None if rate is None else str(rate)
        return {**pricing, "market": markets_of(code)[0], "cost": cost}

    def _rate(self, code: str, category: str) -> Decimal | None:
        return self.card.rate(code, category) if self.card else None

    def _line(self, code: str, category: str, count: int) -> dict[str, Any]:
        market = markets_of(code)[0]
        cost = str(count * (self._rate(code, category) or Decimal(0)))
        return {"market": market, "category": category, "messages": count, "cost": cost}


def _pricing(category: str, kind: str) -> Mapping[str, Any]:
    billable = kind == "regular"
    return {"billable": billable, "pricing_model": "PMP", "type": kind, "category": category}


def _code(person: str) -> str:
    return calling_code(person, person)


def _read(config: Config) -> RateCard | None:
    if config.rate_card is None:
        return None
    try:
        return read_rate_card(config.rate_card.read_bytes())
    except (OSError, RateCardError) as error:
        raise SettingsError(f"{config.rate_card} is no rate card: {error}") from error
