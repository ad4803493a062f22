"""
Send policy: how fast messages go and what they wait for, and the throttle of a number.

`hold` decides about a message that the account cannot send now. No I/O.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, DeadLetter
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits

LONGEST: Final = 60.0  # seconds of a pause that WhatsApp did not ask for
# Unanswered requests in a row after which sending is paused.
UNANSWERED: Final = 3
PROBING: Final = 1.0  # seconds until the next check while one message probes


@dataclass(frozen=True)
class SendPolicy:
    """The settings of a sender; times in seconds."""

    #: which messages the next one waits for: none, media, all
    wait_for_delivered: str = "media"
    delivered_timeout: float = 3.0
    max_per_second: float = limits.MESSAGES_PER_SECOND
    pair_interval: float = limits.PAIR_INTERVAL
    pair_burst: float = limits.PAIR_BURST
    #: how long a message is kept while the window is closed, or the account cannot send it
    wait_for_window: float = DAY


# Statuses of templates that do not come back.
FINAL: Final = frozenset({"DISABLED", "REJECTED", "DELETED", "PENDING_DELETION", "MISSING"})


@dataclass(frozen=True)
class WaitForAccount:
    """The message waits for *wait* seconds, or until what stops it is over."""

    wait: float


@dataclass(frozen=True)
class SendOther:
    """The reengagement template goes instead."""


@dataclass(frozen=True)
class NotNeeded:
    """The template stands in for messages that may go by now."""


Held = WaitForAccount | SendOther | NotNeeded | DeadLetter


def hold(
    obstacle: Trouble,
    *,
    stands_in: bool,
    is_needed: bool,
    has_other: bool,
    left: float,
    now: float,
) -> Held:
    """
    Decide about a message that *obstacle* stops, with *left* seconds to wait.

    *stands_in*: it is a template for messages that wait for the window, and *is_needed* until the
    person writes; *has_other*: the reengagement template is another one, and can be sent.
    """
    if stands_in and not is_needed:
        return NotNeeded()
    if stands_in and has_other and obstacle.is_about_template:
        return SendOther()
    if obstacle.is_about_template and obstacle.event in FINAL:
        return DeadLetter(f"it cannot be sent: {obstacle}")
    if left <= 0:
        return DeadLetter(f"it waited too long: {obstacle}")
    return WaitForAccount(left if obstacle.until is None else min(left, obstacle.until - now))


class Throttle:
    """
    Pauses the sending of one number. A pause ends with a probe: one message is sent, and the others
    when it was answered. *clock* is monotonic, so that a changed wall clock extends no pause.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._pauses = 0  # since a message was answered
        self._unanswered = 0
        self._is_probing = False
        self.cause: str | None = None  # of the pause; None when there is none

    @property
    def left(self) -> float:
        """Return the seconds until a message may be sent; 0.0: now."""
        return max(self._until - self._clock(), 0.0) if self.cause else 0.0

    @property
    def is_open(self) -> bool:
        """Return whether a message may be sent now."""
        return not self.cause or not (self.left or self._is_probing)

    def admit(self) -> float:
        """Return 0.0 if the message may be sent now, else the seconds after which to ask again."""
        if not self.is_open:
            return max(self.left, PROBING)
        self._is_probing = self.cause is not None
        return 0.0

    def pause(self, seconds: float, cause: str) -> bool:
        """Pause sending for *seconds*, longer each time. False: it was paused already."""
        is_new = not self.cause
        if is_new or self._is_probing:
            self._pauses += 1
        seconds = max(seconds, min(2.0 ** min(self._pauses - 1, 16), LONGEST))
        self._until = max(self._until, self._clock() + seconds)
        self._is_probing = False
        self.cause = cause
        return is_new

    def unanswered(self) -> bool:
        """Note a request without an answer. True: that begins a pause."""
        self._unanswered += 1
        if self._unanswered < UNANSWERED:
            return False
        return self.pause(0.0, INFRASTRUCTURE)

    def answered(self) -> bool:
        """Note that WhatsApp accepted or refused a message. True: that ends a pause."""
        self._unanswered = 0
        # Requests sent before the pause say nothing.
        if not self.cause or self.left:
            return False
        self.cause = None
        self._pauses = 0
        self._is_probing = False
        return True

    def not_sent(self) -> None:
        """Note that an admitted message was not sent, for reasons of its own."""
        self._is_probing = False
