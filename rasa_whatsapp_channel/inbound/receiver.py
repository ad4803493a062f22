"""Receiver: puts the events of a webhook into the store before WhatsApp gets its 200."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.identity import (
    LIFE,
    People,
    at_our_number,
    sender_of,
)
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.conversation.window import Windows, notes_of_message
from rasa_whatsapp_channel.inbound.account_events import AccountEvents
from rasa_whatsapp_channel.inbound.conversation_events import (
    CONVERSATION_EVENTS,
    ConversationEvent,
    is_for_conversation,
)
from rasa_whatsapp_channel.inbound.conversation_receiver import ConversationReceiver
from rasa_whatsapp_channel.inbound.debounce import Debouncer
from rasa_whatsapp_channel.inbound.handoff import AskToKeep
from rasa_whatsapp_channel.inbound.turn import NO_WORDING, handling_of_message, written
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings import ConsentSettings
from rasa_whatsapp_channel.settings.inbound import Handling
from rasa_whatsapp_channel.store.base import WINDOW, Clock, Notes, Store
from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent
from rasa_whatsapp_channel.whatsapp.events import (
    Event,
    InboundMessage,
    PlatformNotice,
    Preference,
    Status,
    Unknown,
    UserIdChanged,
    to_body,
)

logger = logging.getLogger(__name__)

# Seconds for which a note of when a person wrote is not renewed, so that many messages in a row
# cost one write; the window is then taken to end that much earlier than it does.
FRESH: Final = 30.0


# Category and value of a preference → whether marketing messages are wanted.
PREFERENCES: Final[Mapping[tuple[str, str], bool]] = MappingProxyType(
    {
        ("marketing_messages", "stop"): False,
        ("marketing_messages", "resume"): True,
        ("marketing_messages", "signup"): True,
    }
)


class Receiver:
    """
    *note_status* is called with every status; *wording* is the setting ``inbound``.

    After one of *consent_words* a person gets no marketing, or gets it again; it is a message
    like any other.

    *numbers* are the phone number ids of this bot, the first one first; empty means any. A message
    that arrives more than *max_age* seconds after it was written becomes a dead letter.
    *ask_to_keep* is called where the bot may be in another process.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        note_status: Callable[[Status], Awaitable[None]],
        people: People | None = None,
        numbers: Sequence[str] = (),
        max_age: float | None = None,
        debounce: float = 0.0,
        wording: Mapping[str, str] = NO_WORDING,
        consents: Consents | None = None,
        consent_words: ConsentSettings | None = None,
        account_events: AccountEvents | None = None,
        conversations: ConversationReceiver | None = None,
        ask_to_keep: AskToKeep | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._windows = Windows(store.values)
        self._metrics = metrics
        self._note_status = note_status
        self._people = people or People(store.values, clock=clock)
        self._numbers = numbers
        self._other_numbers: set[str] = set()
        self._max_age = max_age
        self._wording = wording
        self._debouncer = Debouncer(store, debounce, wording=wording, clock=clock)
        self._clock = clock
        self._conversations = conversations
        self._ask_to_keep = ask_to_keep
        self._consents = consents or Consents(store.values, metrics, clock=clock)
        self._consent_words = consent_words
        self._account_events = account_events or AccountEvents(
            AccountState(store.values), store.outbox, metrics
        )

    async def receive(self, events: Iterable[Event]) -> None:
        """Keep every event. Raises `StoreError` when one could not be: WhatsApp sends it again."""
        statuses: list[Status] = []
        for event in events:
            if self._is_for_another_number(event):
                continue
            if isinstance(event, Status):
                statuses.append(event)
                continue
            await self._take_statuses(statuses)
            statuses.clear()
            await self._take(event)
        await self._take_statuses(statuses)

    async def _take(self, event: Event) -> None:
        if isinstance(event, InboundMessage):
            await self._message(event)
        elif isinstance(event, PlatformNotice):
            errors = "; ".join(str(error) for error in event.errors)
            logger.error("whatsapp.platform_notice: %s", errors or "no reason given")
        elif isinstance(event, UserIdChanged):
            logger.info("whatsapp.user_id_changed: of one person; the conversation goes on")
            await self._people.change(event)
        elif isinstance(event, Preference):
            await self._preference(event)
        elif isinstance(event, AccountEvent):
            await self._account_events.handle(event)
        elif isinstance(event, Unknown):
            await self._unknown(event)
        elif isinstance(event, CONVERSATION_EVENTS):
            await self._conversation_event(event)
        else:
            logger.debug("whatsapp.not_used: %s", type(event).__name__)

    async def _take_statuses(self, statuses: Iterable[Status]) -> None:
        """Take those of one person in their order, and those of several together: few commits."""
        of_person: dict[str, list[Status]] = {}
        for status in statuses:
            name = status.recipient_id or status.recipient_user_id or status.message_id
            of_person.setdefault(name, []).append(status)
        if len(of_person) > 1:
            await asyncio.gather(*map(self._take_in_order, of_person.values()))
        else:  # needs no task
            for each in of_person.values():
                await self._take_in_order(each)

    async def _take_in_order(self, statuses: Iterable[Status]) -> None:
        for status in statuses:
            await self._status(status)

    async def _status(self, event: Status) -> None:
        self._metrics.status("payment" if event.is_payment else event.status)
        await self._note_status(event)
        if is_for_conversation(event):
            await self._conversation_event(event)

    async def _conversation_event(self, event: ConversationEvent) -> None:
        if self._conversations is None:
            logger.debug("whatsapp.not_used: %s", type(event).__name__)
            return
        active = await self._conversations.receive(event)
        if active is None:
            return
        before = await self._windows.last_wrote((active,)) or 0.0
        notes = self._notes_of(event, active, before, is_turn=False, is_noted=True)
        if notes is not None:
            await self._windows.note(notes)
            await self._end_waits(active, await self._people.of(active))

    async def _message(self, event: InboundMessage) -> None:
        sender_id, person, of_person = await self._sender_of(event)
        wrote_at, was_heard = await self._windows.past_of(sender_id)
        late = self._why_late(event)
        is_turn = late is None and self._is_turn(event)
        notes = None
        if event.type != "system":
            is_noted = was_heard or not is_turn
            notes = self._notes_of(
                event, sender_id, wrote_at or 0.0, is_turn=is_turn, is_noted=is_noted
            )
        values = {**of_person, **(notes.values if notes else {})}
        stored = Notes(values, LIFE) if values else None
        if late is None:
            is_first = is_turn and not was_heard
            is_new = await self._put(event, sender_id, stored, is_first=is_first)
            if self._ask_to_keep is not None:
                await self._ask_to_keep(sender_id, event.key)
        else:
            is_new = await self._put_dead_letter(event, sender_id, late)
            if stored is not None:
                await self._windows.note(stored)
        if is_new:
            self._metrics.received(event.type)
            logger.debug("whatsapp.received: %s %s", event.type, event.key)
        else:
            self._metrics.duplicate()
            logger.info("whatsapp.duplicate: %s %s was here already", event.type, event.key)
        if event.type != "system":
            # A repeated delivery may mean that the store failed between the message and this.
            if notes is not None or not is_new:
                await self._end_waits(sender_id, person)
            await self._heed(event, person, event.timestamp or self._clock())

    async def _heed(self, event: InboundMessage, person: Person, at: float) -> None:
        """Note what *event* says about marketing messages, if it is nothing but a word for it."""
        words = self._consent_words
        wish = None if words is None else words.wish(written(event))
        if wish is not None:
            await self._consents.note(person, marketing=wish, source="a word they wrote", at=at)

    async def _preference(self, event: Preference) -> None:
        """Note what somebody chose at WhatsApp."""
        wish = PREFERENCES.get((event.category, event.value))
        name = event.phone or event.user_id or event.parent_user_id
        if wish is None or name is None:
            logger.debug("whatsapp.not_used: a preference for %s", event.category)
            return
        conversation = await self._people.conversation_of(name)
        ids = (event.phone, event.user_id, event.parent_user_id)
        await self._people.tie(conversation, *ids)
        person = await self._people.of(conversation)
        at = None if event.timestamp is None else float(event.timestamp)
        await self._consents.note(person, marketing=wish, source="WhatsApp", at=at)

    async def _sender_of(self, event: InboundMessage) -> tuple[str, Person, Mapping[str, Any]]:
        """
        Return the conversation of *event*, one with each business number, its person, and what is
        stored of them with it.
        """
        if event.type == "system":
            person = Person.begin(await self._people.change(event) or sender_of(event))
            of_person: Mapping[str, Any] = {}
        else:
            person, of_person = await self._people.sender(event)
        return at_our_number(person.name, event.phone_number_id, self._numbers), person, of_person

    def _is_for_another_number(self, event: Event) -> bool:
        """Return whether *event* is for a business number that the settings do not name."""
        number = getattr(event, "phone_number_id", None)
        if number is None or not self._numbers or number in self._numbers:
            return False
        if number not in self._other_numbers:
            self._other_numbers.add(number)
            logger.warning(
                "whatsapp.not_our_number: what comes for %s is left alone; the settings name %s",
                number,
                ", ".join(self._numbers),
            )
        return True

    def _is_turn(self, event: InboundMessage) -> bool:
        handling = handling_of_message(event, self._wording)
        return event.type != "system" and handling is Handling.TURN

    def _why_late(self, event: InboundMessage) -> str | None:
        """Return why *event* comes too late to be heard; None if it does not."""
        age = self._clock() - (event.timestamp or self._clock())
        if self._max_age is None or age <= self._max_age:
            return None
        return f"it came {age:.0f} seconds after it was written; max_age is {self._max_age:g}"

    async def _put_dead_letter(self, event: InboundMessage, sender_id: str, reason: str) -> bool:
        new = await self._store.inbox.put_dead_letter(event.key, sender_id, to_body(event), reason)
        if new:
            self._metrics.dead_letter("inbox")
            logger.warning("whatsapp.too_old: %s: %s", event.key, reason)
        return new

    async def _put(
        self, event: InboundMessage, sender_id: str, notes: Notes | None, *, is_first: bool
    ) -> bool:
        body = to_body(event)
        if is_first:
            body["first"] = True
        if not await self._store.inbox.put(event.key, sender_id, body, notes=notes):
            return False
        await self._debouncer.note(event, sender_id)
        return True

    def _notes_of(
        self,
        event: InboundMessage | ConversationEvent,
        sender_id: str,
        before: float,
        *,
        is_turn: bool,
        is_noted: bool,
    ) -> Notes | None:
        """
        Return what is noted of *event*, after which the 24-hour window is open.

        *before*: when the person wrote last, as far as is known; they may have written since
        *event*, which may come late. None: the note of then is enough (*is_noted*) and fresh.
        """
        now = self._clock()
        at = event.timestamp or now
        if is_noted and 0 <= at - before < FRESH and before <= now:
            return None
        return notes_of_message(sender_id, min(max(at, before), now), is_turn=is_turn)

    async def _end_waits(self, sender_id: str, person: Person) -> None:
        """End the waits for the 24-hour window of *person*, those of templates included."""
        for conversation in person.conversations(sender_id):
            for each in (conversation, template_conversation(conversation)):
                await self._store.outbox.end_wait(each, WINDOW)

    async def _unknown(self, event: Unknown) -> None:
        body = to_body(event)
        text = json.dumps(body, sort_keys=True, default=str)
        key = "unknown:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if await self._store.inbox.put_dead_letter(key, "", body, event.reason):
            self._metrics.dead_letter("inbox")
            logger.warning("whatsapp.not_understood: %s; it is %s", event.reason, key)
