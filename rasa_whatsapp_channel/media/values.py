"""Incoming media as values: the file of a message, and the stored file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class InboundMedia:
    """
    A file somebody sent. *url* lives for minutes, *id* for days.

    *sha256* is base64 or hex, as the API has it; *filename* is the sender's and not to be trusted.
    *sender_id* is the conversation it came in; the kept file's name holds a tag of it.
    """

    kind: str  # type of the message
    id: str
    url: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    filename: str | None = None
    sender_id: str | None = None


@dataclass(frozen=True)
class StoredFile:
    """A file that was fetched and kept. *sha256* is hex, *size* in bytes."""

    path: str
    size: int
    mime_type: str
    sha256: str


@dataclass(frozen=True)
class Transcript:
    """What is said in a voice note, and its language if known; or *problem*, why it is not here."""

    text: str | None = None
    language: str | None = None
    problem: str | None = None


class MediaStore(Protocol):
    """Where incoming files are kept."""

    async def fetch(self, media: InboundMedia) -> StoredFile: ...
