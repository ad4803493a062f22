"""People on the command line: phone numbers as they are written, and user ids."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s()./+-]")


def to_person(number: str) -> str:
    """Return *number* as WhatsApp and the store write it; a user id stays as it is."""
    digits = _SEPARATORS.sub("", number)
    return digits if digits.isdecimal() else number
