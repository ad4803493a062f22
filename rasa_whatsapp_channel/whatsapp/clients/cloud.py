"""Meta's Cloud API."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, Api
from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.clients.cloud_shape import CloudShape
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials, bearer
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.urls import is_at_meta, is_same_origin, join
from rasa_whatsapp_channel.whatsapp.errors import CLOUD_CODES
from rasa_whatsapp_channel.whatsapp.transport import Transport

BASE_URL: Final = "https://graph.facebook.com"


class CloudClient(CloudShape):
    """*api_version* may be empty: then the URLs have none."""

    api: ClassVar[Api] = CLOUD

    def __init__(
        self,
        transport: Transport,
        *,
        phone_number_id: str,
        access_token: str,
        base_url: str = BASE_URL,
        api_version: str = "v25.0",
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
