"""
Clients of the API before the Cloud API, ``/v1``: an on-premises client, and Turn.io.

https://developers.facebook.com/docs/whatsapp/on-premises/reference/messages
https://developers.facebook.com/docs/whatsapp/api/media
https://developers.facebook.com/docs/whatsapp/api/settings/app
https://whatsapp.turn.io/docs/api/messages
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES, TURN, Api
from rasa_whatsapp_channel.whatsapp.clients.answers import read_media_id
from rasa_whatsapp_channel.whatsapp.clients.base import Client, Clock, Download, MediaInfo
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials, Login, bearer
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.requests import (
    download_request,
    join,
    json_request,
    raw_upload_request,
)
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, ON_PREMISES_CODES
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
from rasa_whatsapp_channel.whatsapp.transport import File, Request, Transport

_PROVIDERS: Final = ("settings", "application", "media", "providers")
# Clients older than 2.39 take digits only.
_SEPARATORS: Final = str.maketrans("", "", "+-() ")


def v1_url(base_url: str) -> str:
    """Return where ``/v1`` begins; *base_url* may end in it."""
    return join(base_url.rstrip("/").removesuffix("/v1"), "v1")


class V1Base(Client):
    def __init__(self, exchange: Exchange, *, base_url: str) -> None:
        super().__init__(exchange, v1_url(base_url))

    @classmethod
    def body(
        cls,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        check_sendable(message, cls.api)
        return {
            "recipient_type": "individual",
            **cls._recipient(to),
            **v1_body(message),
        }

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

    @classmethod
    def _recipient(cls, to: Address | str) -> dict[str, str]:
        recipient_id = to if isinstance(to, str) else to.first
        if not is_user_id(recipient_id):
            plus = recipient_id.startswith("+")
            return {"to": recipient_id.translate(_SEPARATORS) if plus else recipient_id}
        if not cls.api.user_ids:
            raise InvalidMessage(
                "to", f"api {cls.api.name} writes to phone numbers only, not to user ids"
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
            body["template"].pop("category", None)
            body["template"]["language"] = {"policy": "deterministic", "code": message.language}
        case LocationRequest():
            body["interactive"]["body"]["type"] = "text"
    return body


class OnPremisesClient(V1Base):
    api: ClassVar[Api] = ON_PREMISES

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        username: str,
        password: str,
        clock: Clock = time.time,
    ) -> None:
        login = Login(
            transport,
            url=join(v1_url(base_url), "users", "login"),
            username=username,
            password=password,
            clock=clock,
        )
        exchange = Exchange(transport, login, codes=ON_PREMISES_CODES, clock=clock)
        super().__init__(exchange, base_url=base_url)
        self.admin = OnPremisesAdmin(exchange, v1_url(base_url))

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        url = join(self._url, "messages", message_id)
        await self._exchange.ask(json_request("PUT", url, {"status": "read"}))


class TurnClient(V1Base):
    """Bodies of an on-premises client, error codes of the Cloud API."""

    api: ClassVar[Api] = TURN

    def __init__(
        self,
        transport: Transport,
        *,
        access_token: str,
        base_url: str = TURN.base_url,
        clock: Clock = time.time,
    ) -> None:
        credentials = FixedCredentials(bearer(access_token))
        exchange = Exchange(transport, credentials, codes=CLOUD_CODES, clock=clock)
        super().__init__(exchange, base_url=base_url)

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        """Turn documents no way to do it."""


class OnPremisesAdmin:
    """Needs the login of an admin. All raise `SendError`."""

    def __init__(self, exchange: Exchange, url: str) -> None:
        self._exchange = exchange
        self._url = url

    async def providers(self) -> list[Mapping[str, Any]]:
        answer = await self._ask("GET", *_PROVIDERS)
        found: Any = answer
        for key in _PROVIDERS:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, list) else []

    async def set_provider(self, name: str, config: Mapping[str, Any]) -> None:
        """*config* is ``{"bearer": token}`` or ``{"basic": {"username", "password"}}``."""
        # a list, also for one; the same name is written over
        await self._ask("POST", *_PROVIDERS, body=[{"name": name, "type": "www", "config": config}])

    async def delete_provider(self, name: str) -> None:
        await self._ask("DELETE", *_PROVIDERS, name)

    async def packs(self, *, third_party: bool) -> list[Mapping[str, Any]]:
        query = "?namespace=third_party" if third_party else ""
        return _list(await self._ask("GET", "stickerpacks", query=query), "stickerpacks")

    async def add_pack(self, fields: Mapping[str, str]) -> str:
        made = _list(await self._ask("POST", "stickerpacks", body=fields), "stickerpacks")
        return str(made[0].get("id", "")) if made else ""

    async def delete_pack(self, pack: str) -> None:
        await self._ask("DELETE", "stickerpacks", pack)

    async def stickers(self, pack: str) -> list[Mapping[str, Any]]:
        return _list(await self._ask("GET", "stickerpacks", pack, "stickers"), "stickers")

    async def add_sticker(self, pack: str, media_id: str, emojis: Sequence[str]) -> None:
        body = {"image_data_id": media_id, "emojis": list(emojis)}
        await self._ask("POST", "stickerpacks", pack, "stickers", body=body)

    async def delete_sticker(self, pack: str, index: int) -> None:
        await self._ask("DELETE", "stickerpacks", pack, "stickers", str(index))

    async def _ask(
        self, method: str, *parts: str, body: Any = None, query: str = ""
    ) -> Mapping[str, Any]:
        url = join(self._url, *parts) + query
        request = Request(method, url) if body is None else json_request(method, url, body)
        return await self._exchange.ask(request)


def _list(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = answer.get(key)
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]
