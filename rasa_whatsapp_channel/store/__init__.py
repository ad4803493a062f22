"""Store: queues, ledger and values that survive a crash; `open_store` picks the implementation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import Clock, Retention, Store, StoreError

SQLITE: Final = "sqlite:///"
FORMS: Final = (
    "sqlite:///whatsapp.db (a file beside the bot), sqlite:////var/lib/bot/whatsapp.db "
    "(a file anywhere), redis://host:6379/0 (for several servers), "
    "memory: (forgotten when the process ends)"
)


def open_store(
    url: str, *, clock: Clock | None = None, retention: Retention | None = None
) -> Store:
    """
    Return the store *url* names, not opened yet.

    The default clock is this machine's, or Redis' where servers share one. Raises `StoreError` for
    any other URL. The message never repeats the URL, which may hold a password.
    """
    if url == "memory:":
        url = f"{SQLITE}:memory:"
    elif url.endswith(":memory:"):
        url = ""
    if url.startswith(SQLITE) and url != SQLITE and not url.endswith("/"):
        from rasa_whatsapp_channel.store.sqlite import SQLiteStore

        return SQLiteStore(url[len(SQLITE) :], clock=clock or time.time, retention=retention)
    if url.startswith(("redis://", "rediss://")):
        from rasa_whatsapp_channel.store.redis import RedisStore

        return RedisStore(url, clock=clock, retention=retention)
    raise StoreError(f"store: not a store this package knows; use {FORMS}")


def check_store(url: str) -> None:
    """Raise `StoreError` for a store that certainly cannot be opened. Opens nothing."""
    open_store(url)
    folder = Path(url.removeprefix(SQLITE)).resolve().parent
    if url.startswith(SQLITE) and not folder.is_dir():
        raise StoreError(f"store: the folder {folder} does not exist; make it")
