"""Error of the store, raised by every implementation."""

from __future__ import annotations

from rasa_whatsapp_channel.common import ChannelError


class StoreError(ChannelError):
    """The store cannot be opened, read or written."""
