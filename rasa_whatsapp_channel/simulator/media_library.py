"""Media library: files uploaded by the bot, sent by people, or loaded from links."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import aiohttp

from rasa_whatsapp_channel.simulator import media_checks
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import proxy_of
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import MEDIA_MESSAGES


@dataclass(frozen=True)
class MediaFile:
    """A stored file; *sha256* is hex. A *deleted* one is still on the phones that received it."""

    id: str
    path: Path
    mime_type: str
    size: int
    sha256: str
    filename: str | None = None
    animated: bool = False
    deleted: bool = False
    ends: float | None = None  # unix time when the API stops serving it


class MediaLibrary:
    """Store files in *root*, by default a temporary folder until `close`."""

    def __init__(self, root: Path | None = None, *, clock: Callable[[], float]) -> None:
        self._root = root
        self._clock = clock
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._files: dict[str, MediaFile] = {}

    async def add(
        self,
        media_id: str,
        content: bytes,
        *,
        mime_type: str,
        filename: str | None = None,
        life: float | None = None,
    ) -> MediaFile:
        """Store a file; the API serves it for *life* seconds."""
        path = self._folder() / media_id
        await asyncio.to_thread(path.write_bytes, content)
        stored = MediaFile(
            id=media_id,
            path=path,
            mime_type=mime_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            filename=filename,
            animated=media_checks.is_animated(content),
            ends=None if life is None else self._clock() + life,
        )
        self._files[media_id] = stored
        return stored

    async def put(self, file: Mapping[str, Any], content: bytes) -> None:
        """Store a file with its metadata from an export."""
        path = self._folder() / str(file["id"])
        await asyncio.to_thread(path.write_bytes, content)
        self._files[str(file["id"])] = MediaFile(path=path, **file)

    async def read(self, media_id: str) -> bytes:
        return await asyncio.to_thread(self._files[media_id].path.read_bytes)

    def all(self) -> list[MediaFile]:
        return list(self._files.values())

    def find(self, media_id: object) -> MediaFile | None:
        return self._files.get(media_id) if isinstance(media_id, str) else None

    def find_usable(self, media_id: object) -> MediaFile | None:
        """Return the file unless it is deleted or expired."""
        stored = self.find(media_id)
        if stored is None or stored.deleted:
            return None
        return stored if stored.ends is None or stored.ends > self._clock() else None

    def delete(self, media_id: str) -> None:
        self._files[media_id] = replace(self._files[media_id], deleted=True)

    async def remove(self, media_id: str) -> None:
        """Remove a file as if it had never been there."""
        stored = self._files.pop(media_id)
        await asyncio.to_thread(stored.path.unlink, missing_ok=True)

    async def clear(self) -> None:
        paths = [stored.path for stored in self._files.values()]
        self._files.clear()
        for path in paths:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def close(self) -> None:
        if self._temporary is not None:
            await asyncio.to_thread(self._temporary.cleanup)
            self._root = self._temporary = None

    def _folder(self) -> Path:
        if self._root is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="whatsapp-simulator-")
            self._root = Path(self._temporary.name)
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root


def media_objects(kind: str, content: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the media objects of a message, its header and its cards, each with its type."""
    if isinstance(content, list):
        for item in content:
            yield from media_objects("", item)
    if not isinstance(content, Mapping):
        return
    if kind in MEDIA_MESSAGES and ("id" in content or "link" in content):
        yield kind, content
        return
    for key, value in content.items():
        yield from media_objects(str(key), value)


def with_urls(kind: str, content: Any, stored: Mapping[str, MediaFile]) -> Any:
    """Return *content* with URL, type, size and name of each file; *stored* is by id and link."""
    if isinstance(content, list):
        return [with_urls("", item, stored) for item in content]
    if not isinstance(content, Mapping):
        return content
    if kind in MEDIA_MESSAGES and ("id" in content or "link" in content):
        file = stored.get(str(content.get("id") or content.get("link")))
        return {**content, **_page_fields(content, file)} if file is not None else content
    return {key: with_urls(str(key), value, stored) for key, value in content.items()}


def _page_fields(content: Mapping[str, Any], file: MediaFile) -> dict[str, Any]:
    return {
        "url": f"/simulator/media/{file.id}",
        "mime_type": file.mime_type,
        "size": file.size,
        "filename": content.get("filename") or file.filename,
    }


@dataclass(frozen=True)
class LoadedFile:
    content: bytes
    mime_type: str


def read_link(media: Mapping[str, Any]) -> str:
    """Return the URL of a media object, without a provider's name before it."""
    link, name = str(media["link"]), read_provider(media)
    return link.removeprefix(f"{name}/") if name else link


def read_provider(media: Mapping[str, Any]) -> str | None:
    """Return the name of the provider whose credentials a link needs."""
    provider = media.get("provider")
    return provider.get("name") if isinstance(provider, Mapping) else provider


def login_of(provider: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers with the provider's credentials."""
    config = provider["config"]
    if "bearer" in config:
        return {"Authorization": f"Bearer {config['bearer']}"}
    basic = config["basic"]
    pair = f"{basic['username']}:{basic['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


async def load_link(
    session: aiohttp.ClientSession,
    link: str,
    *,
    kind: str,
    timeout: float,
    headers: Mapping[str, str] | None = None,
) -> LoadedFile:
    """Return the file of *link*; raise `MediaError` if it cannot be sent as *kind*."""
    most = limits.MEDIA_BYTES[kind]
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        proxy = proxy_of(link, getproxies())
        async with session.get(link, timeout=limit, headers=headers, proxy=proxy) as response:
            if response.status != 200:
                raise MediaError(f"The link returns HTTP {response.status}.")
            content = await _read(response, most)
            mime_type = response.headers.get("Content-Type", "application/octet-stream")
    except asyncio.TimeoutError:
        raise MediaError(f"The link does not respond within {timeout:g} seconds.") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise MediaError(f"The link cannot be loaded: {error or type(error).__name__}.") from error
    return LoadedFile(content, mime_type)


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > most:
            raise MediaError(f"The file behind the link has more than {most} bytes.")
    return bytes(content)
