"""
Send policy: how fast messages go and what they wait for.

`hold` decides about a message that the account cannot send now. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.store.base import DeadLetter
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits


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
