"""
The 24-hour window: after a person's last message, anything goes for a day; then only templates.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp.limits import WINDOW

# WhatsApp counts from its own clock, and a message needs a moment to get there.
MARGIN: Final = 60.0


@dataclass(frozen=True)
class Open:
    """The message may go. *known* is false when nothing is known of the person's last message."""

    known: bool = True


@dataclass(frozen=True)
class Wait:
    """The window is closed. The message waits up to *left* seconds for the person to write."""

    left: float


@dataclass(frozen=True)
class TooLate:
    """The window stayed closed for as long as the message was kept."""


def is_closed(wrote_at: float | None, now: float) -> bool:
    """
    Return whether the window of a person who last wrote at *wrote_at* is surely closed.

    Where nothing is known it may be open: the store may be younger than the conversation, and
    WhatsApp says so if it is not.
    """
    return wrote_at is not None and now - wrote_at > WINDOW - MARGIN


def decide(
    *, wrote_at: float | None, now: float, put_at: float, keep: float
) -> Open | Wait | TooLate:
    """Decide about a free message put out at *put_at*, to be kept for *keep* seconds at most."""
    if not is_closed(wrote_at, now):
        return Open(known=wrote_at is not None)
    left = put_at + keep - now
    return Wait(left) if left > 0 else TooLate()


def is_covered(last: float | None, *, wrote_at: float | None, put_at: float, keep: float) -> bool:
    """
    Return whether a template of the time *last* speaks for a message put out at *put_at*, too.

    It does until the person writes, for what is put out in the first half of the *keep* seconds
    that messages wait. What a bot says once a day is worth a template each time.
    """
    return last is not None and (wrote_at or 0.0) < last and put_at < last + keep / 2
