"""Business-scoped user ids, which stand in for phone numbers since 2026."""

from __future__ import annotations

import re
from typing import Final

# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
# e.g. US.13491208655302741918, and US.ENT.… for the parent of several
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def is_user_id(value: str) -> bool:
    """Return whether *value* is a user id rather than a phone number or a group id."""
    return _USER_ID.fullmatch(value) is not None
