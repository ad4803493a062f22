"""
`Request` → `Response`: the values of HTTP, and the one seam through which they go.

Everything above builds requests and reads responses as values, so it is tested without a network.
`aiohttp_transport` is the only HTTP client code, and lives apart: importing aiohttp takes long.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class File:
    """Bytes to send, in memory or on disk (then they are streamed); the type goes as a header."""

    content: bytes | Path
    mime_type: str
    filename: str

    @property
    def size(self) -> int:
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content)


@dataclass(frozen=True)
class Form:
    """A multipart body: plain *fields*, then one file part named ``file``."""

    fields: Mapping[str, str]
    file: File


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they hold the token
    body: bytes | File | Form | None = field(default=None, repr=False)
    timeout: float = 30.0  # seconds for the whole exchange


@dataclass(frozen=True)
class Response:
    """*headers* have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class StreamedResponse(Protocol):
    status: int
    headers: Mapping[str, str]

    def chunks(self) -> AsyncIterator[bytes]: ...


class Transport(Protocol):
    """
    Both raise `TransportError`, and nothing else, when there is no usable answer.

    A `File` that cannot be opened is a `MediaError`. Redirects are answers like any other:
    following one could carry the token to another host.
    """

    async def send(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AbstractAsyncContextManager[StreamedResponse]: ...

    async def close(self) -> None: ...
