"""
Which commands stand on the buttons that a person was sent.

What a tap brings back is written by the person's phone, and a tampered app can write anything
there. So a command counts only where it went out to that very person before. Each is noted in a row
of its own, before its message goes: nobody can tap faster than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.keys import is_command, issued_key
from rasa_whatsapp_channel.whatsapp.messages import Message

LIFE: Final = 90 * DAY  # people tap old buttons

_TYPES: Final = ("interactive", "template")


async def note_issued(values: Values, recipient_id: str, message: Message) -> None:
    """Note the commands of *message*; raises `StoreError`."""
    keys = (issued_key(recipient_id, command) for command in commands_of(message))
    await values.set_many(dict.fromkeys(keys, 1), LIFE)


def commands_of(message: Message) -> Iterator[str]:
    """Yield what the buttons, rows and quick replies of *message* bring back as a command."""
    if message.type in _TYPES:
        yield from _walk(message.body())


def _walk(part: Any) -> Iterator[str]:
    """Ids stand under `id`, a template's under `payload`, wherever WhatsApp puts its buttons."""
    for value in part if isinstance(part, list) else ():
        yield from _walk(value)
    for key, value in part.items() if isinstance(part, dict) else ():
        if key in ("id", "payload") and isinstance(value, str) and is_command(value):
            yield value
        else:
            yield from _walk(value)
