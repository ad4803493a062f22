"""Link fetcher: downloads files from HTTP links, never from private networks unless allowed."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from yarl import URL

from rasa_whatsapp_channel.media.access import short
from rasa_whatsapp_channel.media.names import name_of_answer
from rasa_whatsapp_channel.media.private_files import create_private, temporary_folder
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.limits import MB
from rasa_whatsapp_channel.whatsapp.networks import (
    is_inner_name,
    is_local_name,
    is_public,
    literals_of,
)
from rasa_whatsapp_channel.whatsapp.transport import Request, StreamedResponse, Transport

REDIRECTS: Final = 3
TIMEOUT: Final = 120.0
MAX_BYTES: Final = 100 * MB
PROXIED_LOOKUP: Final = 3.0  # seconds; a network with a proxy may have no DNS to the outside
SHOWN_LOOKUP: Final = 1.0  # seconds; who cannot be looked up at once is shown to nobody

LookUp = Callable[[str], Awaitable[Sequence[str]]]

# What a file server answers that may be otherwise in a moment.
_PASSING: Final = frozenset({408, 425, 429})

# Names and addresses, IPv6 too. A proxy may decode or cut what else stands there.
_PLAIN: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched. *name* is safe to be shown and to be written."""

    path: Path
    name: str


class Links:
    """
    *private* allows addresses of one's own network: a link may come from anywhere, even from what
    a person wrote, and must not make the bot read what only the bot can reach.

    *proxy_of* returns the proxy that the transport asks for a link. What a name means is then up to
    the proxy; this machine may not know it.

    *timeout* is for all of it, redirects and a slow end included. Seconds.

    *look_up* returns the addresses that a name means.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        private: bool = False,
        proxy_of: Callable[[str], str | None] = lambda link: None,
        max_bytes: int = MAX_BYTES,
        timeout: float = TIMEOUT,
        look_up: LookUp | None = None,
    ) -> None:
        self._look_up = look_up or _look_up
        self._transport = transport
        self._private = private
        self._proxy_of = proxy_of
        self._max_bytes = max_bytes
        self._timeout = timeout

    @asynccontextmanager
    async def fetch(self, link: str) -> AsyncIterator[Fetched]:
        """Fetch *link* into a file that is there inside the block. Raises `MediaError`."""
        with temporary_folder() as folder:
            path = folder / "file"
            try:
                name = await asyncio.wait_for(self._fetch(link, path), self._timeout)
            except asyncio.TimeoutError as error:
                text = f"{shown(link)}: is not here after {self._timeout:g} seconds"
                raise MediaError(text, passing=True) from error
            except TransportError as error:
                passing = error.verdict is not Verdict.DO_NOT_RETRY
                text = f"{shown(link)}: cannot be fetched: {error}"
                raise MediaError(text, passing=passing) from error
            except OSError as error:
                text = f"{shown(link)}: cannot be kept: {error}"
                raise MediaError(text, passing=True) from error
            yield Fetched(path, name)

    async def may_be_shown(self, link: str) -> bool:
        """
        Tell whether a person may read *link*: not an address of one's own network, nor a login.

        Whatever *private* allows to be fetched, and whatever cannot be told, is not shown.
        """
        try:
            host = _host_of(link)
        except MediaError:
            return False
        url = URL(link)
        if url.raw_user or url.raw_password or not _PLAIN.fullmatch(host):
            return False
        if literals := literals_of(host):
            return all(map(is_public, literals))
        if is_inner_name(host):
            return False
        try:
            found = await asyncio.wait_for(self._look_up(host), SHOWN_LOOKUP)
        except (OSError, UnicodeError, asyncio.TimeoutError):
            return False
        return bool(found) and all(map(is_public, found))

    async def close(self) -> None:
        await self._transport.close()

    async def _fetch(self, link: str, path: Path) -> str:
        url = link
        for _ in range(REDIRECTS + 1):
            await self._check_address(url)
            request = Request("GET", url, timeout=self._timeout)
            async with self._transport.stream(request) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = _join(url, answer.headers.get("location", ""))
                    continue
                if answer.status != 200:
                    passing = answer.status >= 500 or answer.status in _PASSING
                    text = f"{shown(link)}: answers HTTP {answer.status}"
                    raise MediaError(text, passing=passing)
                await self._write(link, answer, path)
                return name_of_answer(url, answer.headers)
        raise MediaError(f"{shown(link)}: redirects more than {REDIRECTS} times")

    async def _write(self, link: str, answer: StreamedResponse, path: Path) -> None:
        announced = answer.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            raise self._too_large(link)
        size = 0
        with create_private(path) as file:
            async for chunk in answer.chunks():
                size += len(chunk)
                if size > self._max_bytes:
                    raise self._too_large(link)
                await asyncio.to_thread(file.write, chunk)

    def _too_large(self, link: str) -> MediaError:
        return MediaError(f"{shown(link)}: is larger than {self._max_bytes // MB} MB")

    async def _check_address(self, url: str) -> None:
        """
        Raise `MediaError` for an address that may not be fetched.

        The transport checks once more what it connects to: a name may mean another host by then.
        """
        host = _host_of(url)
        if self._private:
            return
        if is_local_name(host) or not all(map(is_public, literals_of(host))):
            raise _private(url)
        by_proxy = self._proxy_of(url) is not None
        if by_proxy and not _PLAIN.fullmatch(host):
            raise MediaError(f"{shown(url)}: is no http or https address")
        try:
            # A proxy that can do more than it should is no reason to ask it for what is known here.
            patience = PROXIED_LOOKUP if by_proxy else None
            found = await asyncio.wait_for(self._look_up(host), patience)
        except (OSError, UnicodeError, asyncio.TimeoutError) as error:
            if by_proxy:
                return
            passing = getattr(error, "errno", None) == socket.EAI_AGAIN
            text = f"{shown(url)}: the host is not known: {error}"
            raise MediaError(text, passing=passing) from error
        if not all(map(is_public, found)):
            raise _private(url)


async def _look_up(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def shown(url: str) -> str:
    """Return *url* for a log: without login and query, where secrets live."""
    address, mark, _ = short(url).partition("?")
    return f"{address}{mark}{'…' if mark else ''}"


def _host_of(url: str) -> str:
    """Return the host of *url* as it is asked for: in ASCII, and in small letters."""
    try:
        found = URL(url)
        host = found.raw_host
    except ValueError as error:
        raise MediaError(f"{shown(url)}: is no address: {error}") from error
    if found.scheme not in ("http", "https") or not host:
        raise MediaError(f"{shown(url)}: is no http or https address")
    return host


def _private(url: str) -> MediaError:
    return MediaError(
        f"{shown(url)}: lies in a private network; `media: {{private_links: true}}` allows it"
    )


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # such as "http://["
        return location
