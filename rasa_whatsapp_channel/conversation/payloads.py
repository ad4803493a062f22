"""
Button payloads: which commands were sent to a person on buttons, and what short ids stand for.

What a tap brings back is written by the person's phone, and a tampered app can write anything
there. So a command counts only if it was sent to that person before. Each is stored under a key of
its own before its message is sent, so no tap can be faster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.messages import Message

LIFE: Final = 90 * DAY  # people tap old buttons

_TYPES: Final = ("interactive", "template")


class Payloads:
    """The commands on buttons that were sent. Every method raises `StoreError`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    async def note_sent(self, conversation: str, message: Message) -> None:
        """Store the commands on the buttons of *message*."""
        keys = [sent_key(conversation, command) for command in commands_of(message)]
        if keys:
            await self._values.set_many(dict.fromkeys(keys, 1), LIFE)

    async def keep(self, payloads: Mapping[str, str]) -> None:
        """Store short id → payload, for payloads that are too long for WhatsApp."""
        await self._values.set_many(
            {payload_key(short): payload for short, payload in payloads.items()}, LIFE
        )

    async def find(self, conversation: str, tapped: str, people: People) -> str | None:
        """Return the payload of the button *tapped*; None unless it was sent to this person."""
        if not await self._was_sent(conversation, tapped, people):
            return None
        payload = await self._values.get(payload_key(tapped))
        return payload if isinstance(payload, str) else tapped

    async def _was_sent(self, conversation: str, tapped: str, people: People) -> bool:
        if await self._values.get(sent_key(conversation, tapped)):
            return True
        person = await people.of(conversation)
        for name in person.conversations(conversation):
            if await self._values.get(sent_key(name, tapped)):
                return True
        return False


def is_command(tapped: str) -> bool:
    """Return whether *tapped*, the id of a button, is a command: a slash, or a short id for one."""
    return tapped.lstrip().startswith(("/", "p:"))


def commands_of(message: Message) -> Iterator[str]:
    """Yield the commands that buttons, rows and quick replies of *message* bring back."""
    if message.type in _TYPES:
        yield from _walk(message.body())


def payload_key(short: str) -> str:
    return f"payload:{short}"


def sent_key(conversation: str, command: str) -> str:
    digest = hashlib.sha256(command.encode("utf-8", "surrogatepass")).hexdigest()
    return f"issued:{conversation}:{digest[:32]}"


def _walk(part: Any) -> Iterator[str]:
    """Ids stand under `id`, those of a template under `payload`, at any depth."""
    for value in part if isinstance(part, list) else ():
        yield from _walk(value)
    for key, value in part.items() if isinstance(part, dict) else ():
        if key in ("id", "payload") and isinstance(value, str) and is_command(value):
            yield value
        else:
            yield from _walk(value)
