"""The channel of the bot in this folder, without Rasa: what commands put into its store is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rasa_whatsapp_channel.app import App
from rasa_whatsapp_channel.cli.open import read_settings


@asynccontextmanager
async def running_bot() -> AsyncIterator[App]:
    app = App(read_settings(Path("credentials.yml")), root=Path())
    await app.open()
    app.start()
    try:
        yield app
    finally:
        await app.stop()
        await app.close()
