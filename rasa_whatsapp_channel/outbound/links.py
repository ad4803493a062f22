"""Links → files, fetched by us where WhatsApp could not or does not."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.limits import MB
from rasa_whatsapp_channel.whatsapp.transport import Request, StreamedResponse, Transport

REDIRECTS: Final = 3
TIMEOUT: Final = 60.0
MAX_BYTES: Final = 100 * MB


class Links:
    """
    *private* allows addresses of one's own network: a link may come from anywhere, even from what
    a person wrote, and must not make the bot read what only the bot can reach.
    """

    def __init__(
        self, transport: Transport, *, private: bool = False, max_bytes: int = MAX_BYTES
    ) -> None:
        self._transport = transport
        self._private = private
        self._max_bytes = max_bytes

    @asynccontextmanager
    async def fetch(self, link: str) -> AsyncIterator[Path]:
        """Fetch *link* into a file that is there inside the block. Raises `MediaError`."""
        with tempfile.TemporaryDirectory(prefix="whatsapp-") as folder:
            path = Path(folder) / (Path(urlsplit(link).path).name[-80:] or "file")
            try:
                await self._fetch(link, path)
            except TransportError as error:
                raise MediaError(f"{link}: cannot be fetched: {error}") from error
            except OSError as error:
                raise MediaError(f"{link}: cannot be kept: {error}") from error
            yield path

    async def _fetch(self, link: str, path: Path) -> None:
        url = link
        for _ in range(REDIRECTS + 1):
            await self._check_address(url)
            async with self._transport.stream(Request("GET", url, timeout=TIMEOUT)) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.headers.get("location", ""))
                    continue
                if answer.status != 200:
                    raise MediaError(f"{link}: answers HTTP {answer.status}")
                await self._write(link, answer, path)
                return
        raise MediaError(f"{link}: redirects more than {REDIRECTS} times")

    async def _write(self, link: str, answer: StreamedResponse, path: Path) -> None:
        size = 0
        with path.open("wb") as file:
            async for chunk in answer.chunks():
                size += len(chunk)
                if size > self._max_bytes:
                    raise MediaError(f"{link}: is larger than {self._max_bytes // MB} MB")
                await asyncio.to_thread(file.write, chunk)

    async def _check_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MediaError(f"{url}: is no http or https address")
        if self._private:
            return
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise MediaError(f"{url}: the host is not known: {error}") from error
        for *_, address in found:
            if not ipaddress.ip_address(str(address[0]).split("%")[0]).is_global:
                raise MediaError(
                    f"{url}: lies in a private network; `media: {{private_links: true}}` allows it"
                )
