"""
Identity of a person or a group: phone number, business-scoped user id (since 2026), group id.

A change of identity arrives in several ways. A ``system`` message names the old number as its
sender or as ``customer``, old user ids as ``previous_…``, and where neither is given both ids in
its text. The webhook field ``user_id_update`` has fields for the old and the new id.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Part, UserIdChanged
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
# e.g. US.13491208655302741918, and US.ENT.… for the parent of several
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")

_AT_NUMBER: Final = re.compile(r"(.+)@([0-9]{1,32})", re.DOTALL)
# As WhatsApp accepts it: digits and the usual separators.
_PHONE: Final = re.compile(r"\+?[\d\s().-]*")

# Prefixes and suffixes that other programs give a number.
_SCHEME: Final = re.compile(r"(?:whatsapp|tel):", re.IGNORECASE)
_JID: Final = re.compile(r"@(?:s\.whatsapp\.net|c\.us)\Z")
_SEPARATORS: Final = re.compile(r"\(0\)|[\s().\u2010-\u2015/-]")  # "+49 (0) 151" is +49 151
_DIGITS: Final = re.compile(r"[0-9]+")
_PLUS: Final = re.compile(r"(?:\+|00)(?=[1-9])")
# https://www.itu.int/rec/T-REC-E.164: 15 digits at most, and none begins with 0.
_FEWEST, _MOST = 5, 15
_MOST_TOLD: Final = 20  # in a webhook

# Ids of mobile numbers that differ from what is dialled, see `as_dialled`.
_BRAZIL: Final = re.compile(r"(55[1-9][1-9])([6-9][0-9]{7})")
_INFIXED: Final = re.compile(r"(52)1([0-9]{10})|(54)9([0-9]{10})")

# Names of conversations with the next owner of a number.
_TAKEN_OVER: Final = re.compile(r"[0-9]+~[0-9]+")
# Meta's are Base64, from 16 characters up.
_GROUP: Final = re.compile(r"[A-Za-z0-9+/_=-]{16,256}")
# Old group ids are their creator and the time of creation, in unix seconds.
_OLD_GROUP: Final = re.compile(r"[0-9]{5,15}-[0-9]{10}(?:@g\.us)?|[0-9]{5,32}@g\.us")
_TOKEN: Final = re.compile(r"[!-~]{1,140}")  # one word of ASCII; the longest user id has 135


@dataclass(frozen=True)
class Address:
    """The address of a person or a group: a *phone* (or group id), a *user_id*, or both."""

    phone: str | None = None
    user_id: str | None = None

    @classmethod
    def of(cls, value: str) -> Address:
        """Return the address that one id is."""
        return cls(user_id=value) if is_user_id(value) else cls(phone=value)

    @property
    def first(self) -> str:
        """The id to use where an API accepts only one."""
        return self.phone or self.user_id or ""


def is_user_id(value: str) -> bool:
    """Return whether *value* is a user id rather than a phone number or a group id."""
    return _USER_ID.fullmatch(value) is not None


def at_number(name: str, phone_number_id: str) -> str:
    """Return the name of the conversation of *name* with a further business number."""
    return f"{name}@{phone_number_id}"


def split_number(name: str) -> tuple[str, str | None]:
    """Split what `at_number` joined; the number is None for the first one, which is not named."""
    found = _AT_NUMBER.fullmatch(name) if "@" in name else None
    return (found[1], found[2]) if found else (name, None)


def is_group_id(value: str) -> bool:
    """Return whether *value* is neither a phone number nor a user id."""
    if value.isdecimal():
        return False
    if _OLD_GROUP.fullmatch(value):
        return True
    person = is_user_id(value) or is_taken_over(value) or _PHONE.fullmatch(value) is not None
    return not person


def is_taken_over(name: str) -> bool:
    """Return whether a conversation of that *name* is with the next owner of a number."""
    return _TAKEN_OVER.fullmatch(name) is not None


def read_id(value: object) -> str | None:
    """
    Return the id of a person in a webhook or an answer; a phone number as digits only.

    None where it is absent or cannot be an id.
    """
    if value is None:
        return None
    text = text_of(value)
    if text is None:
        return None
    digits = _to_digits(text)
    if digits is not None:
        return digits if len(digits) <= _MOST_TOLD else None
    return text if _TOKEN.fullmatch(text) else None


def as_dialled(phone: str) -> str | None:
    """
    Return the number that is dialled to reach *phone*, an id; None where it is the same.

    The id of older accounts in Brazil lacks the 9 after the area code, that of Mexico's mobiles has
    a 1 after 52, and that of Argentina's a 9 after 54.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
    """
    if found := _BRAZIL.fullmatch(phone):
        return f"{found[1]}9{found[2]}"
    found = _INFIXED.fullmatch(phone)
    return f"{found[1] or found[3]}{found[2] or found[4]}" if found else None


def read_group_id(value: object) -> str | None:
    """Return the id of a group as it is; None where it is absent or cannot be an id."""
    text = text_of(value)
    return text if text is not None and re.fullmatch(r"[!-~]{1,256}", text) else None


def to_recipient(value: object) -> str:
    """
    Return the id of a recipient, in whatever way it is written: ``+49 151…``, ``whatsapp:+49…``.

    User ids, group ids and names of conversations stay as they are, and so does the business
    number behind an ``@``. Raises `InvalidMessage` for anything else.
    """
    text = (text_of(value) or "").strip()
    if "%" in text:
        text = unquote(text).strip()
    person, number = split_number(text)
    person = _JID.sub("", _SCHEME.sub("", person, count=1)).strip()
    if is_user_id(person) or is_taken_over(person) or _OLD_GROUP.fullmatch(person):
        found: str | None = person
    else:
        found = _to_digits(person)
        if found is None and _GROUP.fullmatch(person):
            found = person
        problem = _problem(person, found)
        if problem:
            raise InvalidMessage("to", problem)
    assert found is not None
    return at_number(found, number) if number else found


def _to_digits(text: str) -> str | None:
    """Return a phone number as digits only, None for what is not one."""
    if text.isdecimal() and text.isascii() and text[0] != "0":
        return text
    if len(text) > 64:
        return None
    digits = _SEPARATORS.sub("", text)
    digits = _PLUS.sub("", digits, count=1) if digits.startswith(("+", "00")) else digits
    return digits if _DIGITS.fullmatch(digits) else None


def _problem(person: str, found: str | None) -> str | None:
    """Return why *found*, read from *person*, cannot be a recipient; None where it can."""
    if not person:
        return "there is no recipient"
    if found is None:
        return (
            f"{len(person)} characters that are no phone number, no user id (DE.1234…) and no "
            "group id; write a number with its country's code, as in 4915112345678"
        )
    if not found.isdecimal():
        return None
    if found.startswith("0"):
        return "a phone number needs its country's code, as in 4915112345678; this begins with 0"
    if not _FEWEST <= len(found) <= _MOST:
        return f"{len(found)} digits are no phone number; they have {_FEWEST} to {_MOST}"
    return None


# "User Ines changed from US.1349 to US.9876": at the end, since people choose their names.
_IN_WORDS: Final = re.compile(r"\bchanged from (\S{1,140}) to (\S{1,140}?)\.?\s*\Z")


@dataclass(frozen=True)
class IdChange:
    """The old and the new ids of one person; in *old*, user ids come before numbers."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    timestamp: int = 0


