"""
The 24 hours after a person's last message, in which a business may write what it likes. No I/O.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from rasa_whatsapp_channel.whatsapp import limits


def window_ends(last_written: float | None) -> float | None:
    """Return when the window closes, in unix seconds; None for a person who never wrote."""
    return None if last_written is None else last_written + limits.WINDOW


def is_refused(kind: str, last_written: float | None, now: float) -> bool:
    """Does a message of this type come too late? Templates never do."""
    ends = window_ends(last_written)
    return kind != "template" and (ends is None or ends <= now)
