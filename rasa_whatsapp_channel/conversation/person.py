"""Person: who one conversation is with, under which ids, and how that is stored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.identity import (
    Address,
    at_number,
    is_taken_over,
    split_number,
)


@dataclass(frozen=True)
class Person:
    """The person of the conversation *name*. Times are unix seconds."""

    name: str
    phone: str | None = None
    user_id: str | None = None
    #: All ids that WhatsApp has used, former ones included.
    ids: tuple[str, ...] = ()
    #: Conversations that turned out to be this one.
    others: tuple[str, ...] = ()
    #: Whether the person has written.
    heard: bool = False
    #: Conversation of the number's former owner, until somebody writes from the number.
    after: str | None = None
    #: Begin of the conversation.
    since: float = 0.0
    #: Last notice of a changed id.
    changed: float = 0.0
    #: Time when this record was stored.
    kept: float = 0.0

    @classmethod
    def begin(cls, name: str, at: float = 0.0) -> Person:
        """Return a person of whom only *name* is known."""
        number, _, over = name.partition("~")
        address = Address.of(number if over and is_taken_over(name) else name)
        return cls(name, address.phone, address.user_id, ids=(name,), since=at)

    @property
    def address(self) -> Address:
        """Current recipient of messages to this person."""
        if self.phone or self.user_id:
            return Address(self.phone, self.user_id)
        return Address.of(self.name)

    def conversations(self, conversation: str) -> tuple[str, ...]:
        """
        Return the names of the person's conversations with the business number of *conversation*.

        The current one comes first; messages may still wait in the others, or buttons be tapped.
        """
        name, number = split_number(conversation)
        if name == self.name and not self.others:
            return (conversation,)
        names = dict.fromkeys((self.name, name, *self.others))
        return tuple(at_number(name, number) if number else name for name in names)

    def to_value(self) -> dict[str, Any]:
        """Return what a store keeps of it."""
        return {name: value for name in _NAMES if (value := getattr(self, name))}

    @classmethod
    def from_value(cls, value: object) -> Person | None:
        """Return the person whose `to_value` is *value*; None if it is of no person."""
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return None
        known: dict[str, Any] = {
            name: tuple(value[name]) if name in _LISTS else value[name]
            for name in _NAMES
            if name in value
        }
        return cls(**known)


_LISTS: Final = frozenset({"ids", "others"})
_NAMES: Final = tuple(field.name for field in fields(Person))
