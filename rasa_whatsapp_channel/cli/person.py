"""People on the command line: phone numbers as they are written, and user ids."""

from __future__ import annotations

import click

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import to_recipient


def to_person(number: str) -> str:
    """Return *number* as WhatsApp and the store write it; a user id stays as it is."""
    try:
        return to_recipient(number)
    except InvalidMessage as error:
        raise click.BadParameter(error.problem) from error
