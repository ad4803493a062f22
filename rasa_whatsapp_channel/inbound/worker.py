"""
Inbox worker: turns queue items into turns of the bot or events in its tracker.

One conversation is handled at a time, in order. `bot_runner` runs what the items become.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.conversation.handoffs import HISTORY, RETURN
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.numbered_replies import NumberedReplies
from rasa_whatsapp_channel.conversation.owner import CLOCK, Owner
from rasa_whatsapp_channel.conversation.payloads import Payloads, is_command
from rasa_whatsapp_channel.conversation.silence import Silences, WhySilent, never_silent
from rasa_whatsapp_channel.inbound.bot_runner import Bot, BotRunner, Record, nothing_is_recorded
from rasa_whatsapp_channel.inbound.conversation_events import (
    CONVERSATION_EVENTS,
    ConversationEvent,
    kind_of,
    tell,
)
from rasa_whatsapp_channel.inbound.debounce import Debouncer, join
from rasa_whatsapp_channel.inbound.downloads import TIMEOUT, Downloads
from rasa_whatsapp_channel.inbound.handoff import LEFT_TO_BOT, Fetch, InboxHandoff, as_message
from rasa_whatsapp_channel.inbound.metadata import quoted_id
from rasa_whatsapp_channel.inbound.outages import Outages
from rasa_whatsapp_channel.inbound.read_receipts import ReadReceipt, ReadReceipts
from rasa_whatsapp_channel.inbound.transcribe import Transcriber
from rasa_whatsapp_channel.inbound.turn import (
    NO_WORDING,
    TrackerEvent,
    Turn,
    asked_turn,
    failure_event,
    failure_turn,
    handling_of_failure,
    handling_of_message,
    tapped_id,
    to_event,
    to_turn,
)
from rasa_whatsapp_channel.media.values import MediaStore, StoredFile, Transcript
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.inbound import Handling
from rasa_whatsapp_channel.store.base import (
    DEBOUNCE,
    DONE,
    Clock,
    DeadLetter,
    Outcome,
    QueueItem,
    Retry,
    Store,
)
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.events import (
    DeliveryFailed,
    InboundMessage,
    IntentAsked,
    Overheard,
    Status,
    from_body,
)

logger = logging.getLogger(__name__)

# At the same time in one process.
TURNS: Final = 200
DOWNLOADS: Final = 50
# These have no read receipt of their own: marking one as read would mark all messages before it.
NO_RECEIPT: Final = frozenset({"reaction", "edit", "revoke"})


@dataclass(frozen=True)
class Concurrency:
    """How many turns and downloads run at the same time in one process, over all its numbers."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TURNS))
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))


