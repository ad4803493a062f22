"""
Turn.io: the on-premises shape, still in service.

https://whatsapp.turn.io/docs/api/messages
"""

from __future__ import annotations

import time
from typing import ClassVar, Final

from rasa_whatsapp_channel.whatsapp.apis import TURN, Api
from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials, bearer
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.v1_shape import V1Shape
from rasa_whatsapp_channel.whatsapp.errors import CLOUD_CODES
from rasa_whatsapp_channel.whatsapp.transport import Transport

BASE_URL: Final = "https://whatsapp.turn.io"


class TurnClient(V1Shape):
    """Bodies of an on-premises client, error codes of the Cloud API."""

    api: ClassVar[Api] = TURN

    def __init__(
        self,
        transport: Transport,
        *,
        access_token: str,
        base_url: str = BASE_URL,
        clock: Clock = time.time,
    ) -> None:
        credentials = FixedCredentials(bearer(access_token))
        exchange = Exchange(transport, credentials, codes=CLOUD_CODES, clock=clock)
        super().__init__(exchange, base_url=base_url)

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        """Turn documents no way to do it."""
