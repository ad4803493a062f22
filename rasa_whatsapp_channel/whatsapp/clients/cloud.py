"""
Clients of Meta's Cloud API and of 360dialog, which offers it behind another host and key.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
https://docs.360dialog.com
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, GRAPH_VERSION, Api
from rasa_whatsapp_channel.whatsapp.clients.answers import read_media_id, read_media_info
from rasa_whatsapp_channel.whatsapp.clients.base import Client, Clock, Download, MediaInfo
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials, bearer
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.requests import (
    download_request,
    form_upload_request,
    is_at_meta,
    is_same_origin,
    join,
    json_request,
)
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.identity import Address, is_group_id
from rasa_whatsapp_channel.whatsapp.messages import (
    Message,
    Reaction,
    check_recipient,
    check_sendable,
)
from rasa_whatsapp_channel.whatsapp.messages.envelope import is_marketing
from rasa_whatsapp_channel.whatsapp.messages.keys import put_extras
from rasa_whatsapp_channel.whatsapp.transport import File, Request, Transport

# Media URLs come as Meta made them; 360dialog has the same paths under its own host.
_META_MEDIA: Final = "https://lookaside.fbsbx.com/"


class CloudBase(Client):
    """*number_url* takes the number's messages and uploads; media ids are below *media_url*."""

    def __init__(self, exchange: Exchange, *, number_url: str, media_url: str) -> None:
        super().__init__(exchange, number_url)
        self._marketing_url = join(number_url, "marketing_messages")
        self._media_url = media_url

    @classmethod
    def body(
        cls,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        address = Address.of(to) if isinstance(to, str) else to
        group = is_group_id(address.first)
        check_recipient(message, group=group)
        check_sendable(message, cls.api.for_group() if group else cls.api)
        body = {
            "messaging_product": "whatsapp",
            **cls._recipient(address, group=group),
            **cloud_body(message),
        }
        if reply_to and not isinstance(message, Reaction):  # it names its message itself
            body["context"] = {"message_id": reply_to}
        if callback_data and len(callback_data) <= limits.CALLBACK_DATA:
            body.setdefault("biz_opaque_callback_data", callback_data)  # the author's own stays
        return put_extras(body, message.extras)

    def _url_of(self, message: Message) -> str:
        return self._marketing_url if is_marketing(message) else self._messages_url

    async def upload(self, file: File) -> str:
        request = form_upload_request(join(self._url, "media"), file)
        return read_media_id(await self._exchange.ask(request))

    async def media_info(self, media_id: str) -> MediaInfo:
        request = Request("GET", join(self._media_url, media_id))
        return read_media_info(media_id, await self._exchange.ask(request))

    @asynccontextmanager
    async def download(self, media_id: str, *, url: str | None = None) -> AsyncIterator[Download]:
        async with AsyncExitStack() as stack:
            opened = None
            if url is not None:
                with suppress(APIError):  # a URL lives five minutes; below, a new one is asked for
                    opened = await stack.enter_async_context(self._open(url))
            if opened is None:
                info = await self.media_info(media_id)
                opened = await stack.enter_async_context(self._open(info.url or ""))
            yield opened

    async def delete_media(self, media_id: str) -> None:
        await self._exchange.ask(Request("DELETE", join(self._media_url, media_id)))

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message_id,
        }
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._exchange.ask(json_request("POST", self._messages_url, body))

    async def act_on_call(self, call_id: str, action: str) -> None:
        body = {"messaging_product": "whatsapp", "call_id": call_id, "action": action}
        await self._exchange.ask(json_request("POST", join(self._url, "calls"), body))

    @abstractmethod
    def located(self, url: str) -> tuple[str, bool]:
        """Return where the file behind *url* is fetched, and whether the token may go there."""

    @classmethod
    def _recipient(cls, address: Address, *, group: bool) -> dict[str, str]:
        named = {"recipient_type": "group" if group else "individual"}
        if address.phone:
            named["to"] = address.phone
        if address.user_id and not group and (cls.api.both_ids or not address.phone):
            named["recipient"] = address.user_id
        return named

    @asynccontextmanager
    async def _open(self, url: str) -> AsyncIterator[Download]:
        where, authorized = self.located(url)
        async with self._exchange.open(download_request(where), authorized=authorized) as opened:
            yield opened


def cloud_body(message: Message) -> dict[str, Any]:
    """Return *message* without envelope; `Message.body` is the Cloud shape but for an older key."""
    body = message.body()
    if message.type == "template":
        body["template"].pop("namespace", None)
        body["template"].pop("category", None)
    return body


class CloudClient(CloudBase):
    """*api_version* may be empty: then the URLs have none."""

    api: ClassVar[Api] = CLOUD

    def __init__(
        self,
        transport: Transport,
        *,
        phone_number_id: str,
        access_token: str,
        base_url: str = CLOUD.base_url,
        api_version: str = GRAPH_VERSION,
        clock: Clock = time.time,
    ) -> None:
        credentials = FixedCredentials(bearer(access_token))
        super().__init__(
            Exchange(transport, credentials, codes=CLOUD_CODES, clock=clock),
            number_url=join(base_url, api_version, phone_number_id),
            media_url=join(base_url, api_version),
        )
        self._base_url = base_url

    def located(self, url: str) -> tuple[str, bool]:
        return url, is_same_origin(url, self._base_url) or is_at_meta(url)


class Dialog360Client(CloudBase):
    api: ClassVar[Api] = DIALOG360

    def __init__(
        self,
        transport: Transport,
        *,
        access_token: str,
        base_url: str = DIALOG360.base_url,
        clock: Clock = time.time,
    ) -> None:
        credentials = FixedCredentials({"D360-API-KEY": access_token})
        super().__init__(
            Exchange(transport, credentials, codes=CLOUD_CODES, clock=clock),
            number_url=base_url,
            media_url=base_url,
        )
        self._base_url = base_url.rstrip("/")

    def located(self, url: str) -> tuple[str, bool]:
        if url.startswith(_META_MEDIA):
            url = f"{self._base_url}/{url.removeprefix(_META_MEDIA)}"
        return url, is_same_origin(url, self._base_url)
