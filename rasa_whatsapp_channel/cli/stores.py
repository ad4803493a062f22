"""The bot's store, opened from outside of the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from rasa_whatsapp_channel.cli.credentials import credentials_option, read_store
from rasa_whatsapp_channel.store.base import OUTSIDE, Store
from rasa_whatsapp_channel.store.errors import StoreError

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """Where the store is: its *url*, or what the file *credentials* says."""

    credentials: Path
    url: str | None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Store]:
        """Open the store. Raises `StoreError` when there is none, and makes none."""
        from rasa_whatsapp_channel.store import open_store

        async with open_store(self._find(), retention=OUTSIDE) as store:
            yield store

    def file(self) -> Path | None:
        """Return the file of the store, None where it is in Redis. Raises `StoreError`."""
        from rasa_whatsapp_channel.store import SQLITE

        url = self._find()
        return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None

    def _find(self) -> str:
        from rasa_whatsapp_channel.store import SQLITE

        url = self.url or read_store(self.credentials)
        if url == "memory:":
            raise StoreError("store memory: is inside of the bot, where nobody else can see it")
        path = Path(url.removeprefix(SQLITE))
        if url.startswith(SQLITE) and not path.is_file():
            raise StoreError(
                f"there is no store at {path.absolute()}; go to the folder where the bot was "
                "started, or name the store with --store"
            )
        return url


def store_options(function: Function) -> Function:
    """The two options that make a `Place`: `credentials` and `store`."""
    url = click.option("--store", help="The store itself, as in the setting of that name.")
    return credentials_option(url(function))
