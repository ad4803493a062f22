"""Errors as a command tells them: one sentence, with a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.error_codes import Remedy, Verdict, remedy_of
from rasa_whatsapp_channel.whatsapp.errors import APIError, SendError

_TEMPLATE: Final = (
    "The person has not written for 24 hours, so only a template goes: --template NAME."
)
_ADVICE: Final[Mapping[Verdict, str]] = {
    Verdict.RETRY: "Try again in a moment.",
    Verdict.RETRY_AFTER: "Try again later; WhatsApp asks for minutes to hours.",
    Verdict.REFRESH_TOKEN: "Put a valid access token or login into the channel's block.",
}


def sentence(error: ChannelError) -> str:
    """Return the text of *error*, with a remedy where WhatsApp gave the error."""
    advice = _ADVICE.get(error.verdict) if isinstance(error, SendError) else None
    if isinstance(error, APIError) and remedy_of(error.code) is Remedy.SEND_TEMPLATE:
        advice = _TEMPLATE
    return f"{str(error).rstrip('.')}. {advice}" if advice else str(error)
