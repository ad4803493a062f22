"""Composition root: settings → store, clients, workers and endpoint, opened and closed in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.handoffs import (
    DESK,
    HISTORY,
    KEEP,
    LOOK,
    TIMER,
    CancelTurn,
    Handoffs,
)
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import ANY_OWNER, Ownership
from rasa_whatsapp_channel.conversation.restarts import Restarts
from rasa_whatsapp_channel.conversation.silence import WhySilent, never_silent
from rasa_whatsapp_channel.desk.delivery import DeskDelivery, History
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint
from rasa_whatsapp_channel.factories import (
    account,
    load_functions,
    make_cleanup,
    make_client,
    make_converter,
    make_folder,
    make_links,
    make_policy,
    make_store,
    make_transport,
    make_webhook_auth,
)
from rasa_whatsapp_channel.health import Health
from rasa_whatsapp_channel.inbound.account_events import AccountEvents
from rasa_whatsapp_channel.inbound.bot_runner import Bot, Record, no_bot, nothing_is_recorded
from rasa_whatsapp_channel.inbound.conversation_receiver import ConversationReceiver
from rasa_whatsapp_channel.inbound.endpoint import Endpoint
from rasa_whatsapp_channel.inbound.handoff import InboxHandoff
from rasa_whatsapp_channel.inbound.notify_door import NotifyDoor
from rasa_whatsapp_channel.inbound.outages import Outages
from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.inbound.transcribe import (
    FunctionTranscriber,
    ServerTranscriber,
    Transcriber,
)
from rasa_whatsapp_channel.inbound.worker import Concurrency, InboxWorker
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.kept import open_kept
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.notify.changes import Changes
from rasa_whatsapp_channel.notify.notification import BotNames
from rasa_whatsapp_channel.notify.notifications import CHANGED, DUE, Notifications
from rasa_whatsapp_channel.outbound.charges import Charges
from rasa_whatsapp_channel.outbound.due_notifications import (
    DueNotifications,
    Respond,
    no_response,
)
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.outbound.marketing import Marketing
from rasa_whatsapp_channel.outbound.notified import Notified
from rasa_whatsapp_channel.outbound.owner_gate import OwnerGate
from rasa_whatsapp_channel.outbound.sender import Sender
from rasa_whatsapp_channel.outbound.simulator_header import DEAD_LETTERS, OWNERS, write_owner
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.outbound.tier_gate import TierGate
from rasa_whatsapp_channel.outbound.turn_writer import TurnWriter
from rasa_whatsapp_channel.outbound.window import WaysOut
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.presence import Presence
from rasa_whatsapp_channel.settings import Settings, TranscriptionSettings
from rasa_whatsapp_channel.settings.roles import BOT, DOOR, SENDER
from rasa_whatsapp_channel.standard_webhooks import OwnServer
from rasa_whatsapp_channel.store.base import (
    DONE,
    DeadLetter,
    Handler,
    Outcome,
    Queue,
    QueueItem,
    Store,
)
from rasa_whatsapp_channel.store.clock import SteadyClock
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.store.isolation import Isolation
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.whatsapp.clients import Client
from rasa_whatsapp_channel.whatsapp.clients.requests import is_loopback
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, ON_PREMISES_CODES
from rasa_whatsapp_channel.whatsapp.errors import SendError
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.networks import Networks

# Sanic waits 15 seconds for a graceful stop; running work gets most of it.
GRACE: Final = 10.0


@dataclass(frozen=True)
class NumberRuntime:
    """The client, uploads, worker and sender of one business number."""

    client: Client
    uploads: MediaUploads
    worker: InboxWorker
    sender: Sender


class App:
    """
    One per server process, with some of the *roles*, by default those of the settings.

    *bot* and what follows are for the role of the bot. *root* is the bot's folder, where media
    paths and the store begin; *readable* tells whether a model of the bot's engine reads the texts
    of turns, *bot_names* what notifications may name.
    """

    def __init__(
        self,
        settings: Settings,
        bot: Bot = no_bot,
        *,
        roles: Collection[str] | None = None,
        ready: Callable[[], bool] = lambda: True,
        why_silent: WhySilent = never_silent,
        record: Record = nothing_is_recorded,
        readable: Callable[[], bool] = lambda: False,
        cancel_turn: CancelTurn | None = None,
        history: History | None = None,
        respond: Respond = no_response,
        bot_names: Callable[[], BotNames | None] = lambda: None,
        root: Path | None = None,
    ) -> None:
        self.settings = settings
        self.roles = settings.roles if roles is None else roles
        self.metrics = Metrics()
        self._root = root or Path.cwd()
        self._why_silent = why_silent
        self._record = record
        self._readable = readable
        self._cancel_turn = cancel_turn
        self._concurrency = Concurrency()
        self._isolation = Isolation()
        self._clock = SteadyClock()
        instrumentation.start()
        self.outages = Outages(self.metrics, clock=self._clock)
        self._functions = load_functions(settings)

        self.store: Store = make_store(settings, clock=self._clock)
        self._presence = Presence(self.store.values, self.roles)
        self.restarts = Restarts(self.store.values, clock=self._clock)
        self._people = People(self.store.values, sender_id=settings.sender_id, clock=self._clock)
        self._number_ids = tuple(settings.by_number())
        self.account = AccountState(
            self.store.values, has_numbers=len(self._number_ids) > 1, clock=self._clock
        )

        self._transport = make_transport(settings)
        # Slow downloads must not take the connections that sending needs.
        self._downloads = make_transport(settings)
        self._transcriptions = AiohttpTransport()  # opened when a voice note comes
        self._own_servers = AiohttpTransport()  # opened when one of yours is told something

        self._access = FileAccess.of(settings.media)
        self._links = make_links(settings)
        self._converter = make_converter(settings, self._root)
        self._cleanup = make_cleanup(settings, self._root)
        self._transcriber = self._make_transcriber()
        self._composer = self._make_composer()
        self._notes = is_loopback(settings.base_url)  # only a simulator reads them
        self._ways = WaysOut(
            self.account,
            reengagement=settings.reengagement_template,
            metrics=self.metrics,
            notes=self._notes,
        )

        self._handoffs = self._make_handoffs()
        self._owner_gate = OwnerGate(self._handoffs, clock=self._clock)
        self._desk = self._make_desk(self._handoffs) if self._handoffs else None
        self._delivery = self._make_delivery(self._desk, history) if self._desk else None
        self._handoff = self._make_handoff(self._handoffs) if self._handoffs else None

        self._limits = self._make_limits()
        self._charges = self._make_charges()
        self._consents = Consents(self.store.values, self.metrics, clock=self._clock)
        self._marketing = Marketing(self._consents, self.account)
        self._notifications = Notifications(
            self.store, tells=bool(self.settings.notify_webhook), clock=self._clock
        )
        self._notified = Notified(self._notifications, self.account, clock=self._clock)
        self._failures = self._make_failures()
        self._statuses = self._make_statuses()

        self._numbers = self._make_numbers(bot)
        self._receiver = self._make_receiver()
        self.endpoint = self._make_endpoint(bot_names)
        self._inbox = self._consume(
            self.store.inbox, "inbox", self._inbox_handler(respond, bot_names), ready=ready
        )
        senders = by_number({key: number.sender.handle for key, number in self._numbers.items()})
        self._outbox = self._consume(self.store.outbox, "outbox", senders, ready=self._may_send)
        self._for_people = self._consume(self.store.desk, "desk", self._desk_handler())

    def _inbox_handler(self, respond: Respond, bot_names: Callable[[], BotNames | None]) -> Handler:
        workers = by_number({key: number.worker.handle for key, number in self._numbers.items()})
        kinds = {
            DUE: self._make_due(respond, bot_names).handle,
            CHANGED: self._make_changes().handle,
        }
        if self._delivery:
            kinds[HISTORY] = self._delivery.look_back
        return by_kind(kinds, otherwise=workers)

    def _desk_handler(self) -> Handler:
        kinds: dict[str, Handler] = {}
        if handoff := self._handoff:
            keep = partial(handoff.keep_what_waits, handle_first=self._inbox.handle_first)
            kinds |= {TIMER: handoff.tick, KEEP: keep}
        if self._delivery:
            kinds |= {DESK: self._delivery.handle, LOOK: self._delivery.look}
        return by_kind(kinds, otherwise=not_needed)

    def _make_composer(self) -> Composer:
        settings = self.settings
        return Composer(
            settings.platform,
            captions=settings.captions,
            markdown=settings.markdown,
            unknown_keys=settings.unknown_keys,
            images=settings.markdown_images,
            access=self._access,
        )

    def _make_delivery(self, desk: DeskEndpoint, history: History | None) -> DeskDelivery:
        return DeskDelivery(desk, self._own_servers, history=history, root=self._root)

    def _make_handoff(self, handoffs: Handoffs) -> InboxHandoff:
        watch = self._delivery.watch if self._delivery else None
        return InboxHandoff(
            handoffs, say=self._say, say_rest=self._say_rest, watch=watch, clock=self._clock
        )

    def _make_charges(self) -> Charges:
        return Charges(
            self.store.ledger,
            self.account,
            numbers=self._number_ids,
            billing=self.settings.billing,
            limits=self._limits,
            metrics=self.metrics,
            clock=self._clock,
        )

    def _make_failures(self) -> Failures:
        handoffs = self._handoffs
        return Failures(
            self.store.inbox,
            people=self._people,
            marketing=self._marketing,
            note_code=self._charges.note_failure,
            tell_desk=handoffs.report_status if handoffs and handoffs.settings.desk else None,
            notified=self._notified,
        )

    def _make_statuses(self) -> Statuses:
        codes = ON_PREMISES_CODES if self.settings.api == "on_premises" else CLOUD_CODES
        return Statuses(
            self.store,
            self._failures,
            self.account,
            people=self._people,
            marketing=self._marketing,
            charges=self._charges,
            limits=self._limits,
            notified=self._notified,
            codes=codes,
            keyed=APIS[self.settings.api].callback_data,
            may_upload=self.settings.media.upload != "never",
            clock=self._clock,
        )

    def _make_numbers(self, bot: Bot) -> Mapping[str | None, NumberRuntime]:
        """Return the runtimes by the number in the names of conversations: the first has none."""
        settings = self.settings.by_number().values()
        keys = (None, *self._number_ids[1:])
        return {
            key: self._make_number(of_number, bot)
            for key, of_number in zip(keys, settings, strict=True)
        }

    def _make_receiver(self) -> Receiver:
        settings = self.settings
        numbers = tuple(filter(None, self._number_ids))
        handoffs = None if BOT in self.roles else self._handoffs
        ask_to_keep = handoffs.ask_to_keep if handoffs else None
        conversations = ConversationReceiver(
            self.store,
            self._people,
            self.metrics,
            reject=self._reject_call,
            say=self._say,
            calls=settings.calls,
            numbers=numbers,
            handoff=self._handoff,
            ask_to_keep=ask_to_keep,
            clock=self._clock,
        )
        account_events = AccountEvents(
            self.account,
            self.store.outbox,
            self.metrics,
            function=self._functions.get("account_events"),
        )
        return Receiver(
            self.store,
            self.metrics,
            note_status=self._statuses.note,
            people=self._people,
            numbers=numbers,
            max_age=settings.max_age,
            debounce=settings.debounce,
            wording=settings.inbound or {},
            consents=self._consents,
            consent_words=settings.consent,
            account_events=account_events,
            conversations=conversations,
            ask_to_keep=ask_to_keep,
            clock=self._clock,
        )

    def _make_health(self) -> Health:
        handoffs = self._handoffs
        return Health(
            self.store,
            self.account,
            self.outages,
            self.metrics,
            missing=self._presence.missing,
            paused=lambda: {key: each.sender.paused for key, each in self._numbers.items()},
            gauges=(self._charges.show_allowance, *([handoffs.show] if handoffs else [])),
            clock=self._clock,
        )

    def _make_endpoint(self, bot_names: Callable[[], BotNames | None]) -> Endpoint:
        settings, health = self.settings, self._make_health()
        notify = NotifyDoor(
            notifications=self._notifications,
            values=self.store.values,
            token=settings.notify_token,
            names=bot_names,
            metrics=self.metrics,
            clock=self._clock,
        )
        return Endpoint(
            auth=make_webhook_auth(settings),
            networks=Networks(settings.allowed_networks, settings.trusted_proxies),
            verify_token=settings.verify_token,
            receive=self._receiver.receive,
            health=health.page,
            metrics_page=health.metrics_page,
            metrics=self.metrics,
            desk=self._desk,
            is_door=DOOR in self.roles,
            notify=notify,
        )

    def _consume(
        self,
        queue: Queue,
        name: str,
        handle: Handler,
        *,
        ready: Callable[[], bool] = lambda: True,
    ) -> Consumer:
        return Consumer(
            queue,
            handle,
            name=name,
            ready=ready,
            isolation=self._isolation,
            metrics=self.metrics,
            clock=self._clock,
        )

    def _make_changes(self) -> Changes:
        url, secret = self.settings.notify_webhook, self.settings.notify_token
        server = OwnServer(url, (secret,), self._own_servers, self._clock) if url else None
        return Changes(server, clock=self._clock)

    def _make_due(
        self, respond: Respond, bot_names: Callable[[], BotNames | None]
    ) -> DueNotifications:
        return DueNotifications(
            notifications=self._notifications,
            inbox=self.store.inbox,
            people=self._people,
            marketing=self._marketing,
            account=self.account,
            writer=partial(self.outbox_writer, turn_version=ANY_OWNER),
            respond=respond,
            names=bot_names,
            quiet=self.settings.quiet_hours,
            metrics=self.metrics,
            clock=self._clock,
        )

    def _make_handoffs(self) -> Handoffs | None:
        settings = self.settings.handoff
        if settings is None:
            return None
        return Handoffs(
            self.store,
            settings,
            self.metrics,
            cancel_turn=self._cancel_turn,
            tell_owner=self._tell_owner,
            clock=self._clock,
        )

    async def _tell_owner(self, conversation: str, owner: Ownership) -> None:
        words = self.settings.handoff.return_words if self.settings.handoff else ()
        told = write_owner(conversation, owner, words)
        await self._client_of(None).post_local(OWNERS, told)

    def _make_desk(self, handoffs: Handoffs) -> DeskEndpoint | None:
        if not handoffs.settings.desk:
            return None
        return DeskEndpoint(
            handoffs,
            self.store,
            self._people,
            self.settings.phone_number_id,
            self._clock,
            writer=self.outbox_writer,
            template=self.settings.reengagement_template,
            kept=partial(open_kept, self.settings.media.store, self._root),
            show_typing=self._show_typing,
        )

    async def _show_typing(self, conversation: str, message_id: str, typing: bool) -> None:
        _, number = split_number(conversation)
        try:
            await self._client_of(number).mark_read(message_id, typing=typing)
        except SendError as error:
            self.metrics.api_error(error)

    def _make_transcriber(self) -> Transcriber | None:
        server = self.settings.transcribe
        if isinstance(server, TranscriptionSettings):
            return ServerTranscriber(server, self._transcriptions, self.store.values)
        function = self._functions.get("transcribe")
        return FunctionTranscriber(function) if function is not None else None

    def _is_readable(self) -> bool:
        """Return whether the bot reads lines instead of intents: by the setting, or its engine."""
        wanted = self.settings.media_text
        return self._readable() if wanted is None else wanted == "readable"

    def _make_limits(self) -> LimitGate | None:
        billing = self.settings.billing
        if billing.at_limit is None:
            return None
        return LimitGate(
            self.store,
            self.account,
            billing=billing,
            metrics=self.metrics,
            clock=self._clock,
        )

    def _may_send(self) -> bool:
        """Return whether any number may send; otherwise no item is claimed."""
        return not all(number.sender.paused for number in self._numbers.values())

    async def _reject_call(self, number: str | None, call_id: str) -> None:
        await self._client_of(number).act_on_call(call_id, "reject")

    def _client_of(self, number: str | None) -> Client:
        return (self._numbers.get(number) or self._numbers[None]).client

    async def _say(self, turn_id: str, conversation: str, text: str) -> None:
        """Say what the bot's owner says, whoever answers in the conversation."""
        writer = self.outbox_writer(turn_id, turn_version=ANY_OWNER)
        await writer.write(conversation, {"text": text})

    async def _say_rest(self, turn_id: str, version: int) -> None:
        """Put what a turn that died has said into the outbox, where the owner gate judges it."""
        async with self.turn_writer(turn_id, version) as writer:
            await writer.resume()

    def _make_number(self, settings: Settings, bot: Bot) -> NumberRuntime:
        client = make_client(settings, self._transport)
        downloads = make_client(settings, self._downloads)
        uploads = MediaUploads(
            client,
            self.store.values,
            root=self._root,
            account=account(settings),
            links=self._links,
            access=self._access,
            converter=self._converter,
            upload=settings.media.upload,
        )
        worker = InboxWorker(
            client,
            self.store,
            bot,
            media=make_folder(settings, downloads, self._root),
            runs_bot=BOT in self.roles,
            people=self._people,
            commands=settings.commands,
            wording=settings.inbound or {},
            failure_intent=settings.failure_intent,
            mark_read=settings.mark_read,
            typing=settings.typing_indicator,
            debounce=settings.debounce,
            transcriber=self._transcriber,
            metrics=self.metrics,
            clock=self._clock,
            turn_timeout=settings.turn_timeout,
            why_silent=self._why_silent,
            handoff=self._handoff,
            record=self._record,
            readable=self._is_readable,
            outages=self.outages,
            concurrency=self._concurrency,
        )
        sender = Sender(
            client,
            uploads,
            self.store,
            self._statuses,
            self._failures,
            account=account(settings),
            people=self._people,
            state=self.account,
            marketing=self._marketing,
            limits=self._limits,
            tier=TierGate(
                self.store, self.account, limit=settings.messaging_limit, clock=self._clock
            ),
            owner_gate=self._owner_gate,
            notified=self._notified,
            policy=make_policy(settings),
            ways=self._ways,
            metrics=self.metrics,
            clock=self._clock,
        )
        return NumberRuntime(client, uploads, worker, sender)

    async def open(self) -> None:
        """Open the store, so that webhooks can be stored; raises `StoreError`."""
        await self.store.open()

    def start(self) -> None:
        """Start to handle the items of the queues that are for the roles of this process."""
        self._presence.start()
        if SENDER in self.roles:
            self._outbox.start()
            self._for_people.start()
        if BOT in self.roles:
            self._inbox.start()
            if self._cleanup is not None:
                self._cleanup.start()

    async def stop(self) -> None:
        """Stop the consumers, the inbox first: running turns still put messages into the outbox."""
        if self._cleanup is not None:
            await self._cleanup.stop()
        await self._inbox.stop(GRACE)
        await asyncio.gather(self._for_people.stop(GRACE / 2), self._outbox.stop(GRACE / 2))
        await self._presence.stop()

    async def close(self) -> None:
        for number in self._numbers.values():
            await number.uploads.close()
            await number.client.close()
        await self._downloads.close()
        await self._transcriptions.close()
        await self._own_servers.close()
        await self._links.close()
        await self.store.close()

    def outbox_writer(
        self, turn_id: str | None = None, turn_version: int | None = None
    ) -> OutboxWriter:
        return OutboxWriter(
            self.store,
            self._composer,
            people=self._people,
            turn_id=turn_id,
            turn_version=turn_version,
            owner_gate=self._owner_gate,
            metrics=self.metrics,
            notes=self._notes,
            tell_dead_letter=partial(self._client_of(None).post_local, DEAD_LETTERS),
            ways=self._ways,
            direct_send=self.settings.direct_send,
            clock=self._clock,
        )

    async def ask_for_person(self, conversation: str, reason: str) -> None:
        await self._owner_gate.ask(conversation, reason, by="trigger")

    async def say_waiting(self, conversation: str, version: int) -> None:
        if self._handoff is not None:
            await self._handoff.say_waiting(conversation, version)

    def turn_writer(self, turn_id: str, turn_version: int = ANY_OWNER) -> TurnWriter:
        return TurnWriter(
            self.outbox_writer(turn_id, turn_version),
            self.store.values,
            turn_id,
            wait=self.settings.combine_wait if self.settings.combine == "turn" else None,
            skip=self.settings.combine_skip,
        )


def by_number(handles: Mapping[str | None, Handler]) -> Handler:
    """Return a handler that picks the handler of the business number of an item."""
    if len(handles) == 1 and None in handles:
        return handles[None]

    async def handle(item: QueueItem) -> Outcome:
        _, number = split_number(item.conversation)
        if number not in handles:
            return DeadLetter(f"the settings name no number {number} any more")
        return await handles[number](item)

    return handle


def by_kind(handles: Mapping[str, Handler], *, otherwise: Handler) -> Handler:
    """Return a handler that picks the handler of the kind of an item."""

    async def handle(item: QueueItem) -> Outcome:
        return await handles.get(str(item.body.get("kind")), otherwise)(item)

    return handle


async def not_needed(item: QueueItem) -> Outcome:
    """Drop an item of a time in which its setting was there."""
    return DONE
