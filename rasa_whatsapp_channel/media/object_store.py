"""Media object store: downloads incoming files into a store such as ``s3://bucket/whatsapp``."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.media.folder import MediaFolder, today_here
from rasa_whatsapp_channel.media.private_files import temporary_folder
from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError

TIMEOUT: Final = 120.0
EXTRA: Final = f"`{install_extra('files')}`"


class MediaObjectStore:
    """
    Keeps incoming files as *url*/date/id_person.ending, each whole and checked before it is there.

    Raises `SettingsError` where fsspec, or the store's own package, is missing.
    """

    def __init__(
        self,
        url: str,
        client: Client,
        *,
        max_bytes: int,
        today: Callable[[], date] = today_here,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._max_bytes = max_bytes
        self._today = today
        self._system, self._root = open_system(url)

    async def fetch(self, media: InboundMedia) -> StoredFile:
        """Download *media* and return where it is. Raises what `MediaFolder.fetch` does."""
        with temporary_folder() as folder:
            local = MediaFolder(folder, self._client, max_bytes=self._max_bytes, today=self._today)
            stored = await local.fetch(media)
            part = Path(stored.path).relative_to(folder).as_posix()
            try:
                work = asyncio.to_thread(self._put, stored.path, part)
                await asyncio.wait_for(work, TIMEOUT)
            except asyncio.TimeoutError as error:
                text = f"{self._url}: takes longer than {TIMEOUT:g} seconds"
                raise MediaError(text, passing=True) from error
            except Exception as error:  # whatever the store's own package raises
                text = f"{self._url}/{part} cannot be written: {error}"
                raise MediaError(text, passing=True) from error
        return replace(stored, path=f"{self._url}/{part}")

    def _put(self, path: str, part: str) -> None:
        target = posixpath.join(self._root, part)
        self._system.makedirs(posixpath.dirname(target), exist_ok=True)
        self._system.put_file(path, target)


def read_object(url: str) -> bytes:
    """Return the content of a file that was kept. Raises whatever the store's own package does."""
    system, path = open_system(url)
    content: bytes = system.cat_file(path)
    return content


def is_url(store: str) -> bool:
    """Tell whether the setting `media.store` names an object store rather than a folder."""
    return "://" in store


def open_system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for *url*, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise SettingsError(f"'media.store': {url} needs {EXTRA}") from error
    try:
        system, root = url_to_fs(url)
    except Exception as error:
        raise SettingsError(f"'media.store': {url} cannot be opened: {error}") from error
    return system, str(root).rstrip("/")