def read_change(event: InboundMessage | UserIdChanged) -> IdChange:
    """Return the change that *event* reports; without new ids where it reports none."""
    if isinstance(event, UserIdChanged):
        return _change(
            (event.previous, event.previous_parent),
            (event.current, event.current_parent, event.phone),
            event.timestamp,
        )
    system = object_of(event.content)
    if "identity" in (text_of(system.get("type")) or ""):  # another phone, the same ids
        return IdChange((), ())
    new = _ids(system, "user_id", "parent_user_id", "wa_id", "new_wa_id")
    old = (
        *_ids(system, "previous_user_id", "previous_parent_user_id"),
        event.user_id,
        event.parent_user_id,
        event.phone,
        *_ids(system, "customer"),
    )
    is_change = "changed" in (text_of(system.get("type")) or "")
    if is_change and not any(value not in new for value in old if value):
        old, new = _in_words(system, new)
    return _change(old, new, event.timestamp)


def _change(
    old: tuple[str | None, ...], new: tuple[str | None, ...], timestamp: int | None
) -> IdChange:
    current = tuple(dict.fromkeys(value for value in new if value))
    over = dict.fromkeys(value for value in old if value and value not in current)
    return IdChange(tuple(sorted(over, key=_is_number)), current, timestamp or 0)


def _in_words(
    system: Part, new: tuple[str | None, ...]
) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    """Return the ids in the text of the message; ids outside of it must agree with them."""
    found = _IN_WORDS.search(text_of(system.get("body")) or "")
    if found is None:
        return (), new
    old, current = (read_id(each) for each in found.groups())
    if old is None or current is None or (any(new) and current not in new):
        return (), new
    return (old,), (*new, current)


def _ids(part: Part, *names: str) -> tuple[str | None, ...]:
    return tuple(read_id(part.get(name)) for name in names)


def _is_number(value: str) -> bool:
    return not is_user_id(value)
