"""Client: what the clients of all APIs share, and the values they return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.clients.requests import (
    is_loopback,
    join,
    json_request,
    local_request,
)
from rasa_whatsapp_channel.whatsapp.identity import Address
from rasa_whatsapp_channel.whatsapp.messages import Message
from rasa_whatsapp_channel.whatsapp.transport import File

if TYPE_CHECKING:
    from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange

Clock = Callable[[], float]  # unix seconds


@dataclass(frozen=True)
class Accepted:
    """
    A message that WhatsApp accepted, with its ids of the recipient where it gives them.

    *wa_id* may differ from the number that was written to: 55 11 98765-4321 is 55 11 8765-4321.
    """

    message_id: str
    wa_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True)
class MediaInfo:
    """Information on a media id; *sha256* is base64 or hex, *size* in bytes."""

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
    A client of one API for one account.

    Every method raises `SendError` (`TransportError` or `APIError`) when WhatsApp did not do what
    was asked; `InvalidMessage` when a message cannot go to this API; `MediaError` when a file to
    upload cannot be read. Nothing else. Messages are posted to ``messages`` below *url*.
    """

    api: ClassVar[Api]
    #: whether the API is on this machine, as a simulator is
    is_local: bool = False

    def __init__(self, exchange: Exchange, url: str) -> None:
        self._exchange = exchange
        self._url = url
        self._messages_url = join(url, "messages")
        self.is_local = is_loopback(url)

    @classmethod
    @abstractmethod
    def body(
        cls,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        """
        Return the whole body of the request, envelope included. Does no I/O.

        *to* may hold a number and a user id; an API that accepts one only (`Api.both_ids`) gets the
        number.
        """

    async def send(
        self,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
        local_headers: Mapping[str, str] | None = None,
    ) -> Accepted:
        """
        Send *message*, quoting *reply_to* where the API can.

        *callback_data* comes back in every status of the message where the API does that
        (`Api.callback_data`), and is left out where it is too long. *local_headers* are sent only
        where the API `is_local`.
        """
        body = self.body(to, message, reply_to=reply_to, callback_data=callback_data)
        request = json_request("POST", self._url_of(message), body)
        if local_headers and self.is_local:
            request = replace(request, headers={**local_headers, **request.headers})
        return await self._exchange.send_message(request)

    def _url_of(self, message: Message) -> str:
        return self._messages_url

    async def post_local(self, path: str, body: Mapping[str, Any]) -> None:
        """POST *body* to *path* on the API's host, only where it `is_local`. Never raises."""
        if self.is_local:
            await self._exchange.tell(local_request(self._url, path, body))

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
        """
        Mark *message_id* as read; with *typing* also show a typing indicator.

        Does nothing where the API has neither (`Api.mark_read`, `Api.typing`).
        """

    async def act_on_call(self, call_id: str, action: str) -> None:
        """``reject`` or ``terminate`` a call. Does nothing where the API has no calls."""
        return

    async def ping(self) -> None:
        """
        Return when the API answers anything at all; raises `TransportError` where it does not.

        Posts an empty object to the URL of messages, which every API refuses: other URLs may work
        while that one does not.
        """
        await self._exchange.ping(json_request("POST", self._messages_url, {}))

    async def close(self) -> None:
        await self._exchange.close()