class InboxWorker:
    """
    Handles the inbox items of one business number.

    *commands* are texts with a slash that people may type. The other options are the settings of
    these names; *wording* is the setting ``inbound``; *readable* tells whether a model reads texts.
    Without *runs_bot* only what is not for the bot is handled.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        bot: Bot,
        *,
        media: MediaStore | None,
        runs_bot: bool = True,
        people: People | None = None,
        commands: Collection[str] = (),
        wording: Mapping[str, str] = NO_WORDING,
        failure_intent: str | None = None,
        mark_read: bool = True,
        typing: bool = True,
        debounce: float = 0.0,
        transcriber: Transcriber | None = None,
        metrics: Metrics | None = None,
        turn_timeout: float = 300.0,
        download_timeout: float = TIMEOUT,
        why_silent: WhySilent = never_silent,
        handoff: InboxHandoff | None = None,
        record: Record = nothing_is_recorded,
        readable: Callable[[], bool] = lambda: False,
        outages: Outages | None = None,
        concurrency: Concurrency | None = None,
        clock: Clock = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._readable = readable
        self._people = people or People(store.values, clock=clock)
        self._commands = commands
        self._wording = wording
        self._failure_intent = failure_intent
        self._metrics = metrics or Metrics()
        self._outages = outages or Outages(self._metrics)
        self._silences = Silences(store.values, why_silent, self._metrics)
        self._handoff = handoff
        self._payloads = Payloads(store.values)
        self._numbered = NumberedReplies(store.values)
        self._concurrency = concurrency or Concurrency()
        self._downloads = Downloads(
            media,
            self._concurrency.downloads,
            self._metrics,
            timeout=download_timeout,
            sleep=sleep,
        )
        self._runner = BotRunner(
            bot=bot,
            runs_bot=runs_bot,
            record=record,
            outages=self._outages,
            silences=self._silences,
            turns=self._concurrency.turns,
            turn_timeout=turn_timeout,
            metrics=self._metrics,
            clock=clock,
        )
        self._transcriber = transcriber
        self._receipts = ReadReceipts(
            client, mark_read=mark_read, typing=typing, metrics=self._metrics
        )
        self._debouncer = Debouncer(store, debounce, clock=clock)

    async def handle(self, item: QueueItem) -> Outcome:
        if (kind := item.body.get("kind")) in (HISTORY, RETURN):
            if self._handoff is None or kind == HISTORY:
                return DONE  # of a time in which the setting was there
            return await self._handle_return(self._handoff, item)
        event = from_body(item.body)
        if isinstance(event, InboundMessage):
            return await self._hear_or_keep(item, event)
        if isinstance(event, DeliveryFailed):
            intent = self._failure_intent
            is_turn = handling_of_failure(event, intent) is Handling.TURN
            return await self._run_without_receipt(
                item, failure_turn(event, intent) if intent and is_turn else failure_event(event)
            )
        if isinstance(event, IntentAsked):
            return await self._run_without_receipt(item, asked_turn(event, item.conversation))
        if isinstance(event, CONVERSATION_EVENTS):
            return await self._handle_conversation_event(item, event)
        return DeadLetter(f"the inbox holds no message: {type(event).__name__}")

    async def _hear_or_keep(self, item: QueueItem, event: InboundMessage) -> Outcome:
        """Run the turn of a message, or add it to the episode while the bot is not the owner."""
        handoff = self._handoff
        if handoff is None or event.type == "system":
            return await self._handle_message(item, event)
        owner = await handoff.owner(item.conversation)
        if by := handoff.returned_by(owner, event, item.put_at):
            record = partial(self._run_without_receipt, item)
            outcome = await handoff.give_back(item.conversation, owner, record, by=by)
            if outcome != DONE:
                return outcome
            owner = await handoff.owner(item.conversation)
        elif item.attempts > 1 and (event.timestamp or owner.since) <= owner.since:
            await handoff.say_end(item.conversation)  # an attempt that died may have ended it
        hears = handoff.hears(owner)
        if hears and not self._runner.runs_bot:
            return LEFT_TO_BOT
        if owner.owner is not Owner.BOT:  # also what the bot hears while somebody waits
            heard = hears or handling_of_message(event, self._wording) is not Handling.TURN
            heard = heard or await self._debouncer.was_handled(item)
            fetch = self._downloads.once(item.conversation)
            keep = partial(handoff.keep_fetched, item.conversation, event, fetch, heard=heard)
            if not hears and item.attempts > 1:
                with handoff.turn(item.conversation, event.id, keep):
                    await handoff.ask_again(item.conversation, owner)
            await keep()
        if not hears and item.attempts > 1:
            await handoff.say_rest(event.id, owner.version)
        return await self._handle_message(item, event, version=owner.version) if hears else DONE

    async def _handle_return(self, handoff: InboxHandoff, item: QueueItem) -> Outcome:
        """Give a conversation back, unless somebody else took it since, and answer what waits."""
        owner = await handoff.owner(item.conversation)
        if owner.owner is not Owner.BOT and owner.version == item.body["version"]:
            by, reason = str(item.body["by"]), str(item.body["reason"])
            if by == CLOCK and owner.until != item.body["until"]:
                return DONE  # a person has spoken since
            record = partial(self._run_without_receipt, item)
            outcome = await handoff.give_back(
                item.conversation, owner, record, by=by, reason=reason, answers=True
            )
            if outcome != DONE:
                return outcome
            owner = await handoff.owner(item.conversation)
        if owner.owner is not Owner.BOT or owner.version != item.body["version"] + 1:
            return DONE
        if item.attempts > 1:
            await handoff.say_end(item.conversation)  # an attempt that died may not have said it
        waits = await handoff.unanswered(item.conversation, owner)
        if isinstance(waits, Turn):
            return await self._run_turn(item, waits)
        if not waits:
            return DONE
        if held := self._runner.hold():
            return held
        # A turn that died may have got through it.
        return await self._answer(item, waits, version=owner.version, repeated=True)

    async def _handle_message(
        self, item: QueueItem, event: InboundMessage, *, version: int = 0
    ) -> Outcome:
        if event.type == "system" or await self._debouncer.was_handled(item):
            return DONE
        handling = handling_of_message(event, self._wording)
        if handling is Handling.IGNORE:
            return self._ignore(event.type, event.key)
        if handling is Handling.EVENT:
            return await self._record_message(item, event)
        wait, others = await self._debouncer.gather(item, event)
        if wait:
            return Retry(wait, cause=DEBOUNCE, counted=False)
        # Before anything is shown or fetched, which every attempt would repeat.
        if held := self._runner.hold():
            return held
        outcome = await self._answer(item, [event, *others], version=version)
        if outcome == DONE and others:
            await self._debouncer.note_handled(others)
        return outcome

    async def _answer(
        self,
        item: QueueItem,
        events: Sequence[InboundMessage],
        *,
        version: int,
        repeated: bool = False,
    ) -> Outcome:
        """Let the bot hear *events* in one turn."""
        is_probe = self._outages.are_on
        try:
            hidden = await self._silences.is_silent(item.conversation)
        except BotUnavailable as error:
            return self._runner.failed(item, error)
        receipts = partial(self._receipts.during, events[-1].id, hidden=hidden)
        if self._handoff is not None:
            is_ours = partial(self._handoff.is_ours, item.conversation, version)
            receipts = partial(receipts, is_ours=is_ours)
        fetch = self._downloads.once(item.conversation)
        async with receipts() as receipt:
            if len(events) == 1:  # needs no task
                turns = [await self._turn(events[0], item, fetch)]
            else:
                turns = await asyncio.gather(*(self._turn(event, item, fetch) for event in events))
            turn = join([turn for turn in turns if turn])
            if version:
                turn = replace(turn, version=version)
            return await self._run_turn(
                item, turn, events, receipt, fetch=fetch, is_probe=is_probe, repeated=repeated
            )

    async def _run_turn(
        self,
        item: QueueItem,
        turn: Turn,
        events: Sequence[InboundMessage] = (),
        receipt: ReadReceipt | None = None,
        *,
        fetch: Fetch | None = None,
        is_probe: bool = False,
        repeated: bool = False,
    ) -> Outcome:
        """Run *turn*, which answers *events*; a person who is asked for in it sees them."""
        run = partial(self._runner.run, item, turn, receipt, is_probe=is_probe, repeated=repeated)
        if self._handoff is None:
            return await run()
        handoff, conversation = self._handoff, item.conversation
        fetch = fetch or self._downloads.once(conversation)
        keep = partial(handoff.keep_unanswered, conversation, events, turn.version, fetch)
        with handoff.turn(conversation, turn.message_id, keep):
            outcome = await run()
        if outcome == DONE:
            await keep()
        return outcome

    async def _record_message(self, item: QueueItem, event: InboundMessage) -> Outcome:
        """Record a message in the tracker, without a turn."""
        if held := self._runner.hold():
            return held
        is_probe = self._outages.are_on
        try:
            hidden = event.type in NO_RECEIPT or await self._silences.is_silent(item.conversation)
        except BotUnavailable as error:
            return self._runner.failed(item, error)
        async with self._receipts.during(event.id, hidden=hidden, shows_typing=False) as receipt:
            fetch = self._downloads.once(item.conversation)
            event = await self._downloads.fetch_form(event, fetch)
            file, problem = await fetch(event)
            tracker_event = to_event(
                event,
                sender_id=item.conversation,
                file=file,
                problem=problem,
                response=await self._response(event),
            )
            return await self._runner.run(item, tracker_event, receipt, is_probe=is_probe)

    async def _handle_conversation_event(
        self, item: QueueItem, event: ConversationEvent
    ) -> Outcome:
        handoff = self._handoff
        if (
            handoff is not None
            and isinstance(event, Overheard)
            and await handoff.has_episode(item.conversation)
        ):
            file, _ = await self._downloads.fetch(as_message(event), item.conversation)
            await handoff.keep(item.conversation, event, file)
            return DONE
        response = await self._sent_as(event.message_id) if isinstance(event, Status) else None
        work = tell(
            event,
            item.conversation,
            self._wording,
            response=response,
            readable=self._readable(),
        )
        if work is None:
            return self._ignore(kind_of(event), event.key)
        return await self._run_without_receipt(item, work)

    def _ignore(self, kind: str, key: str) -> Outcome:
        self._metrics.ignored(kind)
        logger.debug("whatsapp.not_heard: %s %s, as `inbound` says", kind, key)
        return DONE

    async def _run_without_receipt(self, item: QueueItem, work: Turn | TrackerEvent) -> Outcome:
        """Run what is not made of a message: nothing is marked as read."""
        if isinstance(work, Turn):
            if self._handoff is not None:
                owner = await self._handoff.owner(item.conversation)
                if not self._handoff.hears(owner):
                    if item.attempts > 1:
                        await self._handoff.say_rest(work.message_id, owner.version)
                    await self._handoff.keep_turn(item.conversation, work)
                    return DONE
                work = replace(work, version=owner.version)
            return await self._run_turn(item, work)
        if held := self._runner.hold():
            return held
        return await self._runner.run(item, work, is_probe=self._outages.are_on)

    async def _turn(self, event: InboundMessage, item: QueueItem, fetch: Fetch) -> Turn | None:
        sender_id = item.conversation  # found when the message came in
        event = await self._downloads.fetch_form(event, fetch)
        file, problem = await fetch(event)
        payload, title = await self._payload(event, sender_id), None
        number = None if payload else await self._numbered.find(sender_id, event, self._people)
        if number:
            payload, title = number
        return to_turn(
            event,
            commands=self._commands,
            wording=self._wording,
            sender_id=sender_id,
            file=file,
            problem=problem,
            payload=payload,
            title=title,
            response=await self._response(event),
            transcript=await self._transcribe(event, file),
            first=bool(item.body.get("first")) and event.key == item.key,
            readable=self._readable(),
        )

    async def _transcribe(
        self, event: InboundMessage, file: StoredFile | None
    ) -> Transcript | None:
        if event.type != "voice" or file is None or self._transcriber is None:
            return None
        return await self._transcriber(file)

    async def _payload(self, event: InboundMessage, sender_id: str) -> str | None:
        """
        Return the command that was tapped, if its button was sent to this person.

        Where WhatsApp could carry only a short id for it, that id is what was sent.
        """
        tapped = tapped_id(event)
        if tapped is None or not is_command(tapped):
            return None
        payload = await self._payloads.find(sender_id, tapped, self._people)
        if payload is None:
            logger.warning(
                "whatsapp.unknown_button_payload: %s taps a button with a command that was not "
                "sent to this person; the bot gets its title",
                event.key,
            )
        return payload

    async def _response(self, event: InboundMessage) -> str | None:
        """Return the name of the response that the message quotes, answers or reacts to."""
        message_id = quoted_id(event)
        return await self._sent_as(message_id) if message_id else None

    async def _sent_as(self, message_id: str) -> str | None:
        sent = await self._store.ledger.get(message_id)
        return sent.response if sent else None
