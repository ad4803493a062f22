"""Our channel, in front of a bot that echoes."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from rasa.core.channels.channel import UserMessage, register
from sanic import Sanic

from rasa_whatsapp_channel import WhatsAppInput

BLOCKS: Final = "blocks "


class Echo:
    """
    Rasa's agent, as far as the channel knows it.

    It thinks *seconds* about a message, without needing the processor, and about *at_once* messages
    at the same time. "blocks 5" keeps its whole process busy for 5 seconds.
    """

    def __init__(self, seconds: float, at_once: int | None) -> None:
        self.tracker_store = self
        self._seconds = seconds
        self._turns = asyncio.Semaphore(at_once) if at_once else None

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: UserMessage) -> None:
        if self._turns is None:
            await self._answer(message)
        else:
            async with self._turns:
                await self._answer(message)

    async def _answer(self, message: UserMessage) -> None:
        if message.text.startswith(BLOCKS):
            time.sleep(float(message.text.removeprefix(BLOCKS)))
        if self._seconds:
            await asyncio.sleep(self._seconds)
        await message.output_channel.send_response(message.sender_id, {"text": message.text})

    async def retrieve(self, sender_id: str) -> None:
        """Remember nobody."""


def prepare(
    app: Sanic, *, credentials: dict[str, Any], seconds: float = 0.0, at_once: int | None = None
) -> None:
    register([WhatsAppInput.from_credentials(credentials)], app, route="/webhooks/")

    @app.listener("before_server_start")
    async def make_bot(app: Sanic, _loop: Any) -> None:
        app.ctx.agent = Echo(seconds, at_once)
