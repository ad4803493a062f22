"""The bot's client, opened from outside of the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rasa_whatsapp_channel.cli.credentials import read_settings
from rasa_whatsapp_channel.whatsapp.clients.base import Client


@asynccontextmanager
async def open_client(credentials: Path) -> AsyncIterator[Client]:
    from rasa_whatsapp_channel.app import make_client  # it brings everything a bot needs

    client = make_client(read_settings(credentials))
    try:
        yield client
    finally:
        await client.close()
