"""
Files → media ids: found, checked, uploaded once, used until shortly before they end.

An id belongs to the content of a file, so files may be renamed, copied and changed at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.outbound import files
from rasa_whatsapp_channel.outbound.links import Links
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import Media, MediaMessage, Message, replace_media
from rasa_whatsapp_channel.whatsapp.transport import File

# An id that ends while the message is on its way would be refused.
MARGIN: Final = 3600

_CHUNK: Final = 1 << 20


class MediaUploads:
    """
    Puts uploaded ids in the place of paths. *root* is the bot's folder, *account* who owns the ids.

    Raises `MediaError` for a file that cannot go, `SendError` when an upload failed, `StoreError`.
    """

    def __init__(
        self, client: Client, values: Values, *, root: Path, account: str, links: Links
    ) -> None:
        self._client = client
        self._values = values
        self._links = links
        self._root = root
        self._account = account
        self._running: dict[str, asyncio.Task[str]] = {}

    async def prepare(self, message: Message, *, links: bool = False) -> Message:
        """
        Return *message* as it can be sent, with an id where it had a path.

        With *links* the files behind links are fetched and uploaded too, as they always are for an
        API that takes none.
        """
        # Headers of interactive messages and templates take links everywhere.
        links = links or (isinstance(message, MediaMessage) and not self._client.api.link)
        ids = {}
        for media, kind in files.find_kinds(message):
            if media.path is not None:
                ids[media] = Media(id=await self._upload_path(media.path, kind))
            elif media.link is not None and links:
                ids[media] = Media(id=await self._upload_link(media.link, kind))
        return replace_media(message, ids) if ids else message

    async def forget(self, media_id: str) -> None:
        """Upload the file behind *media_id* anew when it is needed next: the platform lost it."""
        content_key = _content_key(self._account, media_id)
        key = await self._values.get(content_key)
        if isinstance(key, str):
            await self._values.delete(key)
            await self._values.delete(content_key)

    async def close(self) -> None:
        """End the uploads that nobody waits for any more."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _upload_path(self, path: str, kind: str) -> str:
        return await self._upload(*await asyncio.to_thread(self._open, path, kind))

    async def _upload_link(self, link: str, kind: str) -> str:
        async with self._links.fetch(link) as path:
            return await self._upload(*await asyncio.to_thread(self._check, link, path, kind))

    async def _upload(self, file: File, digest: str) -> str:
        key = _id_key(self._account, digest, file.mime_type)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._find_or_upload(key, file))
            task.add_done_callback(lambda done: self._end(key, done))
        # Who stops waiting must not take the upload from the others.
        return await asyncio.shield(task)

    def _end(self, key: str, task: asyncio.Task[str]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more

    async def _find_or_upload(self, key: str, file: File) -> str:
        known = await self._values.get(key)
        if isinstance(known, str):
            return known
        media_id = await self._client.upload(file)
        life = self._client.api.media_id_life - MARGIN
        await self._values.set(_content_key(self._account, media_id), key, life)
        await self._values.set(key, media_id, life)
        return media_id

    def _open(self, path: str, kind: str) -> tuple[File, str]:
        """Return the file at *path*, checked, and the hash of its content. Blocks."""
        try:
            found = files.locate(self._root, path)
        except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path, links in a circle
            raise MediaError(f"{path}: cannot be read: {error}") from error
        return self._check(path, found, kind)

    def _check(self, name: str, found: Path, kind: str) -> tuple[File, str]:
        """Return the file *found*, known as *name*, when it can go as *kind*. Blocks."""
        try:
            stat = found.stat()
            files.check_size(name, stat.st_size, limits.MEDIA_BYTES[kind], kind)
            content = _read_content(found, stat.st_size, stat.st_mtime_ns)
        except OSError as error:
            raise MediaError(f"{name}: cannot be read: {error}") from error
        mime_type = files.mime_type_of(content.head, found.name, kind)
        files.check_type(name, mime_type, kind)
        if kind == "sticker":
            files.check_sticker(name, stat.st_size, content.head, self._client.api)
        return File(found, mime_type, found.name), content.digest


@dataclass(frozen=True)
class _Content:
    """What a file holds: its first bytes, and the hash of all of them."""

    head: bytes
    digest: str


@lru_cache(maxsize=512)
def _read_content(path: Path, size: int, modified: int) -> _Content:
    """Read a file once while *size* and *modified* stay: they are there for the cache only."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        digest.update(head)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return _Content(head, digest.hexdigest())


def _id_key(account: str, digest: str, mime_type: str) -> str:
    return f"media:{account}:{digest}:{mime_type}"


def _content_key(account: str, media_id: str) -> str:
    """Where the key of the content that became *media_id* is kept, so that it can be forgotten."""
    return f"media-id:{account}:{media_id}"
