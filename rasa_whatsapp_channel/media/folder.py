"""Media folder: downloads incoming files into a folder per day."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timezone
from pathlib import Path
from typing import IO, Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.media.names import ending
from rasa_whatsapp_channel.media.private_files import (
    create_private,
    keep_private,
    make_private_folder,
)
from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile
from rasa_whatsapp_channel.whatsapp.clients.base import Client, Download
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.mime import ANY

# Safe on every file system, also on one that does not tell A from a. Real ids are like that.
_SAFE: Final = re.compile(r"[a-z0-9-]{1,64}")


def today_here() -> date:
    return datetime.now(timezone.utc).date()


class MediaFolder:
    """
    Stores incoming files as *folder*/date/id_person.extension, see `person_tag`.

    Nothing of the sender's filename is used. A file is complete, or absent. Only the bot's user can
    read the files, the folders of the days, and *folder* if it is created here.
    """

    def __init__(
        self,
        folder: Path,
        client: Client,
        *,
        max_bytes: int,
        today: Callable[[], date] = today_here,
    ) -> None:
        self._folder = folder
        self._client = client
        self._max_bytes = max_bytes
        self._today = today
        self._closed = False  # to everybody else: the days that were there before

    async def fetch(self, media: InboundMedia) -> StoredFile:
        """
        Download *media* and return where it is.

        Raises `MediaError` when it is too large, arrives damaged or cannot be written, and what the
        client raises when WhatsApp does not give it.
        """
        with instrumentation.span("download") as span:
            async with self._client.download(media.id, url=media.url) as download:
                span.set_file(download.mime_type)
                return await self._keep(media, download)

    async def _keep(self, media: InboundMedia, download: Download) -> StoredFile:
        if download.size is not None and download.size > self._max_bytes:
            raise self._too_large(media)
        mime_type = media.mime_type or download.mime_type or ANY
        name = _stem(media) + ending(mime_type)
        target = self._folder / self._today().isoformat() / name
        try:
            size, digest = await self._save(media, download, target)
        except OSError as error:
            text = f"{target} cannot be written: {error}"
            raise MediaError(text, passing=True) from error
        return StoredFile(str(target), size, mime_type, digest.hex())

    async def _save(
        self, media: InboundMedia, download: Download, target: Path
    ) -> tuple[int, bytes]:
        partial = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.part")
        try:
            size, digest = await self._write(media, download, partial)
            check_digest(media, digest)
            await asyncio.to_thread(partial.replace, target)
        finally:
            await asyncio.to_thread(_remove, partial)
        return size, digest

    async def _write(
        self, media: InboundMedia, download: Download, partial: Path
    ) -> tuple[int, bytes]:
        size, digest = 0, hashlib.sha256()
        with await asyncio.to_thread(self._create, partial) as file:
            async for chunk in download.chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise self._too_large(media)
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        return size, digest.digest()

    def _create(self, path: Path) -> IO[bytes]:
        make_private_folder(path.parent)
        if not self._closed:
            self._closed = True
            for day in self._folder.iterdir():
                if is_day(day.name) and day.is_dir():
                    keep_private(day)
        return create_private(path)

    def _too_large(self, media: InboundMedia) -> MediaError:
        return MediaError(f"{media.kind} {media.id} is larger than {self._max_bytes} bytes")


def is_day(name: str) -> bool:
    """Tell whether *name* is that of a folder in which the files of a day are kept."""
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def check_digest(media: InboundMedia, digest: bytes) -> None:
    """Raise `MediaError` when WhatsApp announced another hash than *digest*."""
    announced = (media.sha256 or "").strip()
    # Base64 in Cloud webhooks, hex elsewhere; of another length it is no SHA-256 that we know.
    written = {44: base64.b64encode(digest).decode(), 64: digest.hex()}.get(len(announced))
    if written is None:
        return
    if written != (announced.lower() if len(announced) == 64 else announced):
        text = f"{media.kind} {media.id} arrived damaged: its SHA-256 does not fit"
        raise MediaError(text, passing=True)


def person_tag(sender_id: str) -> str:
    """Return what stands in the names of this person's files, so that all of them are found."""
    return hashlib.sha256(sender_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _stem(media: InboundMedia) -> str:
    stem = media.id
    if not _SAFE.fullmatch(stem):
        stem = hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{stem}_{person_tag(media.sender_id)}" if media.sender_id else stem


def _remove(path: Path) -> None:
    with suppress(OSError):  # what is wrong with the folder has been said already
        path.unlink()
