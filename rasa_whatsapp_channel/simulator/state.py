"""What the simulator remembers: people, and what was written. No I/O, no clock."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Direction = Literal["inbound", "outbound"]

# A status never goes back; `failed` is outside of this order, and ends it.
RANK: Final[Mapping[str, int]] = {"sent": 0, "delivered": 1, "read": 2, "played": 3}
REFUSALS_KEPT: Final = 500
BY: Final = ("whatsapp", "channel")  # who refuses or gives up
_SEPARATORS: Final = re.compile(r"[\s+()-]")


def clean_phone(phone: str) -> str:
    """Return the digits of a phone number as people write it."""
    return _SEPARATORS.sub("", phone)


@dataclass(frozen=True)
class WhatsAppUser:
    """
    Somebody with WhatsApp. *phone* is missing for a person the bot knows by user id only.

    A *group* is one too: its *user_id* is the group's id, *participants* are keys of people.
    """

    name: str
    user_id: str
    phone: str | None = None
    group: bool = False
    participants: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.phone or self.user_id

    def to_json(self) -> dict[str, Any]:
        group = {"group": True, "participants": list(self.participants)} if self.group else {}
        return {"phone": self.phone, "user_id": self.user_id, "name": self.name, **group}


@dataclass(frozen=True)
class StatusStep:
    """One step of a message, when it was taken, and whether somebody set it by hand."""

    status: str
    timestamp: int
    by_hand: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "timestamp": self.timestamp, "by_hand": self.by_hand}


@dataclass(frozen=True)
class ChatMessage:
    """
    One message of a chat; *direction* is from the bot's view, *timestamp* in unix seconds.

    *content* stands in the platform's body under the key named like *type*. *media* names the
    stored file for each id and link in it. *body* is the whole request that sent it, *answer* what
    the API said. *number* is the phone_number_id it left from or came to, *author* who wrote it in
    a group. *filled* is a template with its values. *response* and *changes* are what the channel
    told of it.
    """

    id: str
    direction: Direction
    person: str
    timestamp: int
    type: str
    content: Any
    reply_to: str | None = None
    context: Mapping[str, Any] | None = None
    status: str = "sent"
    errors: tuple[Mapping[str, Any], ...] = ()
    reactions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)
    callback_data: str | None = None
    body: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    number: str = ""
    author: str | None = None
    filled: Mapping[str, Any] | None = None
    in_window: bool = True
    response: str | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    statuses: tuple[StatusStep, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """
    A message that reached no phone: refused by WhatsApp, or a dead letter of the channel (*by*).

    *person* is missing where the request names nobody, as an upload does. *request* has method,
    path and body, *response* is the name of what the channel was to say, *after* the last message
    that was in the chat by then.
    """

    id: str
    by: Literal["whatsapp", "channel"]
    timestamp: float
    rule: str
    code: int | None = None
    person: str | None = None
    number: str = ""
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    response: str | None = None
    after: str | None = None


class SimulatorState:
    """People and messages, in the order in which they came."""

    def __init__(self, people: Iterable[WhatsAppUser] = ()) -> None:
        self.people: dict[str, WhatsAppUser] = {}
        self.messages: dict[str, ChatMessage] = {}
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS_KEPT)
        # person and the number of the bot → when they last wrote to it
        self._written: dict[tuple[str, str], float] = {}
        for person in people:
            self.add_person(person)

    def add_person(self, person: WhatsAppUser) -> None:
        self.people[person.key] = person

    def find_person(self, key: str) -> WhatsAppUser | None:
        """Return the person with this phone number or user id."""
        if key in self.people:
            return self.people[key]
        return next((person for person in self.people.values() if person.user_id == key), None)

    def replace_person(self, old: WhatsAppUser, new: WhatsAppUser) -> None:
        """Let *old* be *new* from now on, also in what was written."""
        key = old.key
        self.people = {
            (new.key if each == key else each): (new if each == key else person)
            for each, person in self.people.items()
        }
        for message in list(self.messages.values()):
            if message.person == key:
                self.messages[message.id] = replace(message, person=new.key)
        for at, refusal in enumerate(self.refusals):
            if refusal.person == key:
                self.refusals[at] = replace(refusal, person=new.key)
        self._written = {
            (new.key if person == key else person, number): when
            for (person, number), when in self._written.items()
        }

    def add_message(self, message: ChatMessage) -> None:
        self.messages[message.id] = message

    def chat(self, person: str, *, after: str | None = None) -> list[ChatMessage]:
        """Return the messages of one person, those behind message *after* only."""
        chat = [message for message in self.messages.values() if message.person == person]
        ids = [message.id for message in chat]
        return chat[ids.index(after) + 1 :] if after in ids else chat

    def record_written(self, person: str, number: str, now: float) -> None:
        """This person wrote to a number: for 24 hours the bot may write from it what it likes."""
        self._written[person, number] = now

    def last_written(self, person: str, number: str) -> float | None:
        return self._written.get((person, number))

    def written_to_json(self) -> list[list[Any]]:
        return [[person, number, when] for (person, number), when in self._written.items()]

    def set_status(
        self,
        message_id: str,
        note: StatusStep,
        errors: tuple[Mapping[str, Any], ...] = (),
    ) -> bool:
        """Add *note*; False if the message is unknown, or as far already."""
        message = self.messages.get(message_id)
        if message is None or message.status not in RANK:
            return False
        if note.status in RANK and RANK[note.status] <= RANK[message.status]:
            return False
        self.messages[message_id] = replace(
            message,
            status=note.status,
            statuses=(*message.statuses, note),
            errors=errors or message.errors,
        )
        return True

    def up_to(self, message_id: str) -> list[ChatMessage]:
        """Return that message and those before it in its direction: reading one reads all."""
        last = self.messages[message_id]
        chat = [m for m in self.chat(last.person) if m.direction == last.direction]
        return chat[: chat.index(last) + 1]

    def react(self, message_id: str, who: str, emoji: str) -> ChatMessage | None:
        """Put *emoji* of *who*, "bot" or a person, on a message; an empty one takes it away."""
        message = self.messages.get(message_id)
        if message is None:
            return None
        reactions = {key: value for key, value in message.reactions.items() if key != who}
        if emoji:
            reactions[who] = emoji
        self.messages[message_id] = replace(message, reactions=reactions)
        return self.messages[message_id]
