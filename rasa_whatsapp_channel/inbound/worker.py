"""Inbox → bot: one conversation at a time, in order, until the turn is through or given up."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

from rasa_whatsapp_channel.inbound.choice import chosen_payload
from rasa_whatsapp_channel.inbound.facts import quoted_id
from rasa_whatsapp_channel.inbound.media import MediaFolder, StoredFile
from rasa_whatsapp_channel.inbound.turn import (
    NO_WORDING,
    Turn,
    failure_turn,
    media_of,
    tapped_id,
    to_turn,
)
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Item, Store
from rasa_whatsapp_channel.store.consumer import DONE, Outcome, Release, SetAside
from rasa_whatsapp_channel.store.keys import is_command, issued_key, payload_key
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.envelopes import from_body
from rasa_whatsapp_channel.whatsapp.errors import MediaError, WhatsAppError
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 5
MEDIA_ATTEMPTS: Final = 3  # then the turn starts without the file


class Bot(Protocol):
    """What hears the turn. *repeated*: an earlier attempt may have got through."""

    def __call__(self, turn: Turn, *, repeated: bool) -> Awaitable[None]: ...


class InboxWorker:
    def __init__(
        self,
        client: Client,
        store: Store,
        bot: Bot,
        *,
        media: MediaFolder | None,
        commands: Collection[str] = (),
        wording: Mapping[str, str] = NO_WORDING,
        failure_intent: str | None = None,
        mark_read: bool = True,
        typing: bool = True,
        metrics: Metrics | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._bot = bot
        self._media = media
        self._commands = commands
        self._wording = wording
        self._failure_intent = failure_intent
        self._mark_read = mark_read and client.api.mark_read
        self._typing = typing and client.api.typing
        self._metrics = metrics or Metrics()
        self._sleep = sleep
        self._receipts: set[asyncio.Task[None]] = set()

    async def handle(self, item: Item) -> Outcome:
        event = from_body(item.body)
        if isinstance(event, InboundMessage):
            turn = await self._turn(event, item.conversation)
        elif isinstance(event, DeliveryFailed) and self._failure_intent:
            turn = failure_turn(event, self._failure_intent)
        else:
            return SetAside(f"the inbox holds what nobody said: {type(event).__name__}")
        if turn is None:
            return DONE
        try:
            with self._metrics.turn_timer():
                await self._bot(turn, repeated=item.attempts > 1)
        except Exception as error:  # whatever the bot raises: the message must not be lost
            return self._again(item, error)
        self._metrics.handled()
        return DONE

    async def _turn(self, event: InboundMessage, sender_id: str) -> Turn | None:
        """*sender_id* is the conversation of the inbox: who it is was found when it came in."""
        self._show_receipt(event)
        return to_turn(
            event,
            commands=self._commands,
            wording=self._wording,
            sender_id=sender_id,
            file=await self._fetch(event),
            payload=await self._payload(event, sender_id)
            or await chosen_payload(self._store.values, event, sender_id),
            response=await self._response(event),
        )

    async def _payload(self, event: InboundMessage, sender_id: str) -> str | None:
        """
        Return the command that was tapped, if its button was sent to this person.

        Where WhatsApp could carry only a short id for it, that id is what was sent.
        """
        tapped = tapped_id(event)
        if tapped is None or not is_command(tapped):
            return None
        if not await self._store.values.get(issued_key(sender_id, tapped)):
            logger.warning("whatsapp.tap_not_ours", extra={"key": event.key})
            return None
        payload = await self._store.values.get(payload_key(tapped))
        return payload if isinstance(payload, str) else tapped

    async def _response(self, event: InboundMessage) -> str | None:
        """Return the name of the response that the message quotes, answers or reacts to."""
        message_id = quoted_id(event)
        sent = await self._store.ledger.get(message_id) if message_id else None
        return sent.response if sent else None

    async def _fetch(self, event: InboundMessage) -> StoredFile | None:
        media = media_of(event)
        if media is None or self._media is None:
            return None
        for attempt in range(1, MEDIA_ATTEMPTS + 1):
            try:
                return await self._media.fetch(media)
            except (MediaError, WhatsAppError) as error:
                self._metrics.api_error(error)
                logger.warning(
                    "whatsapp.media_not_fetched",
                    extra={"type": event.type, "attempt": attempt, "reason": str(error)},
                )
                if attempt < MEDIA_ATTEMPTS:
                    await self._sleep(attempt)
        return None

    def _show_receipt(self, event: InboundMessage) -> None:
        """Turn the ticks blue beside the turn: nobody waits for it, and a failure is no matter."""
        if not self._mark_read and not self._typing:
            return
        task = asyncio.create_task(self._send_receipt(event.id))
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)

    async def _send_receipt(self, message_id: str) -> None:
        try:
            await self._client.mark_read(message_id, typing=self._typing)
        except WhatsAppError as error:
            self._metrics.api_error(error)
            logger.info("whatsapp.receipt_failed", extra={"reason": str(error)})

    def _again(self, item: Item, error: Exception) -> Outcome:
        reason = traceback.format_exception_only(type(error), error)[-1].strip()
        if item.tries >= ATTEMPTS:
            return SetAside(f"the bot failed {item.tries} times, last with {reason}")
        self._metrics.retried("inbox")
        logger.warning(
            "whatsapp.turn_failed",
            extra={"key": item.key, "attempt": item.attempts, "reason": reason},
            exc_info=error,
        )
        return Release(4.0 ** (item.tries - 1))
