"""
Transport: requests and responses as values, and the interface that exchanges them.

The clients build requests and read responses as values, so they are tested without a network.
`aiohttp_transport` is the implementation, in a module of its own because importing aiohttp is slow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class File:
    """A file to send, in memory or on disk, from where it is streamed."""

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
    """A multipart body: plain *fields*, then one file part called *name*."""

    fields: Mapping[str, str]
    file: File
    name: str = "file"


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
