"""An inbox with a worker, a bot that listens, and a clock that is set by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from support.quiet_client import QuietClient

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.app import by_kind, not_needed
from rasa_whatsapp_channel.conversation.handoffs import TIMER
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.inbound.conversation_receiver import ConversationReceiver
from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn
from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.settings.calls import CallSettings
from rasa_whatsapp_channel.store.base import DONE, Retry, Store
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.events import InboundMessage

PHONE = "15550002222"


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Folder:
    """Has every file without fetching it."""

    async def fetch(self, media: InboundMedia) -> StoredFile:
        return StoredFile(f"/media/{media.id}", 9, media.mime_type or "", "00")


class Desk:
    """The way in of one number, driven step by step. *failures*: what the bot raises next."""

    def __init__(self, store: Store, clock: Clock, **options: Any) -> None:
        self.store = store
        self.clock = clock
        self.client = QuietClient()
        self.heard: list[Turn] = []
        self.noted: list[TrackerEvent] = []
        self.knows = True  # the bot has a conversation with whoever writes
        self.failures: list[Exception] = []
        self.metrics = Metrics()
        self.silent = False  # the bot says nothing
        self.thinks = 0.0  # seconds
        self.at_once = self.most_at_once = 0
        self._count = 0
        people = People(store.values, clock=clock)
        self.rejected: list[tuple[str | None, str]] = []  # calls: number, id
        self.said: list[tuple[str, str, str]] = []  # to callers: turn id, conversation, text
        self.rejects: Exception | None = None  # what WhatsApp answers to a rejection
        numbers = options.pop("numbers", ())
        self._receiver = Receiver(
            store,
            self.metrics,
            note_status=Statuses(
                store,
                Failures(store.inbox, people=people),
                AccountState(store.values, clock=clock),
                people=people,
            ).note,
            people=people,
            numbers=numbers,
            conversations=ConversationReceiver(
                store,
                people,
                self.metrics,
                reject=self._reject,
                say=self._say,
                calls=options.pop("calls", CallSettings()),
                numbers=numbers,
                clock=clock,
            ),
            debounce=options.get("debounce", 0.0),
            wording=options.get("wording", {}),
            clock=clock,
        )
        around = {"media": Folder(), "metrics": self.metrics, "record": self._record}
        options = {**around, "clock": clock, **options}
        self._worker = InboxWorker(self.client, store, self._bot, **options)
        self.handle = self._worker.handle
        timers = {TIMER: options["handoff"].tick} if "handoff" in options else {}
        self._timers = by_kind(timers, otherwise=not_needed)

    async def _reject(self, number: str | None, call_id: str) -> None:
        self.rejected.append((number, call_id))
        if self.rejects:
            raise self.rejects

    async def _say(self, turn_id: str, conversation: str, text: str) -> None:
        self.said.append((turn_id, conversation, text))

    async def _bot(self, turn: Turn, *, repeated: bool) -> bool:
        self.heard.append(turn)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.thinks)
        self.at_once -= 1
        if self.failures:
            raise self.failures.pop(0)
        return not self.silent

    async def _record(self, event: TrackerEvent) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if self.knows:
            self.noted.append(event)
        return self.knows

    async def gets(self, kind: str, phone: str = PHONE, **content: Any) -> None:
        """Let somebody write a message of this type."""
        self._count += 1
        event = InboundMessage(
            id=f"m{self._count}",
            type=kind,
            phone=phone,
            timestamp=int(self.clock.now),
            content=content,
        )
        await self._receiver.receive([event])

    async def receives(self, body: Mapping[str, Any]) -> None:
        """Take in a webhook."""
        await self._receiver.receive(webhook.read(json.dumps(body).encode()))

    async def says(self, body: str, phone: str = PHONE) -> None:
        await self.gets("text", phone, body=body)

    async def run(self) -> list[str]:
        """Handle what may be handled now; return all texts that the bot has heard so far."""
        for queue, handle in ((self.store.desk, self._timers), (self.store.inbox, self.handle)):
            while item := await queue.claim():
                outcome = await handle(item)
                if isinstance(outcome, Retry):
                    await queue.retry_later(
                        item, outcome.after, cause=outcome.cause, counted=outcome.counted
                    )
                else:
                    assert outcome == DONE
                    await queue.done(item)
        return self.texts

    @property
    def texts(self) -> list[str]:
        return [turn.text for turn in self.heard]
