"""Source reader: reads files from ``data:`` URLs and object stores."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.media.access import FileAccess, scheme_of, short, type_of_data
from rasa_whatsapp_channel.media.links import Fetched
from rasa_whatsapp_channel.media.names import safe, with_ending
from rasa_whatsapp_channel.media.private_files import create_private, is_full, temporary_folder
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.limits import MB

EXTRA: Final = f"`{install_extra('files')}` lets the channel read it"
MAX_BYTES: Final = 100 * MB
TIMEOUT: Final = 120.0

_CHUNK: Final = 1 << 20
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class Sources:
    """
    Reads what *access* allows. Whatever else an address names is not even asked: the stores'
    packages bring the bot's own credentials along.
    """

    def __init__(
        self,
        access: FileAccess,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float = TIMEOUT,
    ) -> None:
        self._access = access
        self._max_bytes = max_bytes
        self._timeout = timeout

    async def tag(self, url: str) -> str:
        """Return what changes when the file at *url* does."""
        if scheme_of(url) == "data":
            return ""
        system, path = await asyncio.to_thread(self._open, url)
        return str(await self._within(url, system.ukey, path))

    @asynccontextmanager
    async def fetch(self, url: str) -> AsyncIterator[Fetched]:
        """Read *url* into a file that is there inside the block. Raises `MediaError`."""
        with temporary_folder() as folder:
            path = folder / "file"
            if scheme_of(url) == "data":
                name = await asyncio.to_thread(self._write_data, url, path)
            else:
                system, there = await asyncio.to_thread(self._open, url)
                await self._within(url, self._copy, system, there, path)
                name = safe(there) or "file"
            yield Fetched(path, name)

    def _open(self, url: str) -> tuple[Any, str]:
        address = self._access.address_of(url)
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MediaError(f"{short(url)}: {EXTRA}") from error
        try:
            system, path = url_to_fs(address)
        except Exception as error:  # whatever the store's own package raises
            raise MediaError(f"{short(url)}: cannot be opened: {error}") from error
        return system, path

    async def _within(self, url: str, function: Any, *arguments: Any) -> Any:
        """Call *function* in a thread. The stores' packages raise whatever they like."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(function, *arguments), self._timeout)
        except MediaError as error:
            raise MediaError(f"{short(url)}: {error}", passing=error.passing) from error
        except asyncio.TimeoutError as error:
            text = f"{short(url)}: is not here after {self._timeout:g} s"
            raise MediaError(text, passing=True) from error
        except Exception as error:
            passing = is_full(error) or isinstance(error, (ConnectionError, TimeoutError))
            text = f"{short(url)}: cannot be read: {error}"
            raise MediaError(text, passing=passing) from error

    def _copy(self, system: Any, there: str, path: Path) -> None:
        size = 0
        with system.open(there, "rb") as source, create_private(path) as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > self._max_bytes:
                    raise MediaError(f"is larger than {self._max_bytes // MB} MB")
                target.write(chunk)

    def _write_data(self, url: str, path: Path) -> str:
        mime_type, content = read_data(url)
        try:
            with create_private(path) as file:
                file.write(content)
        except OSError as error:
            text = f"{short(url)}: cannot be kept: {error}"
            raise MediaError(text, passing=True) from error
        return with_ending("file", mime_type)


def read_data(url: str) -> tuple[str, bytes]:
    """Return MIME type and content of a ``data:`` URL."""
    # https://www.rfc-editor.org/rfc/rfc2397
    head, comma, content = url[len("data:") :].partition(",")
    if not comma:
        raise MediaError(f"{short(url)}: has no comma before its content")
    mime_type = type_of_data(url)
    if not head.lower().endswith(";base64"):
        return mime_type, unquote_to_bytes(content)
    packed = re.sub(rb"\s", b"", unquote_to_bytes(content)).translate(_URL_SAFE)
    try:
        padded = packed.rstrip(b"=") + b"=" * (-len(packed.rstrip(b"=")) % 4)
        return mime_type, base64.b64decode(padded, validate=True)
    except binascii.Error as error:
        raise MediaError(f"{short(url)}: is no base64: {error}") from error
