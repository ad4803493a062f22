"""Simulator state: people, messages and refusals. No I/O, no clock."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Direction = Literal["inbound", "outbound"]
Writer = Literal["bot", "phone", "app"]

# A status never moves back; `failed` is outside of this order, and final.
RANK: Final[Mapping[str, int]] = {"sent": 0, "delivered": 1, "read": 2, "played": 3}
REFUSALS_KEPT: Final = 500
BY: Final = ("whatsapp", "channel")  # origins of a refusal
_SEPARATORS: Final = re.compile(r"[\s+()-]")


def clean_phone(phone: str) -> str:
    """Return the digits of a formatted phone number."""
    return _SEPARATORS.sub("", phone)


@dataclass(frozen=True)
class WhatsAppUser:
    """
    A person, or a *group*. *phone* is missing for a person with a hidden number.

    A group's *user_id* is the group's id, its *participants* are keys of people.
    """

    name: str
    user_id: str
    phone: str | None = None
    group: bool = False
    participants: tuple[str, ...] = ()
    marketing: bool = True  # False: they have stopped marketing messages

    @property
    def key(self) -> str:
        return self.phone or self.user_id

    def to_json(self) -> dict[str, Any]:
        group = {"group": True, "participants": list(self.participants)} if self.group else {}
        stopped = {} if self.marketing else {"marketing": False}
        return {"phone": self.phone, "user_id": self.user_id, "name": self.name, **group, **stopped}


@dataclass(frozen=True)
class StatusStep:
    """One status of a message, its time, and whether it was set manually."""

    status: str
    timestamp: int
    by_hand: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "timestamp": self.timestamp, "by_hand": self.by_hand}


@dataclass(frozen=True)
class ChatMessage:
    """One message of a chat."""

    id: str
    #: from the bot's view
    direction: Direction
    person: str
    #: unix seconds
    timestamp: int
    type: str
    #: the object in the platform's body under the key *type*
    content: Any
    #: who wrote it, if no person did: the bot, a colleague with the WhatsApp app, another app
    by: Writer = "bot"
    edited: bool = False
    #: deleted for everyone
    revoked: bool = False
    reply_to: str | None = None
    context: Mapping[str, Any] | None = None
    status: str = "sent"
    errors: tuple[Mapping[str, Any], ...] = ()
    reactions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: id or link → id of the stored file
    media: Mapping[str, str] = field(default_factory=dict)
    callback_data: str | None = None
    #: the whole request
    body: Mapping[str, Any] | None = None
    #: the API's response
    answer: Mapping[str, Any] | None = None
    #: phone_number_id of the bot's number
    number: str = ""
    #: author in a group
    author: str | None = None
    #: a template with its values
    filled: Mapping[str, Any] | None = None
    in_window: bool = True
    #: the Rasa response and its changes, as reported by the channel
    response: str | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    statuses: tuple[StatusStep, ...] = ()
    #: `pricing` and `conversation` of the statuses of a delivered message
    charge: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatOwner:
    """
    Who answers in a chat: ``bot``, ``waiting`` (for a person), ``human`` or ``app``.

    *reported*: the bot has said so; otherwise it is what the chat looks like.
    """

    person: str
    number: str
    owner: str
    #: unix seconds
    since: float
    by: str = ""
    reason: str = ""
    reported: bool = False
    #: what a colleague writes to give the chat back, if the bot knows such words
    return_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A message that was not sent: refused by WhatsApp, or a dead letter of the channel."""

    id: str
    by: Literal["whatsapp", "channel"]
    timestamp: float
    rule: str
    code: int | None = None
    #: missing if the request has no recipient, such as an upload
    person: str | None = None
    number: str = ""
    #: method, path and body
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    #: name of the Rasa response
    response: str | None = None
    #: the last message of the chat at that time
    after: str | None = None


class SimulatorState:
    """People, messages and refusals, in order of arrival."""

    def __init__(self, people: Iterable[WhatsAppUser] = ()) -> None:
        self.people: dict[str, WhatsAppUser] = {}
        self.messages: dict[str, ChatMessage] = {}
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS_KEPT)
        # each by person and number of the bot: time of the last incoming message; who answers;
        # which app has the thread of WhatsApp's Conversation Routing, if any
        self._written: dict[tuple[str, str], float] = {}
        self.owners: dict[tuple[str, str], ChatOwner] = {}
        self.threads: dict[tuple[str, str], Writer] = {}
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
        """Replace *old* by *new*, also in messages and refusals."""
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

        def moved(pair: tuple[str, str]) -> tuple[str, str]:
            return (new.key if pair[0] == key else pair[0], pair[1])

        self._written = {moved(pair): when for pair, when in self._written.items()}
        self.threads = {moved(pair): app for pair, app in self.threads.items()}
        self.owners = {
            moved(pair): replace(owner, person=moved(pair)[0])
            for pair, owner in self.owners.items()
        }

    def remove_chat(self, person: str) -> list[ChatMessage]:
        """Remove what was said in the chats of a person, and return the messages."""
        gone = self.chat(person)
        for message in gone:
            del self.messages[message.id]
        kept = [refusal for refusal in self.refusals if refusal.person != person]
        self.refusals = deque(kept, maxlen=REFUSALS_KEPT)
        self.owners = {pair: each for pair, each in self.owners.items() if pair[0] != person}
        self.threads = {pair: each for pair, each in self.threads.items() if pair[0] != person}
        return gone

    def remove_person(self, person: str) -> None:
        """Remove a person without chats; their window goes with them."""
        del self.people[person]
        self._written = {pair: when for pair, when in self._written.items() if pair[0] != person}

    def add_message(self, message: ChatMessage) -> None:
        self.messages[message.id] = message

    def chat(self, person: str, *, after: str | None = None) -> list[ChatMessage]:
        """Return the messages of one person, optionally only those after message *after*."""
        chat = [message for message in self.messages.values() if message.person == person]
        ids = [message.id for message in chat]
        return chat[ids.index(after) + 1 :] if after in ids else chat

    def record_written(self, person: str, number: str, now: float) -> None:
        """Record an incoming message, which opens the window of the person and the number."""
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
        """Add *note*; return False if the message is unknown or has this status already."""
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
        """Return the message and all earlier ones of its direction: reading one reads all."""
        last = self.messages[message_id]
        chat = [m for m in self.chat(last.person) if m.direction == last.direction]
        return chat[: chat.index(last) + 1]

    def react(self, message_id: str, who: str, emoji: str) -> ChatMessage | None:
        """Set the reaction of *who*, "bot" or a person; an empty *emoji* removes it."""
        message = self.messages.get(message_id)
        if message is None:
            return None
        reactions = {key: value for key, value in message.reactions.items() if key != who}
        if emoji:
            reactions[who] = emoji
        self.messages[message_id] = replace(message, reactions=reactions)
        return self.messages[message_id]
