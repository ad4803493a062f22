"""Names under which the small values are kept, since both directions use them."""

from __future__ import annotations


def payload_key(short: str) -> str:
    """A button's payload that was too long for WhatsApp, under the short id it was sent with."""
    return f"payload:{short}"
