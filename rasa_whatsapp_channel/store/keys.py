"""Names under which the small values are kept, since both directions use them."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_FAILED: Final = "failed:"
_PART: Final = re.compile(r"(?::part-\d+)+\Z")


def payload_key(short: str) -> str:
    """A button's payload that was too long for WhatsApp, under the short id it was sent with."""
    return f"payload:{short}"


def is_command(tapped: str) -> bool:
    """Return whether what a button brings back may be a command: a slash, or a short id for one."""
    return tapped.lstrip().startswith(("/", "p:"))


def issued_key(recipient_id: str, command: str) -> str:
    """That a button with *command* was sent to this person."""
    digest = hashlib.sha256(command.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{issued_prefix(recipient_id)}{digest[:32]}"


def issued_prefix(recipient_id: str) -> str:
    """How the keys of all buttons begin that were sent to this person."""
    return f"issued:{recipient_id}:"


def choices_key(recipient_id: str) -> str:
    """What the numbers stand for that this person was offered, see `store.choices`."""
    return f"choices:{recipient_id}"


def person_key(value: str) -> str:
    """The name of the conversation that this phone number or user id belongs to."""
    return f"person:{value}"


def address_key(name: str) -> str:
    """What is known of the person of the conversation *name*, see `conversation.identity`."""
    return f"address:{name}"


def pieces_key(name: str) -> str:
    """What came in of late in the conversation *name*, where messages in a row are one turn."""
    return f"pieces:{name}"


def silence_key(name: str) -> str:
    """Why nobody answers in the conversation *name*, see `inbound.silence`."""
    return f"silence:{name}"


def failure_key(key: str) -> str:
    """The entry of the inbox that tells of the failure of the outbox's entry *key*."""
    return f"{_FAILED}{key}"


def is_failure_of_failure(key: str) -> bool:
    """Return whether what failed was said about a failure; its entries are named after the turn."""
    return key.startswith(_FAILED * 2)


def wrote_key(recipient_id: str) -> str:
    """When a person last wrote, in unix seconds."""
    return f"wrote:{recipient_id}"


def reengaged_key(recipient_id: str) -> str:
    """When a person was last sent the template for closed windows, in unix seconds."""
    return f"reengaged:{recipient_id}"


def confirmation_key(key: str) -> str:
    """The id of the message of the outbox entry *key*, told by a status before we knew it."""
    return f"confirmation:{key}"


def unconfirmed_key(key: str) -> str:
    """The conversation of the outbox entry *key*, which was sent and may have been taken."""
    return f"unconfirmed:{key}"


def part_key(key: str, number: int) -> str:
    """One of several messages that the outbox entry *key* became."""
    return f"{key}:part-{number}"


def trace_key(key: str) -> str:
    """The trace that the outbox entry *key*, or a part of it, belongs to, for its statuses."""
    return f"trace:{_PART.sub('', key)}"


def template_lane(recipient_id: str) -> str:
    """The outbox conversation for templates: free messages that wait must not hold them up."""
    return f"template:{recipient_id}"


def keys_of(name: str) -> tuple[str, ...]:
    """Return all that is kept of the conversation *name*, beside what begins `issued_prefix`."""
    keys = (wrote_key, choices_key, person_key, address_key, pieces_key, reengaged_key, silence_key)
    return tuple(key(name) for key in keys)
