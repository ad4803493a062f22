"""Keys of queue items that inbound and outbound share, and the lane of templates."""

from __future__ import annotations

from typing import Final

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


def template_lane(recipient_id: str) -> str:
    """Return the outbox conversation of templates: messages that wait must not hold them up."""
    return f"template:{recipient_id}"
