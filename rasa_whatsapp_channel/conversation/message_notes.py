"""
Message notes: keys of queue items, and what a later status needs to know of an outbox item.

A status may come before the answer of the request, or after the process that sent it has died.
"""

from __future__ import annotations

import re
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY

LIFE: Final = DAY
#: How long an expected confirmation outlives the wait for it.
GRACE: Final = DAY / 24
#: How many unknown messages to one person are told apart.
UNKNOWN_MESSAGES: Final = 20

_PART: Final = re.compile(r"(?::part-\d+)+\Z")

_FAILED: Final = "failed:"


def failure_key(key: str) -> str:
    """Return the key of the inbox item that tells the bot of the failed outbox item *key*."""
    return f"{_FAILED}{key}"


def is_failure_of_failure(key: str) -> bool:
    """Return whether the failed message itself told of a failure; it is named after its turn."""
    return key.startswith(_FAILED * 2)


def part_key(key: str, number: int) -> str:
    """Return the key of one of the messages that the outbox item *key* became."""
    return f"{key}:part-{number}"


def item_key(key: str) -> str:
    """Return the key of the outbox item that became the message *key*, perhaps with others."""
    return _PART.sub("", key)


def template_conversation(recipient_id: str, template: str = "") -> str:
    """
    Return the outbox conversation of templates: messages that wait must not hold them up.

    A *template* that waits itself has one of its own, and holds up no other.
    """
    return ":".join(filter(None, ("template", template, recipient_id)))


class MessageNotes:
    """*key* is that of an outbox item. Every method raises `StoreError`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    async def confirm(self, key: str, message_id: str) -> None:
        """Note that WhatsApp accepted the item as *message_id*, though no answer said so."""
        await self._values.set(_confirmation_key(key), message_id, LIFE)

    async def confirmation(self, key: str) -> str | None:
        """Return the message id that a status told."""
        message_id = await self._values.get(_confirmation_key(key))
        return message_id if isinstance(message_id, str) else None

    async def deny(self, key: str) -> None:
        """Forget what `confirm` noted: WhatsApp did not accept the item."""
        await self._values.delete(_confirmation_key(key))

    async def expect_confirmation(self, key: str, conversation: str, wait: float) -> None:
        """Note that *conversation* waits *wait* seconds for a status of the item."""
        await self._values.set(f"unconfirmed:{key}", conversation, 2 * wait + GRACE)

    async def expecting(self, key: str) -> str | None:
        """Return the conversation that waits for a status of the item."""
        conversation = await self._values.get(f"unconfirmed:{key}")
        return conversation if isinstance(conversation, str) else None

    async def expect_status(self, person: str, key: str) -> None:
        """Note that the item is on its way to *person*."""
        await self._values.set(_expected_key(person), key, LIFE)

    async def expect_no_status(self, person: str) -> None:
        """Note that nothing is on its way to *person*."""
        await self._values.delete(_expected_key(person))

    async def key_of_unknown(self, person: str, message_id: str) -> str | None:
        """
        Return the key of the item that is on its way to *person*, of which a status tells nothing
        but *message_id*; None: there is none, or a status told of the id before.
        """

        def add(told: list[str] | None) -> list[str] | None:
            known = told or []
            return None if message_id in known else [*known, message_id][-UNKNOWN_MESSAGES:]

        before, after = await self._values.change(f"unknown-messages:{person}", add, LIFE)
        key = None if before == after else await self._values.get(_expected_key(person))
        if not isinstance(key, str):
            return None
        await self.expect_no_status(person)
        return key

    async def keep_trace(self, key: str, trace: Any, life: float) -> None:
        """Store the trace context for the statuses of the item and of all its parts."""
        await self._values.set(trace_key(key), trace, life)

    async def trace(self, key: str) -> Any:
        """Return the trace context of the item; None if there is none."""
        return await self._values.get(trace_key(key))


def _confirmation_key(key: str) -> str:
    return f"confirmation:{key}"


def _expected_key(person: str) -> str:
    return f"expected:{person}"


def trace_key(key: str) -> str:
    return f"trace:{item_key(key)}"
