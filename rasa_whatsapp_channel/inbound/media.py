"""Incoming media → files in a folder."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import mimetypes
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.inbound.files import InboundMedia, StoredFile
from rasa_whatsapp_channel.whatsapp.clients.base import Client, Download
from rasa_whatsapp_channel.whatsapp.errors import APIError, MediaError

__all__ = ["InboundMedia", "MediaFolder", "StoredFile"]

logger = logging.getLogger(__name__)

_UNKNOWN_TYPE: Final = "application/octet-stream"
# Safe on every file system, also on one that does not tell A from a. Real ids are like that.
_SAFE: Final = re.compile(r"[a-z0-9-]{1,64}")

# What WhatsApp sends, so that a machine's own table of types does not change our names.
_ENDINGS: Final = {
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/plain": ".txt",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
}


def _today() -> date:
    return datetime.now(timezone.utc).date()


class MediaFolder:
    """
    Keeps incoming files as *folder*/date/id.ending.

    Names are ours: nothing of the sender's filename reaches the disk. A file is complete, or it is
    not there.
    """

    def __init__(
        self,
        folder: Path,
        client: Client,
        *,
        max_bytes: int,
        today: Callable[[], date] = _today,
    ) -> None:
        self._folder = folder
        self._client = client
        self._max_bytes = max_bytes
        self._today = today

    async def fetch(self, media: InboundMedia) -> StoredFile:
        """
        Download *media* and return where it is.

        Raises `MediaError` when it is too large, arrives damaged or cannot be written, and what the
        client raises when WhatsApp does not give it.
        """
        if media.url is not None:
            try:
                return await self._fetch(media, media.url)
            except APIError as error:
                # The URL in a webhook lives five minutes; the id brings a new one.
                logger.debug("whatsapp.media_url_refused", extra={"reason": str(error)})
        return await self._fetch(media, None)

    async def _fetch(self, media: InboundMedia, url: str | None) -> StoredFile:
        async with self._client.download(media.id, url=url) as download:
            if download.size is not None and download.size > self._max_bytes:
                raise self._too_large(media)
            mime_type = media.mime_type or download.mime_type or _UNKNOWN_TYPE
            target = (
                self._folder / self._today().isoformat() / (_stem(media.id) + ending(mime_type))
            )
            partial = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.part")
            try:
                size, digest = await self._save(media, download, partial)
                check_digest(media, digest)
                await asyncio.to_thread(partial.replace, target)
            except OSError as error:
                raise MediaError(f"{target} cannot be written: {error}") from error
            finally:
                await asyncio.to_thread(_remove, partial)
        return StoredFile(str(target), size, mime_type, digest.hex())

    async def _save(
        self, media: InboundMedia, download: Download, partial: Path
    ) -> tuple[int, bytes]:
        size, digest = 0, hashlib.sha256()
        await asyncio.to_thread(partial.parent.mkdir, parents=True, exist_ok=True)
        with await asyncio.to_thread(partial.open, "xb") as file:
            async for chunk in download.chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise self._too_large(media)
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        return size, digest.digest()

    def _too_large(self, media: InboundMedia) -> MediaError:
        return MediaError(f"{media.kind} {media.id} is larger than {self._max_bytes} bytes")


def ending(mime_type: str) -> str:
    """Return the ending for a file of *mime_type*, with its dot."""
    plain = mime_type.partition(";")[0].strip().lower()
    return _ENDINGS.get(plain) or mimetypes.guess_extension(plain) or ".bin"


def check_digest(media: InboundMedia, digest: bytes) -> None:
    """Raise `MediaError` when WhatsApp announced another hash than *digest*."""
    announced = (media.sha256 or "").strip()
    # Base64 in Cloud webhooks, hex elsewhere; of another length it is no SHA-256 that we know.
    written = {44: base64.b64encode(digest).decode(), 64: digest.hex()}.get(len(announced))
    if written is None:
        return
    if written != (announced.lower() if len(announced) == 64 else announced):
        raise MediaError(f"{media.kind} {media.id} arrived damaged: its SHA-256 does not fit")


def _stem(media_id: str) -> str:
    if _SAFE.fullmatch(media_id):
        return media_id
    return hashlib.sha256(media_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _remove(path: Path) -> None:
    with suppress(OSError):  # what is wrong with the folder has been said already
        path.unlink()
