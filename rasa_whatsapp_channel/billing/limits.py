"""Limits: what counts towards the limits of `billing`, and what goes when one is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from rasa_whatsapp_channel.settings.billing import STOP, TEMPLATE_ONLY, WARN

#: What goes when a limit is reached, for people.
WHAT_GOES: Final[Mapping[str, str]] = {
    WARN: "everything goes on",
    TEMPLATE_ONLY: "only templates go",
    STOP: "nothing goes",
}
DAILY: Final = "daily_limit"


@dataclass(frozen=True)
class Limit:
    """At most *messages* of one day, which the store counts in *counter*."""

    setting: str
    messages: int
    counter: str

    @property
    def report_key(self) -> str:
        """Return the key under which the store notes that the limit was reported on its day."""
        return f"limit_reported:{self.counter}:{self.messages}"


def day_of(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d}"


def end_of_day(at: float, zone: tzinfo) -> float:
    """Return when the day of *at* ends in *zone*, in unix seconds."""
    now = datetime.fromtimestamp(at, zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (midnight + timedelta(days=1)).timestamp()


def goes_beyond(at_limit: str, *, is_template: bool, is_notice: bool) -> bool:
    """
    Return whether a message goes though a limit is reached.

    *is_template*: it is charged as a template; *is_notice*: it tells the person of the limit.
    """
    return is_notice or at_limit == WARN or (at_limit == TEMPLATE_ONLY and is_template)


def reached(limits: Sequence[Limit], counts: Sequence[int]) -> Limit | None:
    """Return the first of *limits* that leaves no room, with *counts* messages before this one."""
    pairs = zip(limits, counts, strict=True)
    return next((limit for limit, count in pairs if count >= limit.messages), None)
