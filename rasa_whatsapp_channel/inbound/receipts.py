"""Blue ticks and the typing bubble, while the bot thinks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import WhatsAppError

logger = logging.getLogger(__name__)

# WhatsApp takes the bubble away after 25 seconds, or when the answer comes.
STEP: Final = 23.0
STEPS: Final = 26  # ten minutes; whoever still thinks then is not coming back


class Receipts:
    """*mark_read* and *typing* are the settings; what the API does not have is left out."""

    def __init__(
        self,
        client: Client,
        *,
        mark_read: bool = True,
        typing: bool = True,
        metrics: Metrics | None = None,
        step: float = STEP,
    ) -> None:
        self._client = client
        self._mark_read = mark_read and client.api.mark_read
        self._typing = typing and client.api.typing
        self._metrics = metrics or Metrics()
        self._step = step
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def during(self, message_id: str) -> AsyncIterator[None]:
        """Show them beside the turn: nobody waits for them, and a failure is no matter."""
        over = asyncio.Event()
        if self._mark_read or self._typing:
            task = asyncio.create_task(self._show(message_id, over))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            yield
        finally:
            over.set()

    async def _show(self, message_id: str, over: asyncio.Event) -> None:
        for _ in range(STEPS if self._typing else 1):
            try:
                await self._client.mark_read(message_id, typing=self._typing)
            except WhatsAppError as error:
                self._metrics.api_error(error)
                logger.info("whatsapp.receipt_failed", extra={"reason": str(error)})
                return
            if await self._is_over(over):
                return

    async def _is_over(self, over: asyncio.Event) -> bool:
        try:
            await asyncio.wait_for(over.wait(), self._step)
        except asyncio.TimeoutError:
            return False
        return True
