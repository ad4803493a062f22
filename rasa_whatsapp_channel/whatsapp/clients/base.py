"""What every API can do, and what is the same for all of them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages import Message
from rasa_whatsapp_channel.whatsapp.transport import File


@dataclass(frozen=True)
class MediaInfo:
    """What the platform tells of a media id. *sha256* is base64 or hex, as the API has it; *size* bytes."""

    id: str
    url: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Download:
    """An open download: *mime_type* and *size* as announced, and the bytes."""

    mime_type: str | None
    size: int | None
    chunks: AsyncIterator[bytes]


class Client(ABC):
    """
    One API, spoken by one account.

    Every method raises `SendError` (`TransportError` or `APIError`) when WhatsApp did not do what
    was asked, and nothing else of the kind; `InvalidMessage` when a message cannot go to this API.
    """

    api: ClassVar[Api]

    @abstractmethod
    def body(
        self, recipient_id: str, message: Message, *, reply_to: str | None = None
    ) -> dict[str, Any]:
        """Return the whole body of the request, envelope included. Does no I/O."""

    @abstractmethod
    async def send(
        self, recipient_id: str, message: Message, *, reply_to: str | None = None
    ) -> str:
        """Send *message* and return WhatsApp's message id. *reply_to* quotes a message where the API can."""

    @abstractmethod
    async def upload(self, file: File) -> str:
        """Upload *file* and return its media id."""

    @abstractmethod
    async def media_info(self, media_id: str) -> MediaInfo: ...

    @abstractmethod
    def download(
        self, media_id: str, *, url: str | None = None
    ) -> AbstractAsyncContextManager[Download]:
        """Open the bytes of *media_id*; *url* saves a request where a webhook brought it."""

    @abstractmethod
    async def delete_media(self, media_id: str) -> None: ...

    @abstractmethod
    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        """Turn the ticks of *message_id* blue; with *typing* also show that an answer is coming."""

    @abstractmethod
    async def close(self) -> None: ...


def encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
