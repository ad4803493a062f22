"""
Conversation owner: who answers in a conversation, and when it may change.

           asked for a person                 a person took it
    bot ───────────────────────▶ waiting ───────────────────────▶ human
     ▲                              │                               │
     └──── returned, or in time ────┴───────────────────────────────┘

From each of them WhatsApp may give the conversation to another app, and back. Decides only: no I/O,
no clock.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, Final

from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.unix_time import time_of

APP_IDLE: Final = 86_400.0  # WhatsApp takes a conversation from an app a day after the last message


# The version of what is said whoever owns the conversation; those of turns begin with 1.
ANY_OWNER: Final = 0
CLOCK: Final = "clock"  # who gives back what nobody took in time


class Owner(str, Enum):
    BOT = "bot"
    WAITING = "waiting"  # for a person
    HUMAN = "human"
    APP = "app"  # of another company, or Meta's, as WhatsApp says


# They answer instead of the bot.
OTHERS: Final = (Owner.HUMAN, Owner.APP)


@dataclass(frozen=True)
class Ownership:
    """
    The owner of a conversation. Times are unix seconds.

    *version* counts the changes of the owner, from 1. An answer of the bot has the version that
    its turn began with, and may be sent from the version *floor* on.
    """

    owner: Owner = Owner.BOT
    version: int = 1
    floor: int = 1
    #: when this owner got it
    since: float = 0.0
    #: when it is the bot's again by itself; 0.0 for a bot
    until: float = 0.0
    #: who made the last change, such as `operator`, and why
    by: str = ""
    reason: str = ""
    #: id of the episode, the last one where the bot owns it, and when it began
    episode: str = ""
    began: float = 0.0

    @classmethod
    def from_value(cls, value: Any) -> Ownership:
        return cls(**{**value, "owner": Owner(value["owner"])}) if value else cls()

    def to_value(self) -> dict[str, Any]:
        return {**asdict(self), "owner": self.owner.value}

    def told(self) -> dict[str, Any]:
        """Return it as desks and operators are told."""
        return {
            "owner": self.owner.value,
            "version": self.version,
            "since": time_of(self.since) if self.since else None,
            "until": time_of(self.until) if self.until else None,
            "by": self.by,
            "reason": self.reason,
            "episode": self.episode,
        }

    @property
    def was_in_vain(self) -> bool:
        """Return whether somebody waited for a person, and nobody came in time."""
        return self.by == CLOCK and self.floor < self.version - 1

    def is_still(self, seen: Ownership, by: str) -> bool:
        """Return whether nobody took it since it was *seen*, nor wrote, if the clock asks."""
        return self.version == seen.version and (by != CLOCK or self.until == seen.until)

    def may_hear(self, settings: HandoffSettings) -> bool:
        """Return whether the bot gets messages of the person."""
        waits = self.owner is Owner.WAITING
        return self.owner is Owner.BOT or (waits and settings.while_waiting == "bot")

    def may_say(self, version: int, settings: HandoffSettings) -> bool:
        """
        Return whether an answer of a turn that began with *version* may be sent.

        What the bot said before it asked for a person, and in the turn in which it did, still goes.
        """
        if version < self.floor or self.owner in OTHERS:
            return False
        return version < self.version or self.may_hear(settings)


def decide(
    before: Ownership,
    wanted: Owner,
    settings: HandoffSettings,
    *,
    by: str,
    at: float,
    now: float,
    reason: str = "",
    episode: str = "",
) -> Ownership:
    """
    Return what follows *before* where *by* wants another owner, or shows again who it is.

    A sign of the time *at* that is of before the last change, and came late, changes nothing.
    *episode* is the id of the episode that may begin. Clocks differ: *at* may be later than *now*.
    """
    until = _until(wanted, settings, min(at, now), now)
    is_late = wanted is not Owner.BOT and (at < math.floor(before.since) or until < now)
    has_come = wanted is Owner.WAITING and before.owner in (Owner.WAITING, Owner.HUMAN)
    if is_late or has_come:
        return before
    if wanted is before.owner:
        return replace(before, until=max(until, before.until))
    version = before.version + 1
    after = replace(
        before,
        owner=wanted,
        version=version,
        floor=version if wanted in OTHERS else before.floor,
        since=now,
        until=until,
        by=by,
        reason=reason,
    )
    return replace(after, episode=episode, began=now) if before.owner is Owner.BOT else after


def _until(owner: Owner, settings: HandoffSettings, at: float, now: float) -> float:
    if owner is Owner.WAITING and not settings.is_open(now):
        return now  # nobody comes
    lasts = {Owner.WAITING: settings.waiting, Owner.HUMAN: settings.idle, Owner.APP: APP_IDLE}
    return at + lasts[owner] if owner in lasts else 0.0
