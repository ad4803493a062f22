"""Store text: the encoding of bodies and values in every store, and the search for a person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from rasa_whatsapp_channel.store.base import StoreError

# ASCII only: a webhook may contain half a surrogate pair, which is not valid UTF-8.
# What contains itself ends in a RecursionError, which costs nothing where there is none.
_encoder: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def to_json(value: Any) -> str:
    """Encode *value*. Raises `StoreError` if it is not a JSON value."""
    if value is True:  # as small values often are
        return "true"
    if type(value) is float and isfinite(value):
        return repr(value)
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise StoreError(f"cannot be kept, it is not JSON: {exc}") from exc


def from_json(text: str) -> Any:
    """Decode *text*. Raises `ValueError` if it is not JSON, such as a row damaged on the disk."""
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def read_body(text: str) -> Mapping[str, Any]:
    """Return the body of an item for an operator, even if it cannot be decoded."""
    try:
        body = from_json(text)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"unreadable": text}


def to_unicode(text: str) -> str:
    """Escape halves of surrogate pairs; leave everything else unchanged."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def mention_of(person: str) -> re.Pattern[str]:
    """
    Return a pattern that finds *person*, a phone number in digits or a user id, as a whole word.

    It also matches after ``+``, ``%2B`` or ``00``, before ``@`` and the id of a business number,
    and inside keys and bodies.
    """
    if person.isdecimal():
        return re.compile(rf"(?<!\d)(?:00)?{person}(?!\d)")
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(person)}(?![0-9A-Za-z])")
