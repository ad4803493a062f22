"""Notification: a message that was asked for from outside of a conversation, read from JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import split_number, to_recipient
from rasa_whatsapp_channel.whatsapp.messages.template import CATEGORIES
from rasa_whatsapp_channel.whatsapp.time_zones import zones_of
from rasa_whatsapp_channel.wording import suggest

KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,120}")
NAME: Final = re.compile(r"\w[\w/.-]{0,199}")
LATEST: Final = 400 * DAY  # in the future
MARKETING: Final = "marketing"
# The type that each key takes, and how to say it; a string is a name.
_TAKES: Final[Mapping[str, tuple[Any, str]]] = {
    "response": ((str, Mapping), "the name of a response, or an object as in a domain"),
    "template": (Mapping, "an object as `metadata.whatsapp.template` of a response"),
    "slots": (Mapping, "an object with values by name"),
    "intent": (str, "the name of an intent"),
    "category": (str, f"one of {', '.join(CATEGORIES)}"),
    "urgent": (bool, "true or false"),
}
_SLOT: Final = re.compile(r"\{(\w+)\}")


class NotificationError(ChannelError):
    """
    The request cannot become a notification; the text says what is wrong with it.

    *status* is that of HTTP.
    """

    status: ClassVar[int] = 422


@dataclass(frozen=True)
class Notification:
    """*to* is any id of the person; *at* is in unix seconds, None for now."""

    to: str
    #: the name of a response in the domain, or what stands there
    response: str | Mapping[str, Any] | None = None
    #: a template as responses name it
    template: Mapping[str, Any] | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    at: float | None = None
    #: what the bot hears instead, so that its own turn speaks
    intent: str | None = None
    #: None: as the response says, otherwise marketing
    category: str | None = None
    #: whether quiet hours do not matter
    urgent: bool = False

    @classmethod
    def from_body(cls, body: Body) -> Notification:
        return cls(**{name: body[name] for name in cls.__dataclass_fields__ if name in body})

    def body(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def digest(self) -> str:
        """The same for the same wish, however its JSON and its number were written."""
        text = json.dumps(self.body(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def with_slots(self, response: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return *response* with the slots filled in; raises `NotificationError` for a gap."""
        filled: Mapping[str, Any] = _fill(response, self.slots)
        return filled


@dataclass(frozen=True)
class BotNames:
    """The names of what a bot has; one for Mantle has neither outside of its turns."""

    responses: Collection[str]
    intents: Collection[str]

    def check(self, wish: Notification) -> None:
        """Raise `NotificationError` if *wish* names what the bot does not have."""
        if isinstance(wish.response, str) and wish.response not in self.responses:
            raise NotificationError(f"the bot has no response {wish.response}")
        # A retrieval intent has a name of its own behind the slash.
        if wish.intent and wish.intent.lstrip("/").partition("/")[0] not in self.intents:
            raise NotificationError(f"the bot has no intent {wish.intent}")


def read_notification(body: object, *, now: float) -> Notification:
    """Read the JSON of a request; raises `NotificationError`."""
    if not isinstance(body, Mapping):
        raise NotificationError("the body must be a JSON object")
    known = ("to", "at", *_TAKES)
    for key in body:
        if key not in known:
            raise NotificationError(f"unknown key {key!r}; {suggest(key, known)}")
    given = {key: value for key, value in body.items() if value not in (None, "", {}, [])}
    if len(given.keys() & {"response", "template", "intent"}) != 1:
        raise NotificationError("one of 'response', 'template' and 'intent' says what is sent")
    for key, (kind, words) in _TAKES.items():
        value = given.get(key)
        is_name = not isinstance(value, str) or NAME.fullmatch(value.lstrip("/"))
        is_known = key != "category" or value in CATEGORIES
        if key in given and not (isinstance(value, kind) and is_name and is_known):
            raise NotificationError(f"'{key}' must be {words}")
    try:
        to = to_recipient(given.pop("to", None))
    except InvalidMessage as error:
        raise NotificationError(f"'to': {error.problem}") from error
    found = Notification(to, **{**given, "at": read_time(given.get("at"), to, now=now)})
    for part in (found.response, found.template):
        if isinstance(part, Mapping):
            found.with_slots(part)  # what is missing is told now
    return found


def read_time(value: object, to: str, *, now: float) -> float | None:
    """
    Read a time: ISO 8601, or unix seconds; raises `NotificationError`.

    Without an offset it is the time of day where *to*, the recipient, is.
    """
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            at = float(value)
        else:
            moment = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zones_of(split_number(to)[0])[0])
            at = moment.timestamp()
    except (ValueError, OverflowError):
        raise NotificationError(
            "'at' must be a time such as 2026-12-24T09:00, or with an offset 2026-12-24T09:00+01:00"
        ) from None
    if not at <= now + LATEST:  # nor a NaN
        raise NotificationError(f"'at' is more than {LATEST // DAY} days away")
    return at


def check_key(key: str) -> str:
    """Return *key* if it can be an idempotency key; raises `NotificationError`."""
    if not KEY.fullmatch(key):
        raise NotificationError(
            "an idempotency key has up to 120 letters, digits, dots, dashes and underscores"
        )
    return key


def gaps_of(value: Any) -> list[str]:
    """Return the names of the slots that *value*, a response or a part of one, needs."""
    return _SLOT.findall(json.dumps(value, ensure_ascii=False))


def _fill(value: Any, slots: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _fill(each, slots) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(each, slots) for each in value]
    if not isinstance(value, str):
        return value
    if missing := [name for name in _SLOT.findall(value) if name not in slots]:
        raise NotificationError(f"'slots' has no {missing[0]!r}, which the response needs")
    return _SLOT.sub(lambda found: str(slots[found[1]]), value)
