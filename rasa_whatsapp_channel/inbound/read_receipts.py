"""Read receipts and the typing indicator, shown while the bot works on a turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.whatsapp.clients.base import Client

logger = logging.getLogger(__name__)

# Seconds. A turn without an answer (a person took over, the store is down) ends sooner than this,
# and must not be marked as read. So the receipt is sent with the answer, or after this time.
DELAY: Final = 1.0
# Seconds. WhatsApp hides the indicator after 25 seconds, or when the answer comes.
STEP: Final = 23.0
STEPS: Final = 26  # ten minutes; a longer turn is not expected to end


async def _always() -> bool:
    return True


class ReadReceipt:
    """One read receipt; it is shown unless it is withheld in time."""

    def __init__(self) -> None:
        self.withheld = False
        self.over = asyncio.Event()

    def withhold(self) -> None:
        self.withheld = True


class ReadReceipts:
    """*mark_read* and *typing* are the settings; neither is sent where the API has none."""

    def __init__(
        self,
        client: Client,
        *,
        mark_read: bool = True,
        typing: bool = True,
        metrics: Metrics | None = None,
        delay: float = DELAY,
        step: float = STEP,
    ) -> None:
        self._client = client
        self._mark_read = mark_read and client.api.mark_read
        self._typing = typing and client.api.typing
        self._metrics = metrics or Metrics()
        self._delay = delay
        self._step = step
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def during(
        self,
        message_id: str,
        *,
        hidden: bool = False,
        shows_typing: bool = True,
        is_ours: Callable[[], Awaitable[bool]] = _always,
    ) -> AsyncIterator[ReadReceipt]:
        """
        Show receipt and indicator during the turn, which does not wait for them or fail with them.

        *hidden*: show neither. *shows_typing* is False where no answer will come. *is_ours* is
        asked each time: a person may take the conversation during the turn.
        """
        receipt = ReadReceipt()
        typing = self._typing and shows_typing
        if not hidden and (self._mark_read or typing):
            task = asyncio.create_task(self._show(message_id, receipt, typing, is_ours))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            yield receipt
        except BaseException:
            receipt.withhold()
            raise
        finally:
            receipt.over.set()

    async def _show(
        self,
        message_id: str,
        receipt: ReadReceipt,
        typing: bool,
        is_ours: Callable[[], Awaitable[bool]],
    ) -> None:
        for step in range(STEPS if typing else 1):
            if await _is_over(receipt, self._step if step else self._delay):
                break
            is_shown = await is_ours()
            if receipt.over.is_set():  # while that was asked
                break
            if not is_shown or not await self._send(message_id, typing=typing):
                return
        else:
            return
        # A typing indicator sent after the answer would stay for 25 seconds.
        if step == 0 and self._mark_read and not receipt.withheld and await is_ours():
            await self._send(message_id, typing=False)

    async def _send(self, message_id: str, *, typing: bool) -> bool:
        try:
            with instrumentation.span("mark_read"):
                await self._client.mark_read(message_id, typing=typing)
        except ChannelError as error:
            self._metrics.api_error(error)
            logger.info("whatsapp.receipt_failed: %s is not marked as read: %s", message_id, error)
            return False
        return True


async def _is_over(receipt: ReadReceipt, within: float) -> bool:
    try:
        await asyncio.wait_for(receipt.over.wait(), within)
    except asyncio.TimeoutError:
        return False
    return True
