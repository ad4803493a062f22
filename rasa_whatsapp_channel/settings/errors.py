"""SettingsError: raised where the channel's settings cannot be used."""

from __future__ import annotations

from rasa_whatsapp_channel.common import ChannelError


class SettingsError(ChannelError):
    """The block in credentials.yml cannot be used; the text names the key and the line to write."""
