"""Whether a text names a person, in whatever spelling the store holds."""

from __future__ import annotations

import re


def mention_of(person: str) -> re.Pattern[str]:
    """
    Return what finds *person*, a phone number in digits or a user id, as a whole.

    Also behind ``+``, ``%2B`` or ``00``, before ``@`` and the id of a business number, and inside
    the keys and bodies that are made of it.
    """
    if person.isdecimal():
        return re.compile(rf"(?<!\d)(?:00)?{person}(?!\d)")
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(person)}(?![0-9A-Za-z])")
