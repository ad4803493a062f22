"""
Sending limits: messages per second of a number and per person, people a day, the window.

https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits


class RateLimits:
    def __init__(
        self, *, per_second: int, people: int | None = None, clock: Callable[[], float]
    ) -> None:
        #: how many people may be written to outside of their windows within a day; None: all
        self.people = people
        self._per_second = per_second
        self._reached: dict[str, float] = {}  # person → last time outside of the window
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}  # number → times within the last second
        self._owed: dict[
            tuple[str, str], tuple[float, float]
        ] = {}  # pair → messages, at which time

    def take(self, number: str, person: str) -> None:
        """Count one message from *number* to *person*; raise `Refused` if it exceeds a limit."""
        now = self._clock()
        sent = self._sent.setdefault(number, deque())
        while sent and sent[0] <= now - 1:
            sent.popleft()
        if len(sent) >= self._per_second:
            raise Refused(
                problems.THROUGHPUT,
                f"A number sends at most {self._per_second} messages a second.",
            )
        owed, since = self._owed.get((number, person), (0.0, now))
        owed = max(0.0, owed - (now - since) / limits.PAIR_INTERVAL)
        if owed + 1 > limits.PAIR_BURST:
            raise Refused(
                problems.PAIR,
                f"One person gets one message in {limits.PAIR_INTERVAL:g} seconds, with a burst "
                f"of {limits.PAIR_BURST}; others may be written to meanwhile.",
            )
        sent.append(now)
        self._owed[number, person] = owed + 1, now

    def reach(self, person: str) -> None:
        """Count a *person* whose window is closed; raise `Refused` above the messaging limit."""
        if person not in self._reached_today() and self.reached >= (self.people or math.inf):
            raise Refused(
                problems.MESSAGING_LIMIT,
                f"In 24 hours {self.people} people may be written to outside of their windows.",
            )
        self._reached[person] = self._clock()

    @property
    def reached(self) -> int:
        """How many people were written to outside of their windows within a day."""
        return len(self._reached_today())

    def _reached_today(self) -> Mapping[str, float]:
        since = self._clock() - DAY
        self._reached = {who: at for who, at in self._reached.items() if at > since}
        return self._reached

    def clear(self) -> None:
        self._reached.clear()
        self._sent.clear()
        self._owed.clear()


def tier(people: int | None) -> str:
    """Return WhatsApp's word for a limit of *people* a day: ``TIER_250``, ``TIER_2K``."""
    if people is None:
        return "TIER_UNLIMITED"
    return f"TIER_{people}" if people % 1000 else f"TIER_{people // 1000}K"


def window_ends(last_written: float | None) -> float | None:
    """Return when the window closes, in unix seconds; None for a person who has not written."""
    return None if last_written is None else last_written + limits.WINDOW


def is_refused(kind: str, last_written: float | None, now: float) -> bool:
    """Return whether the window is closed for a message of this type; never for templates."""
    ends = window_ends(last_written)
    return kind != "template" and (ends is None or ends <= now)
