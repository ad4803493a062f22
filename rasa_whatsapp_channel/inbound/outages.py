"""
Outages of services that the bot needs (lock store, tracker store, broker, action server).

An outage is logged when it begins and when it ends; the health page and the metrics show it in
between. While a service is down that every turn needs, one message at a time probes whether it is
back and the others wait: if a lock store hangs, each attempt blocks the whole server.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.inbound.recovery import pause
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Clock
from rasa_whatsapp_channel.unix_time import time_of

logger = logging.getLogger(__name__)

LOCK_STORE: Final = "lock store"
TRACKER_STORE: Final = "tracker store"
EVENT_BROKER: Final = "event broker"
ACTION_SERVER: Final = "action server"
ENGINE: Final = "engine"  # of Rasa Pro: its language model, mostly
SERVICE: Final = "service"  # something else over the network, not known in detail

PROBING: Final = 3.0  # seconds to wait while another message probes
# Seconds after which an outage that no turn noted is over, e.g. as another server took over.
FORGOTTEN: Final = 300.0


@dataclass(frozen=True)
class Outage:
    """*since* is unix time; *seen* and *next_try* are of the monotonic clock."""

    what: str
    reason: str
    since: float
    seen: float
    failures: int = 1
    everywhere: bool = False
    next_try: float = 0.0
    is_probing: bool = False


class Outages:
    """The outages that one server process knows. *ticks* is a monotonic clock."""

    def __init__(
        self,
        metrics: Metrics | None = None,
        *,
        clock: Clock = time.time,
        ticks: Clock = time.monotonic,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._ticks = ticks
        self._outages: dict[str, Outage] = {}

    def note(self, error: BotUnavailable) -> None:
        """Note that a turn met an outage."""
        now = self._ticks()
        known = self._outages.get(error.what)
        if known is None:
            self._begin(error, now)
            return
        # Many turns may be under way when it goes away; the pauses grow with each look at it.
        failures = known.failures + known.is_probing
        next_try = now + pause(failures) if known.is_probing else known.next_try
        self._outages[error.what] = replace(
            known,
            reason=error.reason,
            seen=now,
            failures=failures,
            next_try=next_try,
            is_probing=False,
        )

    def wait(self) -> float:
        """
        Return how many seconds to wait before a turn is worth beginning; 0.0 means now.

        While a service is down that every turn needs, one turn begins after each pause.
        """
        if not self._outages:
            return 0.0
        now = self._ticks()
        needed = [outage for outage in self._outages.values() if outage.everywhere]
        wait = max((outage.next_try - now for outage in needed), default=0.0)
        if wait > 0:
            # The probe may succeed in a moment; then the others need not wait.
            return min(wait, PROBING) if any(outage.is_probing for outage in needed) else wait
        for outage in needed:
            next_try = now + pause(outage.failures + 1)
            self._outages[outage.what] = replace(outage, next_try=next_try, is_probing=True)
        return 0.0

    def over(self, *whats: str) -> None:
        """End the outages of *whats*; without a name, of all that turns wait for."""
        if not self._outages:
            return
        names = whats or [each.what for each in self._outages.values() if each.everywhere]
        for what in names:
            if outage := self._outages.pop(what, None):
                self._log_over(outage, "is back")

    @property
    def are_on(self) -> bool:
        """Return whether a service is down that every turn needs."""
        return any(outage.everywhere for outage in self._outages.values())

    def in_words(self) -> str:
        """Return what turns wait for now, in a sentence."""
        needed = [outage for outage in self._outages.values() if outage.everywhere]
        return "; ".join(f"the bot's {each.what} is away: {each.reason}" for each in needed)

    def is_away(self, what: str) -> bool:
        return what in self._outages

    def current(self) -> Sequence[Outage]:
        """Return the outages of now, the oldest first."""
        now = self._ticks()
        for outage in [each for each in self._outages.values() if now - each.seen > FORGOTTEN]:
            del self._outages[outage.what]
            self._log_over(outage, f"was not met away for {FORGOTTEN:g} seconds")
        return sorted(self._outages.values(), key=lambda outage: outage.since)

    def _begin(self, error: BotUnavailable, now: float) -> None:
        self._outages[error.what] = Outage(
            what=error.what,
            reason=error.reason,
            since=self._clock(),
            seen=now,
            everywhere=error.everywhere,
            next_try=now + pause(1),
        )
        self._metrics.outage(error.what, True)
        logger.error("whatsapp.outage_began: %s", error)

    def _log_over(self, outage: Outage, how: str) -> None:
        self._metrics.outage(outage.what, False)
        logger.warning(
            "whatsapp.outage_over: the bot's %s %s, %.0f seconds after it was first met away: %s",
            outage.what,
            how,
            max(self._clock() - outage.since, 0.0),
            outage.reason,
        )


def to_json(outages: Iterable[Outage]) -> list[dict[str, str]]:
    """Return what the health page says of *outages*."""
    return [
        {
            "what": outage.what,
            "since": time_of(outage.since),
            "reason": outage.reason,
        }
        for outage in outages
    ]
