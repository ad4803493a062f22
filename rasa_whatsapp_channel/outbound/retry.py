"""What to do with a message after sending it failed: decisions as values, without a clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import Remedy, SendError

ATTEMPTS: Final = 8  # for what may pass by itself: about four minutes of trying
LONGEST: Final = 300.0
WAIT: Final = 300.0  # first pause where WhatsApp asks for minutes to hours
WAITS: Final = 24

PAIR_LIMIT: Final = 131056


@dataclass(frozen=True)
class Again:
    """Try again after *wait* seconds."""

    wait: float


@dataclass(frozen=True)
class GiveUp:
    """Set the message aside; *reason* is for a person."""

    reason: str


Decision = Again | GiveUp


def decide(error: SendError, attempt: int, *, jitter: float = 0.0) -> Decision:
    """
    Decide about the *attempt*-th failure (from 1). *jitter*, 0 to 1, spreads what would meet again.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
    gives the one formula there is, for the pair limit: 4^X seconds.
    """
    if error.remedy is Remedy.RETRY and attempt < ATTEMPTS:
        code = getattr(error, "code", None)
        wait = 4.0 ** (attempt - 1) if code == PAIR_LIMIT else 2.0 ** (attempt - 1)
        return Again(max(min(wait, LONGEST) * (1 + jitter / 2), error.retry_after or 0.0))
    if error.remedy in (Remedy.WAIT, Remedy.RENEW_TOKEN) and attempt < WAITS:
        # A client that can log in again has done so already; what is left is a token to replace.
        return Again(max(WAIT * (1 + jitter / 2), error.retry_after or 0.0))
    tried = f" after {attempt} attempts" if attempt > 1 else ""
    return GiveUp(f"{error}{tried}")
