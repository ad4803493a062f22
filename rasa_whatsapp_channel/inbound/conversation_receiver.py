"""
Conversation receiver: takes in what happens in a conversation beside messages to the bot.

It goes through the inbox as messages do, under the conversation of the person: so it is handled in
order, survives a crash, and is erased with them. A call that rings is answered at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from rasa_whatsapp_channel.conversation.identity import People, at_our_number
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.inbound.conversation_events import ConversationEvent, kind_of
from rasa_whatsapp_channel.inbound.handoff import AskToKeep, InboxHandoff, Say
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.calls import CallSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.events import Call, Handover, Overheard, Status, to_body

logger = logging.getLogger(__name__)

RINGS: Final = 60.0  # seconds in which a call may be answered
_FIELDS: Final = {"standby": "standby", "app": "smb_message_echoes"}

# Rejects the call of that id at that business number. Raises `SendError`.
Reject = Callable[[str | None, str], Awaitable[None]]


class ConversationReceiver:
    """*numbers* are the phone number ids of this bot; *calls* is the setting of that name."""

    def __init__(
        self,
        store: Store,
        people: People,
        metrics: Metrics,
        *,
        reject: Reject,
        say: Say,
        calls: CallSettings = CallSettings(),  # noqa: B008  # frozen
        numbers: Sequence[str] = (),
        handoff: InboxHandoff | None = None,
        ask_to_keep: AskToKeep | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._inbox = store.inbox
        self._ledger = store.ledger
        self._people = people
        self._metrics = metrics
        self._reject = reject
        self._say = say
        self._calls = calls
        self._numbers = numbers
        self._handoff = handoff
        self._ask_to_keep = ask_to_keep
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, event: ConversationEvent) -> str | None:
        """
        Take in *event*; return its conversation if it opens the 24-hour window.

        Raises `StoreError`.
        """
        self._note(event)
        if isinstance(event, Overheard) and event.what == "status":
            return None
        found = await self._conversation_of(event)
        if found is None:
            logger.info("whatsapp.nobody: %s %s names nobody we know", kind_of(event), event.key)
            return None
        if isinstance(event, Call):
            return await self._call(event, found)
        if self._handoff is not None:
            await self._handoff.overhear(found, event)
        is_new = await self._inbox.put(event.key, found, to_body(event))
        if self._ask_to_keep is not None:
            await self._ask_to_keep(found, event.key)
        if isinstance(event, Handover) and is_new:
            logger.info("whatsapp.handover: %s: the conversation has another owner", event.type)
        wrote = isinstance(event, Overheard) and event.what == "message"
        return found if wrote else None

    def _note(self, event: ConversationEvent) -> None:
        """Count *event*; statuses are counted with all others, and logged where they are odd."""
        if isinstance(event, Call):
            self._metrics.conversation_event("calls", event.event)
        elif isinstance(event, Handover):
            self._metrics.conversation_event("messaging_handovers", event.type)
        elif isinstance(event, Overheard):
            self._metrics.conversation_event(_FIELDS[event.source], event.what)
        elif not event.is_payment:
            logger.log(
                logging.WARNING if event.errors else logging.INFO,
                "whatsapp.other_status: %s of %s: %s",
                event.status,
                event.message_id,
                "; ".join(map(str, event.errors)) or "WhatsApp gives no reason",
            )

    async def _conversation_of(self, event: ConversationEvent) -> str | None:
        if isinstance(event, Overheard) and event.group_id:
            return at_our_number(event.group_id, event.phone_number_id, self._numbers)
        if isinstance(event, Status):
            sent = await self._ledger.get(event.message_id)
            if sent is not None:
                person = await self._people.of(sent.recipient_id)
                return person.conversations(sent.recipient_id)[0]
            ids = (event.recipient_id, event.recipient_user_id, event.recipient_parent_user_id)
        else:
            ids = (event.phone, event.user_id, event.parent_user_id)
        name = await self._people.locate(*ids)
        return name and at_our_number(name, event.phone_number_id, self._numbers)

    async def _call(self, event: Call, conversation: str) -> str | None:
        if event.is_missed:
            await self._inbox.put(event.key, conversation, to_body(event))
        if event.event != "connect" or event.direction == "BUSINESS_INITIATED":
            logger.info("whatsapp.call: %s: %s", event.id, event.event)
            return None
        age = self._clock() - (event.timestamp or self._clock())
        if self._calls.answer == "ignore":
            what = "nobody takes it; `calls: {answer: reject}` ends it at once, with a text"
        elif age > RINGS:
            what = f"it is over; its webhook came after {age:.0f} seconds"
        else:
            what = "it is rejected, as `calls` says"
            if self._calls.text:
                await self._say(f"call:{event.id}", conversation, self._calls.text)
            task = asyncio.create_task(self._end(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        logger.info("whatsapp.call: %s rings: %s", event.id, what)
        return conversation

    async def _end(self, event: Call) -> None:
        try:
            await self._reject(event.phone_number_id, event.id)
        except ChannelError as error:
            self._metrics.api_error(error)
            logger.warning("whatsapp.call_not_rejected: %s: %s", event.id, error)
