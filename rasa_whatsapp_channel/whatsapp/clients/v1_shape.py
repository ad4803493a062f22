"""
What an on-premises client and Turn have in common: ``/v1``, older bodies, media as raw bytes.

https://developers.facebook.com/docs/whatsapp/on-premises/reference/messages
https://developers.facebook.com/docs/whatsapp/api/media
https://whatsapp.turn.io/docs/api/messages
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.clients.answers import read_media_id
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client, Download, MediaInfo
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.requests import (
    download_request,
    given_up_request,
    json_request,
    raw_upload_request,
    with_note,
)
from rasa_whatsapp_channel.whatsapp.clients.urls import is_loopback, join
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import Address, is_user_id
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    LocationRequest,
    Message,
    Template,
    Text,
    check_sendable,
)
from rasa_whatsapp_channel.whatsapp.transport import File, Request

# Clients older than 2.39 take digits only.
_SEPARATORS: Final = str.maketrans("", "", "+-() ")


def v1_url(base_url: str) -> str:
    """Return where ``/v1`` begins; *base_url* may end in it."""
    return join(base_url.rstrip("/").removesuffix("/v1"), "v1")


class V1Shape(Client):
    def __init__(self, exchange: Exchange, *, base_url: str) -> None:
        self._exchange = exchange
        self._url = v1_url(base_url)
        self._takes_notes = is_loopback(base_url)

    @property
    def takes_notes(self) -> bool:
        return self._takes_notes

    def body(
        self,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        check_sendable(message, self.api)
        return {
            "recipient_type": "individual",
            **self._recipient(to),
            **v1_body(message),
        }

    async def send(
        self,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
        note: str | None = None,
    ) -> Accepted:
        body = self.body(to, message, reply_to=reply_to, callback_data=callback_data)
        request = json_request("POST", join(self._url, "messages"), body)
        if note and self._takes_notes:
            request = with_note(request, note)
        return await self._exchange.send_message(request)

    async def tell_given_up(self, told: Mapping[str, Any]) -> None:
        if self._takes_notes:
            await self._exchange.tell(given_up_request(self._url, told))

    async def upload(self, file: File) -> str:
        request = raw_upload_request(join(self._url, "media"), file)
        return read_media_id(await self._exchange.ask(request))

    async def media_info(self, media_id: str) -> MediaInfo:
        async with self.download(media_id) as opened:  # there is no call for it; the headers tell
            return MediaInfo(media_id, mime_type=opened.mime_type, size=opened.size)

    @asynccontextmanager
    async def download(self, media_id: str, *, url: str | None = None) -> AsyncIterator[Download]:
        request = download_request(join(self._url, "media", media_id))
        async with self._exchange.open(request) as opened:
            yield opened

    async def delete_media(self, media_id: str) -> None:
        await self._exchange.ask(Request("DELETE", join(self._url, "media", media_id)))

    async def ping(self) -> None:
        await self._exchange.ping(json_request("POST", join(self._url, "messages"), {}))

    async def close(self) -> None:
        await self._exchange.close()

    def _recipient(self, to: Address | str) -> dict[str, str]:
        recipient_id = to if isinstance(to, str) else to.first
        if not is_user_id(recipient_id):
            plus = recipient_id.startswith("+")
            return {"to": recipient_id.translate(_SEPARATORS) if plus else recipient_id}
        if not self.api.user_ids:
            raise InvalidMessage(
                "to", f"api {self.api.name} writes to phone numbers only, not to user ids"
            )
        return {"recipient": recipient_id}


def v1_body(message: Message) -> dict[str, Any]:
    """Return *message* without envelope, as it was written before the Cloud API."""
    body = message.body()
    match message:
        case Text(preview_url=True):
            del body["text"]["preview_url"]
            body["preview_url"] = True
        case Audio(voice=True):
            del body["audio"]["voice"]  # Opus in Ogg is a voice note there by itself
        case Template():
            body["template"]["language"] = {"policy": "deterministic", "code": message.language}
        case LocationRequest():
            body["interactive"]["body"]["type"] = "text"
    return body
