"""Everything a running simulator holds, and what happens to messages whichever way they go."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.clock import Clock
from rasa_whatsapp_channel.simulator.config import Config, Number
from rasa_whatsapp_channel.simulator.faults import Faults
from rasa_whatsapp_channel.simulator.feed import Feed
from rasa_whatsapp_channel.simulator.lanes import Lanes
from rasa_whatsapp_channel.simulator.media.library import MediaLibrary, with_urls
from rasa_whatsapp_channel.simulator.rates import Rates
from rasa_whatsapp_channel.simulator.request_log import RequestLog
from rasa_whatsapp_channel.simulator.session import LazySession
from rasa_whatsapp_channel.simulator.state import Message, Person, State, StatusNote
from rasa_whatsapp_channel.simulator.templates.catalog import Catalog
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.webhooks.delivery import Webhooks
from rasa_whatsapp_channel.simulator.webhooks.envelopes import StatusChange
from rasa_whatsapp_channel.simulator.window import window_ends

FIRST_PERSON: Final = Person("Maya", user_id="DE.13491208655302741918", phone="4915112345678")


class World:
    def __init__(self, config: Config, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.session = LazySession()
        self.clock = Clock(clock)
        self.library = MediaLibrary(config.media_root, clock=self.clock)
        self.feed = Feed()
        self.state = State()
        self._welcome(FIRST_PERSON)
        self.requests = RequestLog(self.feed)
        self.providers: dict[str, Mapping[str, Any]] = {}  # of an on-premises client, by name
        self.packs: dict[str, dict[str, Any]] = {}  # of stickers, by id
        self.faults = Faults()
        self.templates = Catalog(config.templates)
        self.rates = Rates(per_second=config.throughput, clock=self.clock)
        self.webhooks = Webhooks(config, self.session, self.feed, self.faults, clock=self.clock)
        self.deliveries = Lanes()  # of the bot's messages, one lane per person

    async def close(self) -> None:
        await self._stop()
        await self.library.close()
        await self.session.close()

    async def reset(self) -> None:
        """Be as at the start: one person, the real time, and no faults."""
        await self.clear()
        self.faults.clear()
        self.clock.set_offset(0.0)
        self._welcome(FIRST_PERSON)
        self.feed.publish("reset")

    async def clear(self) -> None:
        """Forget everybody and everything."""
        await self._stop()
        await self.library.clear()
        self.requests.clear()
        self.rates.clear()
        self.templates.reload()
        self.providers.clear()
        self.packs.clear()
        self.state = State()

    async def _stop(self) -> None:
        await self.deliveries.close()
        await self.webhooks.clear()

    def add_person(
        self,
        name: str,
        *,
        phone: str | None = None,
        user_id: str | None = None,
        wrote: bool = True,
    ) -> Person:
        """
        Add somebody; without either way to name them they get a phone number.

        Unless the bot was first to write, they count as one who *wrote* just now.
        """
        if phone is None and user_id is None:
            phone = ids.new_phone()
        person = Person(name, user_id=user_id or ids.new_user_id(), phone=phone)
        if wrote:
            self._welcome(person)
        else:
            self.state.add_person(person)
        self.feed.publish("person", person=self.person_to_json(person))
        return person

    def add_group(self, name: str, participants: tuple[str, ...]) -> Person:
        group = Person(name, user_id=ids.new_group_id(), group=True, participants=participants)
        self._welcome(group)
        self.feed.publish("person", person=self.person_to_json(group))
        return group

    def _welcome(self, person: Person) -> None:
        """Add somebody who may be written to at once: a simulator is there to be tried."""
        self.state.add_person(person)
        for number in self.config.numbers:
            self.state.note_written(person.key, number.phone_number_id, self.clock())

    def note_written(self, person: Person, number: Number) -> None:
        """Open this person's window for 24 hours."""
        self.state.note_written(person.key, number.phone_number_id, self.clock())
        self.feed.publish("window", **self._window_to_json(person))

    def move_clock(self, offset: float) -> None:
        """Put the clock *offset* seconds ahead of the real time."""
        self.clock.set_offset(offset)
        self.feed.publish("clock", **self.clock_to_json())

    def publish_faults(self) -> None:
        self.feed.publish("faults", faults=self.faults.all_to_json())

    def clock_to_json(self) -> dict[str, float]:
        return {"now": self.clock(), "offset": self.clock.offset}

    def person_to_json(self, person: Person) -> dict[str, Any]:
        """*window* is when the bot's 24 hours end, in unix seconds."""
        return {**person.to_json(), "window": self._window_to_json(person)["window"]}

    def _window_to_json(self, person: Person) -> dict[str, Any]:
        ends = window_ends(self.state.last_written(person.key, self.config.number.phone_number_id))
        return {"person": person.key, "window": ends}

    def show(self, message: Message) -> Message:
        """Put a message into its chat; return it with its first status noted."""
        first = StatusNote(message.status, message.timestamp)
        message = replace(message, statuses=(first,))
        self.state.add_message(message)
        self.feed.publish("message", message=self.to_json(message))
        return message

    def react(self, message: Message) -> bool:
        """Put a reaction on the message it names; False if there is none."""
        reaction = message.content
        who = "bot" if message.direction == "outbound" else message.person
        target = self.state.react(reaction["message_id"], who, reaction.get("emoji") or "")
        if target is None:
            return False
        self.feed.publish(
            "reaction",
            message_id=target.id,
            person=target.person,
            reactions=dict(target.reactions),
        )
        return True

    def change_status(
        self,
        message: Message,
        status: str,
        *,
        by_hand: bool = False,
        errors: tuple[Mapping[str, Any], ...] = (),
    ) -> bool:
        """Note how far a message is; False if it is as far already."""
        note = StatusNote(status, int(self.clock()), by_hand)
        if not self.state.set_status(message.id, note, errors):
            return False
        self.feed.publish(
            "status",
            message_id=message.id,
            person=message.person,
            errors=list(errors),
            **note.to_json(),
        )
        return True

    def report(self, person: Person, status: str, messages: Sequence[Message]) -> None:
        """Tell the bot what became of its *messages*, in one webhook."""
        now = int(self.clock())
        changes = [StatusChange(message, status, now, message.errors) for message in messages]
        number = self.config.find_number(messages[0].number) or self.config.number
        body = envelopes.statuses_webhook(changes, person, api=self.config.api, number=number)
        kind = messages[0].type if messages else None
        self.webhooks.post("statuses", person.key, body, kind=kind)

    def to_json(self, message: Message) -> dict[str, Any]:
        """Return a message as the page and tests get it."""
        files = {key: self.library.find(media_id) for key, media_id in message.media.items()}
        stored = {key: file for key, file in files.items() if file is not None}
        return {
            "id": message.id,
            "direction": message.direction,
            "person": message.person,
            "timestamp": message.timestamp,
            "type": message.type,
            "content": with_urls(message.type, message.content, stored),
            "context": {"message_id": message.reply_to} if message.reply_to else None,
            "status": message.status,
            "errors": list(message.errors),
            "reactions": dict(message.reactions),
            "body": message.body,
            "answer": message.answer,
            "number": message.number,
            "author": message.author,
            "filled": message.filled,
            "response": message.response,
            "changes": list(message.changes),
            "statuses": [note.to_json() for note in message.statuses],
        }
