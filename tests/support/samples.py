"""Webhooks typed in from WhatsApp's documentation, as bytes."""

from __future__ import annotations

from pathlib import Path

WEBHOOKS = Path(__file__).parents[1] / "samples" / "webhooks"


def webhook(name: str) -> bytes:
    """Return the body of sample *name*, e.g. ``cloud/text``."""
    return (WEBHOOKS / f"{name}.json").read_bytes()


def names() -> list[str]:
    return sorted(
        path.relative_to(WEBHOOKS).with_suffix("").as_posix() for path in WEBHOOKS.rglob("*.json")
    )
