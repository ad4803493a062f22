"""What every command does around its work: a loop, and errors in one sentence with a way out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

import click

from rasa_whatsapp_channel.whatsapp.errors import Remedy, SendError, WhatsAppError

T = TypeVar("T")

_REMEDIES: Final[Mapping[Remedy, str]] = {
    Remedy.RETRY: "Try again in a moment.",
    Remedy.WAIT: "Try again later; WhatsApp asks for minutes to hours.",
    Remedy.TEMPLATE: "The person has not written for 24 hours, so only a template goes: "
    "--template NAME.",
    Remedy.RENEW_TOKEN: "Put a valid access token or login into credentials.yml.",
}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do *work*; every error of this package ends the command with its text."""
    try:
        return asyncio.run(work)
    except WhatsAppError as error:
        raise click.ClickException(sentence(error)) from error


def sentence(error: WhatsAppError) -> str:
    """Return what went wrong, and what to do about it where WhatsApp was asked."""
    remedy = _REMEDIES.get(error.remedy) if isinstance(error, SendError) else None
    return f"{str(error).rstrip('.')}. {remedy}" if remedy else str(error)
