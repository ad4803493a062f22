"""Inbox → bot: one conversation at a time, in order, until the turn is through or given up."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Final, Protocol

from rasa_whatsapp_channel.inbound.bursts import Bursts, join
from rasa_whatsapp_channel.inbound.choice import chosen_payload
from rasa_whatsapp_channel.inbound.facts import quoted_id
from rasa_whatsapp_channel.inbound.files import MediaStore, StoredFile
from rasa_whatsapp_channel.inbound.receipts import Receipts
from rasa_whatsapp_channel.inbound.transcribe import Function, transcribe
from rasa_whatsapp_channel.inbound.turn import (
    NO_WORDING,
    Turn,
    failure_turn,
    media_of,
    tapped_id,
    to_turn,
)
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import DEBOUNCE, Clock, Item, Store
from rasa_whatsapp_channel.store.consumer import DONE, DeadLetter, Outcome, Retry
from rasa_whatsapp_channel.store.keys import is_command, issued_key, payload_key
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.envelopes import from_body
from rasa_whatsapp_channel.whatsapp.errors import MediaError, StoreError, WhatsAppError
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 5
MEDIA_ATTEMPTS: Final = 3  # then the turn starts without the file
# Seconds a turn may take. One that never ends would keep its person waiting until the next restart.
TURN: Final = 300.0


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
        media: MediaStore | None,
        commands: Collection[str] = (),
        wording: Mapping[str, str] = NO_WORDING,
        failure_intent: str | None = None,
        mark_read: bool = True,
        typing: bool = True,
        debounce: float = 0.0,
        transcriber: Function | None = None,
        metrics: Metrics | None = None,
        patience: float = TURN,
        clock: Clock = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._bot = bot
        self._media = media
        self._commands = commands
        self._wording = wording
        self._failure_intent = failure_intent
        self._metrics = metrics or Metrics()
        self._patience = patience
        self._sleep = sleep
        self._transcriber = transcriber
        self._receipts = Receipts(client, mark_read=mark_read, typing=typing, metrics=self._metrics)
        self._bursts = Bursts(store, debounce, clock=clock)

    async def handle(self, item: Item) -> Outcome:
        event = from_body(item.body)
        if isinstance(event, InboundMessage):
            return await self._hear(item, event)
        if isinstance(event, DeliveryFailed) and self._failure_intent:
            return await self._ask(item, failure_turn(event, self._failure_intent))
        return DeadLetter(f"the inbox holds what nobody said: {type(event).__name__}")

    async def _hear(self, item: Item, event: InboundMessage) -> Outcome:
        if event.type == "system" or await self._bursts.was_heard(item):
            return DONE
        wait, others = await self._bursts.gather(item, event)
        if wait:
            return Retry(wait, cause=DEBOUNCE, counted=False)
        events = [event, *others]
        async with self._receipts.during(events[-1].id):
            turns = [await self._turn(event, item) for event in events]
            outcome = await self._ask(item, join([turn for turn in turns if turn]))
        if outcome == DONE:
            await self._bursts.heard(others)
        return outcome

    async def _ask(self, item: Item, turn: Turn) -> Outcome:
        try:
            with self._metrics.turn_timer():
                async with timeout(self._patience):
                    await self._bot(turn, repeated=item.attempts > 1)
        except StoreError:
            raise  # no fault of the bot: whoever handed us the item waits for the store
        except Exception as error:  # whatever the bot raises: the message must not be lost
            return self._again(item, error)
        self._metrics.handled()
        return DONE

    async def _turn(self, event: InboundMessage, item: Item) -> Turn | None:
        sender_id = item.conversation  # who it is was found when it came in
        file, problem = await self._fetch(event, sender_id)
        return to_turn(
            event,
            commands=self._commands,
            wording=self._wording,
            sender_id=sender_id,
            file=file,
            problem=problem,
            payload=await self._payload(event, sender_id)
            or await chosen_payload(self._store.values, event, sender_id),
            response=await self._response(event),
            transcript=await self._transcribe(event, file),
            first=bool(item.body.get("first")) and event.key == item.key,
        )

    async def _transcribe(self, event: InboundMessage, file: StoredFile | None) -> str | None:
        if event.type != "voice" or file is None or self._transcriber is None:
            return None
        return await transcribe(self._transcriber, file)

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

    async def _fetch(
        self, event: InboundMessage, sender_id: str
    ) -> tuple[StoredFile | None, str | None]:
        """Return the file of *event*, or why it is not here."""
        media = media_of(event)
        if media is None or self._media is None:
            return None, None
        media, problem = replace(media, sender_id=sender_id), None
        for attempt in range(1, MEDIA_ATTEMPTS + 1):
            try:
                return await self._media.fetch(media), None
            except (MediaError, WhatsAppError) as error:
                problem = str(error)
                self._metrics.api_error(error)
                logger.warning(
                    "whatsapp.media_not_fetched",
                    extra={"type": event.type, "attempt": attempt, "reason": str(error)},
                )
                if attempt < MEDIA_ATTEMPTS:
                    await self._sleep(attempt)
        return None, problem

    def _again(self, item: Item, error: Exception) -> Outcome:
        reason = traceback.format_exception_only(type(error), error)[-1].strip()
        if isinstance(error, asyncio.TimeoutError):
            reason += f" (a turn may take {self._patience:g} seconds)"
        if item.tries >= ATTEMPTS:
            return DeadLetter(f"the bot failed {item.tries} times, last with {reason}")
        self._metrics.retried("inbox")
        logger.warning(
            "whatsapp.turn_failed",
            extra={"key": item.key, "attempt": item.attempts, "reason": reason},
            exc_info=error,
        )
        return Retry(4.0 ** (item.tries - 1), error=reason)
