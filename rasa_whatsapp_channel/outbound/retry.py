"""What to do with a message after sending it failed: decisions as values, without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import Remedy, SendError, TransportError

PATIENCE: Final = 86_400.0  # an outage may last; after a day an answer is no answer any more
LONGEST: Final = 60.0  # so that everything goes again within a minute after an outage
WAIT: Final = 300.0  # where WhatsApp asks for minutes to hours
ECHO: Final = 5.0  # in which a status tells that a message was taken, though no answer said so
TOKEN: Final = 60.0  # between two looks whether the token is accepted again

PAIR_LIMIT: Final = 131056
# Per-user marketing limit: at least a day, in which the person would hear nothing else either.
NOT_NOW: Final = 131049

# Errors that are as often permanent as not: how many attempts they are worth.
FEW: Final[Mapping[int, int]] = MappingProxyType(
    {1: 2, 500: 4, 1000: 4, 1014: 2, 131000: 4, 135000: 2}
)
# The number, the account or the client itself is at its limit: nobody's messages go for a while.
EVERYONE: Final = frozenset({4, 17, 341, 429, 471, 1011, 1015, 1016, 80007, 130429, 131048, 131057})


@dataclass(frozen=True)
class Again:
    """
    Try again after *wait* seconds.

    *everyone* waits that long, not only this message. *token*: somebody has to replace it.
    """

    wait: float
    everyone: bool = False
    token: bool = False


@dataclass(frozen=True)
class WindowClosed:
    """Only a template goes to this person now."""


@dataclass(frozen=True)
class GiveUp:
    """Set the message aside; *reason* is for a person."""

    reason: str


Decision = Again | WindowClosed | GiveUp


def decide(
    error: SendError, *, failures: int, lasting: float, echoed: bool = False, jitter: float = 0.0
) -> Decision:
    """
    Decide about the *failures*-th failure (from 1) of a message, *lasting* seconds after the first.

    *jitter*, 0 to 1, spreads what would meet again. *echoed*: statuses name the message they are
    of, so one that was taken without our knowledge is worth waiting for.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
    gives the one formula there is, for the pair limit: 4^X seconds.
    """
    code = getattr(error, "code", None)
    status = getattr(error, "status", None)
    if error.remedy is Remedy.TEMPLATE:
        return WindowClosed()
    if error.remedy is Remedy.RENEW_TOKEN:
        return Again(TOKEN, everyone=True, token=True)
    if error.remedy is Remedy.GIVE_UP or code == NOT_NOW:
        return GiveUp(str(error))
    if lasting > PATIENCE or failures >= FEW.get(code or 0, failures + 1):
        return GiveUp(f"{error}, after {failures} attempts in {lasting:.0f} seconds")
    everyone = code in EVERYONE or status in (429, 503)
    wait = _wait(error, code, failures) * (1 + jitter / 2)
    if echoed and isinstance(error, TransportError) and error.reached:
        wait = max(wait, ECHO)
    return Again(max(wait, error.retry_after or 0.0), everyone=everyone)


def _wait(error: SendError, code: int | None, failures: int) -> float:
    if error.remedy is Remedy.WAIT:
        return WAIT
    base = 4.0 if code == PAIR_LIMIT else 2.0
    longest = WAIT if code == PAIR_LIMIT else LONGEST
    # The exponent is bounded too: a day of failures must not overflow a float.
    return min(base ** min(failures - 1, 16), longest)
