"""World: everything a running simulator holds."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import aiohttp

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.billing import Billing
from rasa_whatsapp_channel.simulator.clock import MovableClock
from rasa_whatsapp_channel.simulator.config import Config, Number
from rasa_whatsapp_channel.simulator.faults import Faults, Hit
from rasa_whatsapp_channel.simulator.feed import Feed
from rasa_whatsapp_channel.simulator.keyed_tasks import KeyedTasks
from rasa_whatsapp_channel.simulator.media_library import MediaLibrary
from rasa_whatsapp_channel.simulator.sending_limits import RateLimits, window_ends
from rasa_whatsapp_channel.simulator.state import (
    ChatMessage,
    SimulatorState,
    WhatsAppUser,
    clean_phone,
)
from rasa_whatsapp_channel.simulator.templates import TemplateCatalog
from rasa_whatsapp_channel.simulator.weather import CALM, ROUGH, Weather, local_number
from rasa_whatsapp_channel.simulator.webhooks.delivery import Webhooks
from rasa_whatsapp_channel.whatsapp.account_events import messaging_limit, read_account_event

LOGGED: Final = 2000  # requests and weather faults
FIRST_PERSON: Final = WhatsAppUser("Maya", user_id="DE.13491208655302741918", phone="4915112345678")


def first_weather(config: Config) -> Weather | None:
    """Return the initial weather of a simulator; None if it is calm."""
    return Weather(config.seed, lasting=config.lasting) if config.weather == ROUGH else None


class World:
    def __init__(self, config: Config, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._session: aiohttp.ClientSession | None = None
        self.clock = MovableClock(clock)
        self.library = MediaLibrary(config.media_root, clock=self.clock)
        self.feed = Feed()
        self.state = SimulatorState()
        self._welcome(FIRST_PERSON)
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOGGED)
        self.requests_seen = 0
        self.providers: dict[str, Mapping[str, Any]] = {}  # of an on-premises client, by name
        self.packs: dict[str, dict[str, Any]] = {}  # of stickers, by id
        self.weather_faults: deque[dict[str, Any]] = deque(maxlen=LOGGED)
        self.faults = Faults(weather=first_weather(config), on_hit=self._report_fault)
        self.awaited_statuses: dict[str, asyncio.Event] = {}  # by the id of the message
        self.templates = TemplateCatalog(config.templates)
        self.direct_send = config.direct_send
        self.billing = Billing(config)
        self.rates = RateLimits(
            per_second=config.throughput, people=config.messaging_limit, clock=self.clock
        )
        self.webhooks = Webhooks(config, self.session, self.feed, self.faults, clock=self.clock)
        self.deliveries = KeyedTasks()  # of the bot's messages, in order per person

    def session(self) -> aiohttp.ClientSession:
        """Return the HTTP session, opened on first use: there may be no event loop before."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def close(self) -> None:
        await self._stop()
        await self.library.close()
        if self._session is not None:
            await self._session.close()

    async def reset(self) -> None:
        """Restore the initial state: one person, real time, initial weather, no fault rules."""
        await self.clear()
        self.faults.weather = first_weather(self.config)
        self.faults.clear()
        self.clock.set_offset(0.0)
        self._welcome(FIRST_PERSON)
        self.feed.publish("reset")

    async def clear(self) -> None:
        """Delete all people, messages, files and logs."""
        await self._stop()
        await self.library.clear()
        self.requests.clear()
        self.rates.clear()
        self.rates.people = self.config.messaging_limit
        self.billing.clear()
        self.templates.reload()
        self.direct_send = self.config.direct_send
        self.providers.clear()
        self.packs.clear()
        self.weather_faults.clear()
        if self.faults.weather is not None:
            self.faults.weather.clear()
        self.state = SimulatorState()

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
    ) -> WhatsAppUser:
        """
        Add a person; without phone and user id, with a new phone number.

        The 24-hour window is open if the person *wrote*, that is unless the bot wrote first.
        """
        if phone is None and user_id is None:
            phone = ids.new_phone()
        person = WhatsAppUser(name, user_id=user_id or ids.new_user_id(), phone=phone)
        if wrote:
            self._welcome(person)
        else:
            self.state.add_person(person)
        self.feed.publish("person", person=self.person_to_json(person))
        return person

    def note_preferences(self, person: WhatsAppUser, value: Mapping[str, Any]) -> None:
        """Let *person* want marketing or none, if a webhook with *value* says so."""
        for each in value.get("user_preferences") or ():
            wants = each.get("value") != "stop"
            if each.get("category") == "marketing_messages" and wants is not person.marketing:
                changed = replace(person, marketing=wants)
                self.state.replace_person(person, changed)
                self.feed.publish("person", person=self.person_to_json(changed))

    def reach(self, person: WhatsAppUser) -> None:
        """Count *person*, whose window is closed; raise `Refused` above the messaging limit."""
        self.rates.reach(person.key)
        self.publish_limit()

    def note_limit(self, field: str, value: Mapping[str, Any]) -> None:
        """Have the messaging limit that a webhook of *field* tells, if it tells one."""
        people = messaging_limit(read_account_event(field, value))
        if people is not None:
            self.rates.people = people or None
            self.publish_limit()

    def limit_to_json(self) -> dict[str, int | None]:
        """Return how many people may be written to a day, null for all, and how many were."""
        return {"people": self.rates.people, "reached": self.rates.reached}

    def publish_limit(self) -> None:
        self.feed.publish("messaging_limit", **self.limit_to_json())

    def add_group(self, name: str, participants: tuple[str, ...]) -> WhatsAppUser:
        group = WhatsAppUser(
            name, user_id=ids.new_group_id(), group=True, participants=participants
        )
        self._welcome(group)
        self.feed.publish("person", person=self.person_to_json(group))
        return group

    async def restart_chat(self, person: WhatsAppUser) -> None:
        """Delete what was said with *person*, and open the window: nobody has written yet."""
        await self._remove_chat(person)
        self._welcome(person)
        self.feed.publish("reset")

    async def delete_person(self, person: WhatsAppUser) -> None:
        """Delete *person* and what was said with them."""
        await self._remove_chat(person)
        self.state.remove_person(person.key)
        self.feed.publish("reset")

    async def _remove_chat(self, person: WhatsAppUser) -> None:
        gone = self.state.remove_chat(person.key)
        used = {file for each in self.state.messages.values() for file in each.media.values()}
        files = {file for each in gone for file in each.media.values()} - used
        for file in files:
            if self.library.find(file) is not None:
                await self.library.remove(file)

    def _welcome(self, person: WhatsAppUser) -> None:
        """Add a person whose 24-hour window is open."""
        self.state.add_person(person)
        for number in self.config.numbers:
            self.state.record_written(person.key, number.phone_number_id, self.clock())

    def record_written(self, person: WhatsAppUser, number: Number) -> None:
        """Open this person's window for 24 hours."""
        self.state.record_written(person.key, number.phone_number_id, self.clock())
        self.feed.publish("window", **self._window_to_json(person))

    def move_clock(self, offset: float) -> None:
        """Set the clock *offset* seconds ahead of the real time."""
        self.clock.set_offset(offset)
        self.feed.publish("clock", **self.clock_to_json())
        self.publish_limit()  # a day may be over

    def publish_faults(self) -> None:
        self.feed.publish("faults", faults=self.faults.all_to_json())

    def _report_fault(self, hit: Hit, facts: Mapping[str, str | None]) -> None:
        """Publish a fault of a rule or of the weather."""
        if hit.fault is None:
            self.publish_faults()
            return
        fault = {
            "kind": hit.fault.kind,
            "n": hit.fault.n,
            "do": dict([hit.do]),
            "words": hit.fault.words,
            "person": facts.get("person"),
            "time": self.clock(),
        }
        self.weather_faults.append(fault)
        self.feed.publish("weather", **fault)

    def weather_to_json(self) -> dict[str, Any]:
        """Return the weather and its latest faults."""
        weather = self.faults.weather
        return {
            "weather": CALM if weather is None else ROUGH,
            "seed": weather.seed if weather is not None else None,
            "lasting": weather.lasting if weather is not None else None,
            "faults": list(self.weather_faults),
        }

    def change_weather(self, weather: Weather | None) -> None:
        """Set the weather, which restarts its counters; None: calm."""
        self.faults.weather = weather
        self.weather_faults.clear()
        self.feed.publish("weather_changed", **self.weather_to_json())

    def find_person(self, key: str) -> WhatsAppUser | None:
        """Return the person with this user id or phone number, also in WhatsApp's spelling."""
        person = self.state.find_person(key)
        if person is not None or self.faults.weather is None:
            return person
        known = (each for each in self.state.people.values() if each.phone is not None)
        return next((each for each in known if self.as_reported(each).phone == key), None)

    def as_reported(self, person: WhatsAppUser) -> WhatsAppUser:
        """Return *person* with the phone number that webhooks and responses contain."""
        if person.phone is None or self.faults.weather is None:
            return person
        return replace(person, phone=local_number(person.phone))

    def has_written(self, person: WhatsAppUser, *, besides: Sequence[ChatMessage]) -> bool:
        """Return whether the bot has accepted other messages of this person."""
        new = {message.id for message in besides}
        chat = (each for each in self.state.chat(person.key) if each.id not in new)
        return any(each.direction == "inbound" and each.status != "sent" for each in chat)

    def key_of(self, recipient: str) -> str:
        """Return the key of the person with this phone number or user id."""
        person = self.find_person(recipient) or self.find_person(clean_phone(recipient))
        return person.key if person is not None else clean_phone(recipient)

    def clock_to_json(self) -> dict[str, float]:
        return {"now": self.clock(), "offset": self.clock.offset}

    def person_to_json(self, person: WhatsAppUser) -> dict[str, Any]:
        """Return a person as JSON; *window* is when the 24-hour window ends, in unix seconds."""
        return {**person.to_json(), "window": self._window_to_json(person)["window"]}

    def _window_to_json(self, person: WhatsAppUser) -> dict[str, Any]:
        ends = window_ends(self.state.last_written(person.key, self.config.number.phone_number_id))
        return {"person": person.key, "window": ends}
