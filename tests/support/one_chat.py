"""Both directions of one bot on a store in a file, with WhatsApp's own bodies in and out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.desk import Clock
from support.fake_transport import FakeTransport, answer
from support.quiet_client import QuietClient
from support.webhooks import envelope

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.sender import Sender
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import DeadLetter, Done, QueueItem, Retry, Store
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.transport import Request, Response
from rasa_whatsapp_channel.whatsapp.webhook import read


class Platform(FakeTransport):
    """
    Takes every message.

    *contacts* is what WhatsApp answers of who is written to, by the id in the request; without one
    it is the number that was dialled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, Any] = {}
        self.refusals: list[Response] = []  # of the next messages

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        if self.refusals:
            return self.refusals.pop(0)
        body = json.loads(request.body)
        to = body.get("to") or body["recipient"]
        contacts = self.contacts.get(to, [{"input": to, "wa_id": to}])
        message_id = f"wamid.out{len(self.requests)}"
        return answer(
            {
                "messaging_product": "whatsapp",
                "contacts": contacts,
                "messages": [{"id": message_id}],
            }
        )


class OneChat:
    """
    Driven step by step; every part has its own `People`, as parts in several processes would.

    *heard* is what the bot hears: conversation and text of each turn.
    """

    def __init__(self, store: Store, clock: Clock, root: Path, **options: Any) -> None:
        self.store = store
        self.clock = clock
        self.platform = Platform()
        self.heard: list[tuple[str, str]] = []
        self.metrics = Metrics()
        client = CloudClient(
            self.platform,
            base_url="https://graph.facebook.com",
            phone_number_id="106540352242922",
            access_token="a-token",
            clock=clock,
        )
        failures = Failures(store.inbox, people=People(store.values, clock=clock))
        self._statuses = Statuses(
            store,
            failures,
            AccountState(store.values, clock=clock),
            clock=clock,
        )
        uploads = MediaUploads(
            client,
            store.values,
            root=root,
            account="a",
            links=Links(FakeTransport(), private=True),
            access=FileAccess(folders=(".",)),
        )
        self._sender = Sender(
            client,
            uploads,
            store,
            self._statuses,
            failures,
            account="a",
            clock=clock,
            monotonic=clock,
            jitter=lambda: 0.0,
        )
        self._receiver = Receiver(
            store,
            self.metrics,
            note_status=self._statuses.note,
            people=People(store.values, clock=clock, **options),
            clock=clock,
        )
        self._worker = InboxWorker(
            QuietClient(),
            store,
            self._bot,
            media=None,
            failure_intent="message_failed",
            clock=clock,
        )

    @property
    def sent(self) -> list[Mapping[str, Any]]:
        """The bodies of all messages, in order."""
        return self.platform.bodies

    @property
    def addresses(self) -> list[Mapping[str, str]]:
        """Where they went."""
        return [
            {name: body[name] for name in ("to", "recipient") if name in body} for body in self.sent
        ]

    @property
    def names(self) -> set[str]:
        """The conversations that the bot has heard in."""
        return {name for name, _ in self.heard}

    async def says(self, to: Any, response: Mapping[str, Any], *, turn: str | None = None) -> None:
        """Let the bot say something: out of a turn, as `trigger_intent` does, or in one."""
        writer = OutboxWriter(
            self.store, Composer(CLOUD), turn_id=turn, metrics=self.metrics, clock=self.clock
        )
        await writer.write(to, response)
        await self.send()

    async def send(self) -> None:
        """Send what may go now."""
        while item := await self.store.outbox.claim():
            await self._end(self.store.outbox, item, await self._sender.handle(item))

    async def webhook(self, *contents: dict[str, Any]) -> None:
        """Let WhatsApp deliver *contents*, and everybody do what there is to do then."""
        await self.body(envelope(contents))

    async def body(self, body: Any) -> None:
        await self._receiver.receive(read(json.dumps(body).encode()))
        while item := await self.store.inbox.claim():
            await self._end(self.store.inbox, item, await self._worker.handle(item))
        await self.send()

    async def _bot(self, turn: Turn, *, repeated: bool) -> bool:
        self.heard.append((turn.sender_id, turn.text))
        return True

    async def _end(self, queue: Any, item: QueueItem, outcome: Any) -> None:
        if isinstance(outcome, Retry):
            await queue.retry_later(
                item,
                outcome.after,
                cause=outcome.cause,
                counted=outcome.counted,
                body=outcome.body,
                error=outcome.error,
            )
        elif isinstance(outcome, DeadLetter):
            await queue.dead_letter(item, outcome.reason)
            return
        else:
            assert isinstance(outcome, Done)
            await queue.done(item, outcome.hold, cause=outcome.cause)
        if outcome.then is not None:
            await outcome.then()
