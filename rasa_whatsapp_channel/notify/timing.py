"""Timing: when a notification may go. Decides only, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from rasa_whatsapp_channel.settings.parsers import QuietHours
from rasa_whatsapp_channel.unix_time import DAY

#: Part of the number's rate that many notifications take, so that answers go meanwhile.
SHARE: Final = 0.8
#: Seconds by which the people of a day are counted, see `outbound.tier_gate`.
SLOT: Final = 7200.0
# A run is paused when so many of its messages failed, and this part of all.
FAILED_AT_LEAST: Final = 20
FAILED_PART: Final = 0.1


def quiet_for(hours: QuietHours, zones: Sequence[tzinfo], now: float) -> float:
    """
    Return the seconds until it is quiet in none of *zones*; 0.0: now.

    Where it always is in one of them, the first one counts.
    """
    for counted in (zones, zones[:1]):
        at = now
        while at < now + DAY and (ends := max(_ends(hours, zone, at) for zone in counted)) > at:
            at = ends
        if at < now + DAY:
            return at - now
    return 0.0


def _ends(hours: QuietHours, zone: tzinfo, now: float) -> float:
    """Return when the quiet hours of *now* end in *zone*; *now* outside of them."""
    local = datetime.fromtimestamp(now, zone)
    minute = local.hour * 60 + local.minute
    is_night = hours.begin > hours.end
    late, early = minute >= hours.begin, minute < hours.end
    if not (late or early if is_night else late and early):
        return now
    day = local + timedelta(days=1) if is_night and late else local
    end = day.replace(hour=hours.end // 60, minute=hours.end % 60, second=0, microsecond=0, fold=0)
    return end.timestamp()


def is_failing(sent: int, failed: int) -> bool:
    """Return whether so many fail that to go on would harm the number."""
    return failed >= FAILED_AT_LEAST and failed > FAILED_PART * (sent + failed)


def due_after(place: int, rate: float, *, a_day: int | None) -> float:
    """Return how many seconds later than the first one the person at *place*, from 0, is due."""
    days, rest = divmod(place, a_day) if a_day else (0, place)
    return days * (DAY + SLOT) + rest / rate
