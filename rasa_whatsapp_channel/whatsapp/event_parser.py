"""
Event parser: reads the objects inside a webhook (message, status, call, …), each into one event.

The objects are the same in both formats of a webhook, see `whatsapp.envelopes`. One that cannot be
read becomes `Unknown` with its reason; nothing raises.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import PlatformError
from rasa_whatsapp_channel.whatsapp.events import (
    Call,
    Context,
    Event,
    Handover,
    InboundMessage,
    Overheard,
    Part,
    Preference,
    Status,
    Unknown,
    UserIdChanged,
)
from rasa_whatsapp_channel.whatsapp.identity import is_user_id, read_group_id, read_id
from rasa_whatsapp_channel.whatsapp.json_values import excerpt, object_of, plain, text_of

logger = logging.getLogger(__name__)

# 1 January 9999, a day of the calendar in every time zone. Milliseconds of today are later.
_LATEST: Final = 253_370_764_800
_CONTACTS: Final = 2_000  # a webhook holds 1000 messages; see `envelopes.EVENTS`

# The parts of a message that `InboundMessage` has a field for.
_READ: Final = frozenset(
    {
        *("id", "type", "from", "from_user_id", "from_bsuid", "from_parent_user_id", "group_id"),
        *("timestamp", "context", "referral", "errors"),
    }
)
_READ_OF_CONTEXT: Final = frozenset(
    {"id", "from", "forwarded", "frequently_forwarded", "referred_product"}
)
_READ_OF_CONTACT: Final = frozenset({"wa_id", "user_id", "parent_user_id", "identity_key_hash"})
_READ_OF_PROFILE: Final = frozenset({"name", "username", "country_code"})
# The parts of a value that become events, or say whom these are of.
READ_OF_VALUE: Final = frozenset(
    {
        *("messaging_product", "metadata", "field", "contacts"),
        *("messages", "statuses", "errors"),
    }
)
# The parts of a status that `Status` has a field for.
_READ_OF_STATUS: Final = frozenset(
    {
        *("id", "status", "timestamp", "recipient_id", "recipient_user_id", "errors"),
        *("recipient_parent_user_id", "parent_recipient_user_id", "biz_opaque_callback_data"),
        "message",  # holds the recipient on-premises
    }
)
# Of an echo: the body of the request that sent it, and what says nothing in it.
_ENVELOPE: Final = frozenset({"message", "messaging_product", "recipient_type"})
_READ_OF_CALL: Final = frozenset(
    {
        *("id", "event", "from", "from_user_id", "from_parent_user_id", "direction", "timestamp"),
        *("duration", "recipient_id", "recipient_user_id", "type"),
    }
)


@dataclass(frozen=True)
class Contacts:
    """The contacts of a webhook; *only* is the contact where there is just one."""

    by_id: Mapping[str, Part] = field(default_factory=dict)
    only: Part | None = None

    @classmethod
    def read(cls, value: object) -> Contacts:
        items = value[:_CONTACTS] if isinstance(value, list) else []
        contacts = [_contact(item) for item in items]
        by_id = {
            contact_id: contact
            for contact in contacts
            for key in ("wa_id", "user_id", "parent_user_id")
            if (contact_id := read_id(contact.get(key)))
        }
        return cls(by_id, only=contacts[0] if len(contacts) == 1 else None)

    def of(self, message: Part) -> Part:
        """Return the sender of *message*: the contact with one of its ids, else the only one."""
        phone = read_id(message.get("from"))
        user_id = read_id(message.get("from_user_id")) or read_id(message.get("from_bsuid"))
        parent = read_id(message.get("from_parent_user_id"))
        if contact := self._named(phone, user_id, parent):
            return contact
        if self.only is None or "to" in message:  # with `to` it is something we sent
            return {}
        return self._only(phone, user_id, parent)

    def of_status(self, status: Part) -> Part:
        """Return the recipient of *status*: the contact with one of its ids, else the only one."""
        if status.get("recipient_type") == "group":
            return {}
        phone, user_id = (read_id(status.get(k)) for k in ("recipient_id", "recipient_user_id"))
        return self._named(phone, user_id) or self._only(phone, user_id)

    def _only(self, phone: str | None, user_id: str | None, parent: str | None = None) -> Part:
        """Return the only contact, unless it has another id of the same kind."""
        contact = self.only or {}
        given = ((phone, "wa_id"), (user_id, "user_id"), (parent, "parent_user_id"))
        return {} if any(value and read_id(contact.get(key)) for value, key in given) else contact

    def _named(self, *ids: str | None) -> Part:
        known = (self.by_id[value] for value in ids if value is not None and value in self.by_id)
        return next(known, {})


def unknown(reason: str, value: object) -> Unknown:
    """Return *value* as `Unknown`, shortened when it is too large to be kept."""
    try:
        return Unknown(reason, plain(value))
    except ValueError:
        return Unknown(reason, excerpt(value))


@dataclass(frozen=True)
class Origin:
    """What all parts of a value share: who they are from, and which number they are for."""

    contacts: Contacts = field(default_factory=Contacts)
    phone_number_id: str | None = None
    #: what stands beside a single message, such as `conversation_context`
    beside: Part = field(default_factory=dict)

    @classmethod
    def read(cls, value: Part, contacts: object = None) -> Origin:
        """Read *value*; *contacts* stand elsewhere in it on standby."""
        number = text_of(object_of(value.get("metadata")).get("phone_number_id"))
        return cls(Contacts.read(contacts or value.get("contacts")), number, _beside(value))


NOWHERE: Final = Origin()


def read_message(message: Part, origin: Origin = NOWHERE) -> Event:
    try:
        message = plain(message)
    except ValueError as error:
        return unknown(f"a message that {error}", message)
    message_id, kind = text_of(message.get("id")), text_of(message.get("type"))
    if message_id is None:
        return Unknown("a message without an id", message)
    if kind is None:
        return Unknown("a message without a type", message)
    contact = origin.contacts.of(message)
    phone, user_id, parent = _identify(
        message_id,
        (message.get("from"), contact.get("wa_id")),
        (message.get("from_user_id"), message.get("from_bsuid"), contact.get("user_id")),
        (message.get("from_parent_user_id"), contact.get("parent_user_id")),
    )
    group_id = read_group_id(message.get("group_id"))
    if group_id is None and message.get("group_id"):
        return unknown("a message of a group whose id is none", message)
    if not (phone or user_id or parent or group_id or kind == "system"):
        return Unknown("a message without a sender", message)
    part, content = _content(message, kind)
    profile = object_of(contact.get("profile"))
    extra = {
        **origin.beside,
        **{key: value for key, value in message.items() if _is_extra(key, value) and key != part},
    }
    if unread := _unread_of_contact(contact):
        extra.setdefault("contact", unread)
    return InboundMessage(
        id=message_id,
        type=_type(kind, content),
        phone=phone,
        user_id=user_id,
        parent_user_id=parent,
        group_id=group_id,
        timestamp=read_seconds(message.get("timestamp")),
        content=content,
        context=_context(message.get("context")),
        referral=object_of(message.get("referral")) or None,
        errors=read_error_list(message.get("errors")),
        profile_name=text_of(profile.get("name")),
        username=text_of(profile.get("username")),
        country_code=text_of(profile.get("country_code")),
        identity_key_hash=text_of(contact.get("identity_key_hash")),
        phone_number_id=origin.phone_number_id,
        extra=extra,
    )


def read_status(status: Part, origin: Origin = NOWHERE) -> Event:
    try:
        status = plain(status)
    except ValueError as error:
        return unknown(f"a status that {error}", status)
    message_id, word = text_of(status.get("id")), text_of(status.get("status"))
    if message_id is None or word is None:
        return Unknown("a status without an id or a word", status)
    contact = origin.contacts.of_status(status)
    phone, user_id, parent = _identify(
        f"{word} of {message_id}",
        # on-premises clients moved it into `message`; both places occur
        (
            status.get("recipient_id"),
            object_of(status.get("message")).get("recipient_id"),
            contact.get("wa_id"),
        ),
        (status.get("recipient_user_id"), contact.get("user_id")),
        (
            status.get("recipient_parent_user_id"),
            status.get("parent_recipient_user_id"),  # until May 2026
            contact.get("parent_user_id"),
        ),
    )
    return Status(
        message_id=message_id,
        status=word,
        timestamp=read_seconds(status.get("timestamp")),
        recipient_id=phone,
        recipient_user_id=user_id,
        recipient_parent_user_id=parent,
        errors=read_error_list(status.get("errors")),
        callback_data=text_of(status.get("biz_opaque_callback_data")),
        phone_number_id=origin.phone_number_id,
        extra={key: value for key, value in status.items() if key not in _READ_OF_STATUS},
    )


def read_preference(part: Part, origin: Origin = NOWHERE) -> Event:
    """Read one of ``user_preferences``."""
    value = text_of(part.get("value"))
    contact = origin.contacts.of(
        {**part, "from": part.get("wa_id"), "from_user_id": part.get("user_id")}
    )
    phone, user_id, parent = _identify(
        "a preference",
        (part.get("wa_id"), contact.get("wa_id")),
        (part.get("user_id"), contact.get("user_id")),
        (part.get("parent_user_id"), contact.get("parent_user_id")),
    )
    if value is None or not (phone or user_id or parent):
        return unknown("a preference without a value or a person", part)
    return Preference(
        category=(text_of(part.get("category")) or "marketing_messages").lower(),
        value=value.lower(),
        phone=phone,
        user_id=user_id,
        parent_user_id=parent,
        timestamp=read_seconds(part.get("timestamp")),
        detail=text_of(part.get("detail")),
        phone_number_id=origin.phone_number_id,
    )


def read_call(
    part: Part,
    origin: Origin = NOWHERE,
    *,
    errors: tuple[PlatformError, ...] = (),
) -> Event:
    """Read one of ``calls``, or one of the ``statuses`` beside them: a call that we made."""
    try:
        part = plain(part)
    except ValueError as error:
        return unknown(f"a call that {error}", part)
    # Samples write the words of a call in any case, and as a list with one of them.
    event = _first_word(part.get("event")) or _first_word(part.get("status"))
    call_id = text_of(part.get("id"))
    if call_id is None or not event:
        return Unknown("a call without an id or an event", part)
    contact = origin.contacts.of(part)
    phone, user_id, parent = _identify(
        call_id,
        (part.get("from"), part.get("recipient_id"), contact.get("wa_id")),
        (part.get("from_user_id"), part.get("recipient_user_id"), contact.get("user_id")),
        (part.get("from_parent_user_id"), contact.get("parent_user_id")),
    )
    return Call(
        id=call_id,
        event=event.lower(),
        phone=phone,
        user_id=user_id,
        parent_user_id=parent,
        profile_name=text_of(object_of(contact.get("profile")).get("name")),
        direction=text_of(part.get("direction")),
        status=(_first_word(part.get("status")) or "").upper() or None,
        timestamp=read_seconds(part.get("timestamp")),
        duration=read_seconds(part.get("duration")),
        errors=errors or read_error_list(part.get("errors")),
        phone_number_id=origin.phone_number_id,
        extra={key: value for key, value in part.items() if key not in _READ_OF_CALL},
    )


def read_overheard(
    part: Part,
    origin: Origin = NOWHERE,
    *,
    source: str,
    what: str,
) -> Event:
    """Read a message or an echo that is not ours to answer."""
    message = read_message(_message_of_echo(part, origin) if what == "echo" else part, origin)
    if not isinstance(message, InboundMessage):
        return message
    return Overheard(
        source=source,
        what=what,
        id=message.id,
        type=message.type,
        phone=message.phone,
        user_id=message.user_id,
        parent_user_id=message.parent_user_id,
        group_id=message.group_id,
        timestamp=message.timestamp,
        content=message.content,
        phone_number_id=origin.phone_number_id,
        extra={key: value for key, value in message.extra.items() if key not in _ENVELOPE},
    )


def _message_of_echo(echo: Part, origin: Origin) -> Part:
    """
    Return *echo* in the form of a message, from the person whom it was sent to.

    On standby it holds the body of the request that sent it, under ``message``.
    """
    body = object_of(echo.get("message"))
    message = {**echo, **body, **{key: echo[key] for key in ("id", "timestamp") if key in echo}}
    # Some name the person as the sender, beside their contact.
    if read_id(message.get("from")) not in origin.contacts.by_id:
        recipient = read_id(message.pop("recipient", None))
        message["from"] = message.pop("to", None) or recipient
        user_id = recipient if recipient and is_user_id(recipient) else None
        message["from_user_id"] = message.pop("to_user_id", None) or user_id
    return message


def read_overheard_status(part: Part, origin: Origin = NOWHERE) -> Event:
    """Read a status on standby: of a message that another app sent."""
    status = read_status(part, origin)
    if not isinstance(status, Status):
        return status
    return Overheard(
        source="standby",
        what="status",
        id=status.message_id,
        type=status.status,
        phone=status.recipient_id,
        user_id=status.recipient_user_id,
        parent_user_id=status.recipient_parent_user_id,
        timestamp=status.timestamp,
        phone_number_id=origin.phone_number_id,
        extra=status.extra,
    )


def read_handover(value: Part) -> Event:
    """Read ``messaging_handovers``, which has neither contacts nor metadata."""
    try:
        value = plain(value)
    except ValueError as error:
        return unknown(f"a handover that {error}", value)
    kind, sender = text_of(value.get("type")), object_of(value.get("sender"))
    phone, user_id, parent = _identify(
        "a handover",
        (sender.get("phone_number"), sender.get("wa_id")),
        (sender.get("user_id"),),
        (sender.get("parent_user_id"),),
    )
    if kind is None or not (phone or user_id or parent):
        return unknown("a handover without a type or a person", value)
    return Handover(
        type=kind,
        phone=phone,
        user_id=user_id,
        parent_user_id=parent,
        timestamp=read_seconds(value.get("timestamp")),
        detail=object_of(value.get(kind)),
        phone_number_id=text_of(object_of(value.get("recipient")).get("phone_number_id")),
    )


def read_user_id_update(update: Part) -> Event:
    own, parent = (object_of(update.get(name)) for name in ("user_id", "parent_user_id"))
    # A change may be told of the parent's id alone.
    called = "a change of a user id"
    previous = _ids((own.get("previous"), parent.get("previous")), called)
    current = _ids((own.get("current"), parent.get("current")), called)
    if not previous or not current:
        return unknown("a change of a user id without the old or the new one", update)
    return UserIdChanged(
        previous=previous[0],
        current=current[0],
        phone=read_id(update.get("wa_id")),
        timestamp=read_seconds(update.get("timestamp")),
        previous_parent=read_id(parent.get("previous")),
        current_parent=read_id(parent.get("current")),
    )


def read_error_list(value: object) -> tuple[PlatformError, ...]:
    """Read the errors beside a message or in a status; *value* has gone through `plain`."""
    errors = value if isinstance(value, list) else [value] if value else []
    return tuple(PlatformError.parse(error) for error in errors)


def _first_word(value: object) -> str | None:
    return text_of(value[0] if isinstance(value, list) and value else value)


def _contact(value: object) -> Part:
    try:
        return object_of(plain(value))
    except ValueError:
        return {}


def _identify(
    called: str, phones: Sequence[object], user_ids: Sequence[object], parents: Sequence[object]
) -> tuple[str | None, str | None, str | None]:
    """
    Return phone, user id and parent's user id from the fields for them.

    A user id may be in the field of a phone. A value that cannot be an id is left out, and logged
    with *called*.
    """
    given, named, over = _ids(phones, called), _ids(user_ids, called), _ids(parents, called)
    phone = next((text for text in given if not is_user_id(text)), None)
    user_id = next(iter(named), None) or next(filter(is_user_id, given), None)
    return phone, user_id, next(iter(over), None)


def _ids(values: Iterable[object], called: str) -> list[str]:
    """Return the ids among *values*; what is there and none is logged with *called*."""
    found = []
    for value in values:
        if (text := read_id(value)) is not None:
            found.append(text)
        elif value is not None and value != "":
            logger.warning(
                "whatsapp.odd_id: %.200r: what is no phone number and no user id is left away: "
                "%d characters",
                called,
                len(str(value)),
            )
    return found


def _is_extra(key: str, value: object) -> bool:
    """Return whether a part of a message has no field, or not the form of its field."""
    if key in ("context", "referral"):
        return bool(value) and not isinstance(value, dict)
    return key not in _READ


def _unread_of_contact(contact: Part) -> Part:
    """Return the parts of the sender's contact that `InboundMessage` has no field for."""
    profile = contact.get("profile")
    unread = {key: value for key, value in contact.items() if key not in _READ_OF_CONTACT}
    if isinstance(profile, dict):
        unread["profile"] = {k: v for k, v in profile.items() if k not in _READ_OF_PROFILE}
    return {key: value for key, value in unread.items() if value not in (None, {})}


