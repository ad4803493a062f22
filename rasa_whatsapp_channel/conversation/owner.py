"""
Conversation owner: who answers in a conversation, and what each sign of a person changes in it.

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

APP_IDLE: Final = 86_400.0  # WhatsApp takes a conversation from an app a day after the last message


# The version of what is said whoever owns the conversation; those of turns begin with 1.
ANY_OWNER: Final = 0
CLOCK: Final = "clock"  # who gives back what nobody took in time


class Owner(str, Enum):
    BOT = "bot"
    WAITING = "waiting"  # for a person
    HUMAN = "human"
    APP = "app"  # of another company, or Meta's, as WhatsApp says


class Sign(str, Enum):
    """What may change the owner."""

    ASKED = "asked"  # somebody asked for a person
    TOOK = "took"  # a person took it, or wrote in it
    ELSEWHERE = "elsewhere"  # another app owns it
    HEARD = "heard"  # a message came that WhatsApp sends only to the owner
    RETURNED = "returned"  # it is the bot's again
    TIME = "time"  # time has passed


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

    @property
    def was_in_vain(self) -> bool:
        """Return whether somebody waited for a person, and nobody came in time."""
        return self.by == CLOCK and self.floor < self.version - 1

    def may_hear(self, settings: HandoffSettings) -> bool:
        """Return whether the bot gets messages of the person."""
        waits = self.owner is Owner.WAITING
        return self.owner is Owner.BOT or (waits and settings.while_waiting == "bot")

    def may_say(self, version: int, settings: HandoffSettings) -> bool:
        """
        Return whether an answer of a turn that began with *version* may be sent.

        What the bot said before it asked for a person, and in the turn in which it did, still goes.
        """
        if version < self.floor or self.owner in (Owner.HUMAN, Owner.APP):
            return False
        return version < self.version or self.may_hear(settings)


@dataclass(frozen=True)
class Decision:
    before: Ownership
    after: Ownership

    @property
    def silences(self) -> bool:
        """Return whether what the bot was about to say must not be said any more."""
        had = self.before.owner in (Owner.BOT, Owner.WAITING)
        return had and self.after.owner in (Owner.HUMAN, Owner.APP)


def decide(
    before: Ownership,
    sign: Sign,
    settings: HandoffSettings,
    *,
    by: str,
    at: float,
    now: float,
    reason: str = "",
    episode: str = "",
) -> Decision:
    """
    Return what follows from *sign*, given by *by* at the time *at*.

    A sign of before the last change, which came late, changes nothing. *episode* is the id of the
    episode that may begin. Clocks differ: *at* may be later than *now*.
    """
    owner = _next(before, sign, max(now, at))
    until = _until(owner, settings, min(at, now), now)
    late = at < math.floor(before.since) or (owner is not Owner.BOT and until < now)
    if owner is None or (late and sign is not Sign.TIME):
        return Decision(before, before)
    if owner is before.owner:
        return Decision(before, replace(before, until=max(until, before.until)))
    version = before.version + 1
    takes = owner in (Owner.HUMAN, Owner.APP)
    after = replace(
        before,
        owner=owner,
        version=version,
        floor=version if takes else before.floor,
        since=now,
        until=until,
        by=by,
        reason=reason,
    )
    if before.owner is Owner.BOT:
        after = replace(after, episode=episode, began=now)
    return Decision(before, after)


def _next(before: Ownership, sign: Sign, now: float) -> Owner | None:
    """Return the owner after *sign*; None: it says nothing about this one."""
    owner = before.owner
    if sign is Sign.TOOK:
        return Owner.HUMAN
    if sign is Sign.ELSEWHERE:
        return Owner.APP
    if sign is Sign.ASKED:
        return Owner.WAITING if owner in (Owner.BOT, Owner.APP) else None
    if owner is Owner.BOT:
        return None
    if sign is Sign.HEARD:
        return Owner.BOT if owner is Owner.APP else None
    if sign is Sign.TIME:
        return Owner.BOT if before.until <= now else None
    return Owner.BOT


def _until(owner: Owner | None, settings: HandoffSettings, at: float, now: float) -> float:
    if owner is Owner.WAITING and not settings.is_open(now):
        return now  # nobody comes
    lasts = {Owner.WAITING: settings.waiting, Owner.HUMAN: settings.idle, Owner.APP: APP_IDLE}
    return at + lasts[owner] if owner in lasts else 0.0
