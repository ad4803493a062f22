"""Whatever a custom action passed → plain JSON values, so that nothing behind meets surprises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.draft import Draft

DEPTH: Final = 32  # WhatsApp's own bodies need ten; a dict that holds itself needs an end
_INTEGER: Final = 2**63


class _Plain:
    def __init__(self) -> None:
        self.odd: set[str] = set()  # types that had to be written out

    def value(self, value: Any, depth: int = DEPTH) -> Any:
        if value is None or (type(value) is str and value.isascii()):  # most values
            return value
        if isinstance(value, str):
            return _encodable(value)
        if isinstance(value, bool):
            return value
        if depth and isinstance(value, (dict, Mapping)):  # to ask for a dict first is faster
            return {self._key(key): self.value(item, depth - 1) for key, item in value.items()}
        if depth and isinstance(value, (list, tuple)):
            return [self.value(item, depth - 1) for item in value]
        if isinstance(value, int) and -_INTEGER <= value < _INTEGER:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        return self._words(value)

    def _key(self, key: Any) -> str:
        if type(key) is str and key.isascii():
            return key
        return _encodable(key) if isinstance(key, str) else self._words(key)

    def _words(self, value: object) -> str:
        name = type(value).__name__
        self.odd.add(name)
        try:
            return _encodable(str(value))
        except Exception:  # somebody else's __str__, or a number too long to write
            return f"<{name}>"


def to_plain(draft: Draft, response: object) -> Mapping[str, Any]:
    """Return a copy of *response* in which everything is JSON and can be encoded."""
    plain = _Plain()
    copy = plain.value(response)
    if plain.odd:
        draft.change("WA105", kinds=", ".join(sorted(plain.odd)))
    return copy if isinstance(copy, dict) else {}


def read_json(text: str) -> Any:
    """Return what *text* holds as JSON; None when it is none. Some people dump it beforehand."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plain = _Plain().value(value)  # NaN, and numbers without end
    return plain if isinstance(plain, (dict, list)) else None


def kind_name(value: object) -> str:
    """Name the kind of a plain value in the words of YAML."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, (int, float)) else "a text"


def _encodable(value: str) -> str:
    # str.__str__: an Enum of strings stands for its value, not for its name
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of a character, as JavaScript and old JSON leave them
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
