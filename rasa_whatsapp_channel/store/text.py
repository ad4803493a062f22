"""Text of bodies and values as all stores keep it, and how a person is found in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.store.errors import StoreError

# ASCII only: a webhook may hold half a surrogate pair, which is no valid UTF-8.
_encoder: Final = json.JSONEncoder(separators=(",", ":"))


def to_json(value: Any) -> str:
    """Raise `StoreError` for what JSON cannot hold."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise StoreError(f"cannot be kept, it is not JSON: {exc}") from exc


def from_json(text: str) -> Any:
    """Raise `ValueError` for what is no JSON (any more), such as a row that a disk spoilt."""
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def read_body(text: str) -> Mapping[str, Any]:
    """Return the body of an entry as a person can see it, also where nothing else can read it."""
    try:
        body = from_json(text)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"unreadable": text}


def to_unicode(text: str) -> str:
    """Write halves of surrogate pairs as escapes; everything else stays as it is."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def mention_of(person: str) -> re.Pattern[str]:
    """
    Return what finds *person*, a phone number in digits or a user id, as a whole.

    Also behind ``+``, ``%2B`` or ``00``, before ``@`` and the id of a business number, and inside
    the keys and bodies that are made of it.
    """
    if person.isdecimal():
        return re.compile(rf"(?<!\d)(?:00)?{person}(?!\d)")
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(person)}(?![0-9A-Za-z])")
