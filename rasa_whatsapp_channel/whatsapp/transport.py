"""
`Request` → `Response`: the only HTTP client code of this package.

Everything above builds requests and reads responses as values, so it is tested without a network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class File:
    """Bytes to send, in memory or on disk (then they are streamed)."""

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
    """Both raise `TransportError`, and nothing else, when there is no usable answer."""

    async def send(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AbstractAsyncContextManager[StreamedResponse]: ...

    async def close(self) -> None: ...
