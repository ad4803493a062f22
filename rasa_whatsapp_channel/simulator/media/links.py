"""Media links: loads the file of a `link`, as the platform does after its response."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import MediaError


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
        async with session.get(link, timeout=limit, headers=headers) as response:
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
