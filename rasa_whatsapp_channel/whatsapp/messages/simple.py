"""
Simple messages: text, location, contacts, reaction, pin, and any type that is not known here.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Message
from rasa_whatsapp_channel.whatsapp.messages.keys import present, put_extras

_NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")
_BIRTHDAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Text(Message):
    """A text; with *preview_url* the first link in it is shown as a card."""

    type: ClassVar[str] = "text"

    text: str
    preview_url: bool = False

    def __post_init__(self) -> None:
        checks.check_text("text.body", self.text, limits.TEXT_BODY)

    def content(self) -> dict[str, Any]:
        return present(body=self.text, preview_url=self.preview_url or None)

    @classmethod
    def parse(cls, value: Mapping[str, Any], *, preview_url: object = False) -> Text:
        text = checks.check_text("text.body", value.get("body"))
        preview = checks.check_flag("text.preview_url", value.get("preview_url", preview_url))
        return cls(text, preview_url=preview)


@dataclass(frozen=True)
class Location(Message):
    """A pin; WhatsApp shows *address* only together with *name*."""

    type: ClassVar[str] = "location"

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        checks.check_number("location.latitude", self.latitude, limits.LATITUDE)
        checks.check_number("location.longitude", self.longitude, limits.LONGITUDE)

    def content(self) -> dict[str, Any]:
        return present(
            latitude=self.latitude,
            longitude=self.longitude,
            name=self.name or None,
            address=self.address or None,
        )

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Location:
        return cls(
            latitude=checks.check_number(
                "location.latitude", value.get("latitude"), limits.LATITUDE
            ),
            longitude=checks.check_number(
                "location.longitude", value.get("longitude"), limits.LONGITUDE
            ),
            name=checks.optional_text("location.name", value.get("name"), empty=True),
            address=checks.optional_text("location.address", value.get("address"), empty=True),
        )


@dataclass(frozen=True)
class Contacts(Message):
    """Contact cards, each an object of WhatsApp's contact shape."""

    type: ClassVar[str] = "contacts"

    contacts: tuple[Mapping[str, Any], ...]

    def __post_init__(self) -> None:
        checks.check_count("contacts", self.contacts, limits.CONTACTS)
        for number, contact in enumerate(self.contacts):
            _check_contact(f"contacts[{number}]", contact)

    def content(self) -> list[Mapping[str, Any]]:
        return list(self.contacts)

    @classmethod
    def parse(cls, value: object) -> Contacts:
        return cls(tuple(checks.sequence("contacts", value)))


@dataclass(frozen=True)
class Reaction(Message):
    """An emoji on a message; an empty one takes it away."""

    type: ClassVar[str] = "reaction"

    message_id: str
    emoji: str

    def __post_init__(self) -> None:
        checks.check_text("reaction.message_id", self.message_id)
        checks.check_text("reaction.emoji", self.emoji, empty=True)

    def content(self) -> dict[str, Any]:
        return {"message_id": self.message_id, "emoji": self.emoji}

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Reaction:
        return cls(
            message_id=checks.check_text("reaction.message_id", value.get("message_id")),
            emoji=checks.check_text("reaction.emoji", value.get("emoji", ""), empty=True),
        )


@dataclass(frozen=True)
class Pin(Message):
    """Pins a message of a group for *days*; without them it is taken off."""

    type: ClassVar[str] = "pin"

    message_id: str
    days: int | None = None

    def __post_init__(self) -> None:
        checks.check_text("pin.message_id", self.message_id)
        if self.days is not None:
            checks.check_whole("pin.expiration_days", self.days, *limits.PIN_DAYS)

    def content(self) -> dict[str, Any]:
        if self.days is None:
            return {"type": "unpin", "message_id": self.message_id}
        return {"type": "pin", "message_id": self.message_id, "expiration_days": self.days}

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Pin:
        kind, days = value.get("type"), value.get("expiration_days")
        if kind not in ("pin", "unpin"):
            raise InvalidMessage("pin.type", "must be pin or unpin")
        if (days is None) == (kind == "pin"):
            needs = "is missing" if kind == "pin" else "goes with type pin only"
            raise InvalidMessage("pin.expiration_days", needs)
        return cls(checks.check_text("pin.message_id", value.get("message_id")), days)


def _check_contact(field: str, value: object) -> None:
    contact = checks.mapping(field, value)
    name = checks.mapping(f"{field}.name", contact.get("name"))
    checks.check_text(f"{field}.name.formatted_name", name.get("formatted_name"))
    if not any(name.get(part) for part in _NAME_PARTS):
        raise InvalidMessage(
            f"{field}.name", f"needs beside formatted_name at least one of {', '.join(_NAME_PARTS)}"
        )
    for key in ("phones", "emails", "addresses", "urls", "ims"):
        for number, item in enumerate(checks.sequence(f"{field}.{key}", contact.get(key) or [])):
            checks.mapping(f"{field}.{key}[{number}]", item)
    checks.mapping(f"{field}.org", contact.get("org") or {})
    birthday = contact.get("birthday")
    if birthday is not None and not (isinstance(birthday, str) and _BIRTHDAY.fullmatch(birthday)):
        raise InvalidMessage(f"{field}.birthday", "must be a string, in quotes, written YYYY-MM-DD")


@dataclass(frozen=True)
class OtherMessage(Message):
    """Handed on as written: *value* is what stands under the key named like *kind*."""

    type: ClassVar[str] = "other"

    kind: str
    value: Any

    def content(self) -> Any:
        return self.value

    def body(self) -> dict[str, Any]:
        return put_extras({"type": self.kind, self.kind: self.value}, self.extras)
