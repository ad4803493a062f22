"""
The WhatsApp Business API client that a business hosts itself.

https://developers.facebook.com/docs/whatsapp/on-premises/reference/messages
"""

from __future__ import annotations

import time
from typing import ClassVar

from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES, Api
from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.clients.credentials import Login
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.requests import json_request
from rasa_whatsapp_channel.whatsapp.clients.urls import join
from rasa_whatsapp_channel.whatsapp.clients.v1_admin import V1Admin
from rasa_whatsapp_channel.whatsapp.clients.v1_shape import V1Shape, v1_url
from rasa_whatsapp_channel.whatsapp.errors import ON_PREMISES_CODES
from rasa_whatsapp_channel.whatsapp.transport import Transport


class OnPremisesClient(V1Shape):
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
        self.admin = V1Admin(exchange, v1_url(base_url))

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        url = join(self._url, "messages", message_id)
        await self._exchange.ask(json_request("PUT", url, {"status": "read"}))
