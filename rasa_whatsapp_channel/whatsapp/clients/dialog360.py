"""
360dialog: Meta's Cloud bodies behind another host and key.

https://docs.360dialog.com
"""

from __future__ import annotations

import time
from typing import ClassVar, Final

from rasa_whatsapp_channel.whatsapp.apis import DIALOG360, Api
from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.clients.cloud_shape import CloudShape
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.urls import is_same_origin
from rasa_whatsapp_channel.whatsapp.errors import CLOUD_CODES
from rasa_whatsapp_channel.whatsapp.transport import Transport

BASE_URL: Final = "https://waba-v2.360dialog.io"

# Media URLs come as Meta made them; 360dialog has the same paths under its own host.
_META_MEDIA: Final = "https://lookaside.fbsbx.com/"


class Dialog360Client(CloudShape):
    api: ClassVar[Api] = DIALOG360

    def __init__(
        self,
        transport: Transport,
        *,
        access_token: str,
        base_url: str = BASE_URL,
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
