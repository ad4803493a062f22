"""What survives a crash: `open_store` picks the implementation; `base` says what each promises."""

from __future__ import annotations

import time
from typing import Final

from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.errors import StoreError

SQLITE: Final = "sqlite:///"
FORMS: Final = (
    "sqlite:///whatsapp.db (a file beside the bot), sqlite:////var/lib/bot/whatsapp.db "
    "(a file anywhere), memory: (forgotten when the process ends)"
)


def open_store(url: str, *, clock: Clock = time.time) -> Store:
    """
    Return the store *url* names, not opened yet.

    Raises `StoreError` for any other form. The text never repeats the URL: it may hold a password.
    """
    if url == "memory:":
        from rasa_whatsapp_channel.store.memory import MemoryStore

        return MemoryStore(clock=clock)
    if url.startswith(SQLITE) and url != SQLITE and not url.endswith(("/", ":memory:")):
        from rasa_whatsapp_channel.store.sqlite import SQLiteStore

        return SQLiteStore(url[len(SQLITE) :], clock=clock)
    if url.startswith(("redis://", "rediss://")):
        raise StoreError(f"store: Redis is not available yet in this version; use {FORMS}")
    raise StoreError(f"store: not a store this package knows; use {FORMS}")
