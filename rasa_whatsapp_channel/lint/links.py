"""Link checks: ask the servers behind media links. The only network access of the linter."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport

TIMEOUT: Final = 10.0
_REDIRECTS: Final = 5
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class LinkAnswer:
    """A server's answer to a link, or the *problem*; *size* in bytes."""

    mime_type: str = ""
    size: int | None = None
    problem: str | None = None


async def ask_all(transport: Transport, links: Iterable[str]) -> dict[str, LinkAnswer]:
    """Request each of *links* once. Errors of servers are returned, not raised."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def ask(link: str) -> LinkAnswer:
        async with turn:
            return await _ask(transport, link)

    wanted = list(dict.fromkeys(links))
    return dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))


async def _ask(transport: Transport, link: str) -> LinkAnswer:
    url = link
    try:
        for _ in range(_REDIRECTS + 1):
            # As WhatsApp does it; many servers refuse HEAD. The body is not read.
            async with transport.stream(Request("GET", url, timeout=TIMEOUT)) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.headers.get("location", ""))
                    continue
                if answer.status != 200:
                    return LinkAnswer(problem=f"answers HTTP {answer.status}")
                return _read(answer.headers)
    except TransportError as error:
        return LinkAnswer(problem=str(error))
    return LinkAnswer(problem="leads from one address to the next")


def _read(headers: Mapping[str, str]) -> LinkAnswer:
    length = headers.get("content-length", "")
    return LinkAnswer(headers.get("content-type", ""), int(length) if length.isdecimal() else None)
