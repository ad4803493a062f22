"""
Files beside the bot → media ids: found, checked, uploaded once, used until shortly before they end.

An id belongs to the content of a file, so files may be renamed, copied and changed at any time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import Media, MediaMessage, Message, replace_media
from rasa_whatsapp_channel.whatsapp.transport import File

# An id that ends while the message is on its way would be refused.
MARGIN: Final = 3600

_CHUNK: Final = 1 << 20
_KINDS: Final = {"gif": "video"}  # a template's gif is an mp4


class MediaUploads:
    """
    Puts uploaded ids in the place of paths. *root* is the bot's folder, *account* who owns the ids.

    Raises `MediaError` for a file that cannot go, `SendError` when an upload failed, `StoreError`.
    """

    def __init__(self, client: Client, values: Values, *, root: Path, account: str) -> None:
        self._client = client
        self._values = values
        self._root = root
        self._account = account
        self._running: dict[str, asyncio.Task[str]] = {}

    async def prepare(self, message: Message) -> Message:
        """Return *message* as it can be sent, with an id where it had a path."""
        self._check_link(message)
        ids = {
            media: Media(id=await self._upload(media.path, kind))
            for media, kind in _find_kinds(message)
            if media.path is not None
        }
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

    def _check_link(self, message: Message) -> None:
        link = message.media.link if isinstance(message, MediaMessage) else None
        if link and not self._client.api.link:  # headers take links everywhere
            raise MediaError(
                f"{link}: api {self._client.api.name} takes no links; "
                "put the file beside the bot and give its path"
            )

    async def _upload(self, path: str, kind: str) -> str:
        file, digest = await asyncio.to_thread(self._open, path, kind)
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
            found = _locate(self._root, path)
            stat = found.stat()
            _check_size(path, stat.st_size, limits.MEDIA_BYTES[kind], kind)
            content = _read_content(found, stat.st_size, stat.st_mtime_ns)
        except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path, links in a circle
            raise MediaError(f"{path}: cannot be read: {error}") from error
        mime_type = _mime_type(content.head, found.name, kind)
        _check_type(path, mime_type, kind)
        if kind == "sticker":
            self._check_sticker(path, stat.st_size, animated=_is_animated(content.head))
        return File(found, mime_type, found.name), content.digest

    def _check_sticker(self, path: str, size: int, *, animated: bool) -> None:
        if not animated:
            _check_size(path, size, limits.STICKER_STATIC_BYTES, "static sticker")
        elif not self._client.api.animated_stickers:
            raise MediaError(f"{path}: api {self._client.api.name} takes no animated stickers")


@dataclass(frozen=True)
class _Content:
    """What a file holds: its first bytes, and the hash of all of them."""

    head: bytes
    digest: str


def _locate(root: Path, path: str) -> Path:
    """Return the file at *path* below *root*. A symbolic link may not lead out of it either."""
    top = root.resolve()
    found = (top / path).resolve()
    if Path(path).is_absolute() or not found.is_relative_to(top):
        raise MediaError(f"{path}: lies outside of the bot's folder; a path begins in that folder")
    if not found.is_file():
        what = "is no file" if found.exists() else "does not exist"
        raise MediaError(f"{path}: {what} in the bot's folder, {top}")
    return found


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


def _find_kinds(value: object, kind: str = "document") -> Iterator[tuple[Media, str]]:
    """Yield every `Media` inside a message with the kind of file that belongs in its place."""
    if isinstance(value, Media):
        yield value, _KINDS.get(kind, kind if kind in limits.MEDIA_BYTES else "document")
    elif dataclasses.is_dataclass(value):
        inner = str(getattr(value, "header_type", None) or getattr(value, "type", kind))
        for field in dataclasses.fields(value):
            yield from _find_kinds(getattr(value, field.name), inner)
    elif isinstance(value, tuple):
        for item in value:
            yield from _find_kinds(item, kind)


def _mime_type(head: bytes, name: str, kind: str) -> str:
    """Return the MIME type: the content tells it, where it does not the ending."""
    found = mime.from_content(head) or mime.from_ending(name) or mime.ANY
    if kind == "audio" and found == "video/mp4":  # one container; sound alone is often not marked
        return "audio/mp4"
    return found


def _check_type(path: str, mime_type: str, kind: str) -> None:
    if kind == "document":  # each API takes others; it says so itself
        return
    if kind == "audio" and mime_type == "audio/ogg":
        raise MediaError(f"{path}: is Ogg, but not Opus; WhatsApp plays no other sound in Ogg")
    known = limits.MEDIA_TYPES[kind]
    if mime.base_type(mime_type) not in known:
        raise MediaError(
            f"{path}: is {mime_type}; WhatsApp takes {', '.join(sorted(known))} as {kind}"
        )


def _check_size(path: str, size: int, limit: int, kind: str) -> None:
    if size == 0:
        raise MediaError(f"{path}: is empty")
    if size > limit:
        raise MediaError(f"{path}: has {size} bytes; WhatsApp takes at most {limit} as {kind}")


def _is_animated(head: bytes) -> bool:
    """Read the animation flag of a WebP file; only the extended format has one."""
    # https://developers.google.com/speed/webp/docs/riff_container#extended_file_format
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0b10)


def _id_key(account: str, digest: str, mime_type: str) -> str:
    return f"media:{account}:{digest}:{mime_type}"


def _content_key(account: str, media_id: str) -> str:
    """Where the key of the content that became *media_id* is kept, so that it can be forgotten."""
    return f"media-id:{account}:{media_id}"