def _beside(value: Part) -> Part:
    """Return the objects in *value* that are no events, if it holds a single message."""
    messages = value.get("messages")
    if not isinstance(messages, list) or len(messages) != 1:
        return {}
    try:
        return {
            name: plain(part)
            for name, part in value.items()
            if name not in READ_OF_VALUE and isinstance(part, dict) and part
        }
    except ValueError:
        return {}


def _content(message: Part, kind: str) -> tuple[str, Any]:
    """Return the name and the content of the part for the type."""
    name = "unsupported" if kind == "unknown" and "unsupported" in message else kind
    value = message.get(name)
    readable = isinstance(value, list if kind == "contacts" else dict)
    return (name, value) if readable else ("", {})


def _type(kind: str, content: Any) -> str:
    if kind == "unknown":  # on-premises
        return "unsupported"
    if kind == "audio" and content.get("voice") is True:  # Cloud
        return "voice"
    return kind


def _context(value: object) -> Context | None:
    context = object_of(value)
    if not context:
        return None
    return Context(
        message_id=text_of(context.get("id")),
        sender=text_of(context.get("from")),
        forwarded=context.get("forwarded") is True,
        frequently_forwarded=context.get("frequently_forwarded") is True,
        referred_product=object_of(context.get("referred_product")) or None,
        extra={key: value for key, value in context.items() if key not in _READ_OF_CONTEXT},
    )


def read_seconds(value: object) -> int | None:
    """Return a time or a length in whole seconds, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = int(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _LATEST else None
