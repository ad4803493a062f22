"""An on-premises client, opened to be set up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rasa_whatsapp_channel.cli.clients import open_client
from rasa_whatsapp_channel.settings.errors import SettingsError
from rasa_whatsapp_channel.whatsapp.clients.on_premises import OnPremisesAdmin, OnPremisesClient


@asynccontextmanager
async def open_admin(credentials: Path) -> AsyncIterator[OnPremisesAdmin]:
    """Raises `SettingsError` where *credentials* name another API."""
    async with open_client(credentials) as client:
        if not isinstance(client, OnPremisesClient):
            raise SettingsError(f"api {client.api.name} has none of this, only on_premises")
        yield client.admin
