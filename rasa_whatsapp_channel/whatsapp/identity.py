"""Whom an id names: a phone number, a business-scoped user id (since 2026), or a group."""

from __future__ import annotations

import re
from typing import Final

# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
# e.g. US.13491208655302741918, and US.ENT.… for the parent of several
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")

_AT_NUMBER: Final = re.compile(r"(.+)@(\d+)", re.DOTALL)
# As WhatsApp takes it: digits, and what people put between them.
_PHONE: Final = re.compile(r"\+?[\d\s().-]*")


def is_user_id(value: str) -> bool:
    """Return whether *value* is a user id rather than a phone number or a group id."""
    return _USER_ID.fullmatch(value) is not None


def at_number(name: str, phone_number_id: str) -> str:
    """Return what *name* is called in the chat with a further business number of ours."""
    return f"{name}@{phone_number_id}"


def split_number(name: str) -> tuple[str, str | None]:
    """Return what `at_number` put together; None for the first number, which is not named."""
    found = _AT_NUMBER.fullmatch(name)
    return (found[1], found[2]) if found else (name, None)


def is_group_id(value: str) -> bool:
    """Return whether *value* is neither a phone number nor a user id."""
    return not is_user_id(value) and _PHONE.fullmatch(value) is None
