"""
JSON values from outside, copied into values that every store and log can hold.

JSON can express more than others can keep: half an emoji (a lone surrogate) breaks SQLite and every
encoder, integers above 64 bits break MongoDB, ``NaN`` is not JSON to most readers, and deep nesting
ends in `RecursionError` wherever it is walked.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

DEPTH: Final = 32
VALUES: Final = 20_000  # 257 contact cards, the largest real message, hold about half of it
EXCERPT: Final = 2048
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SIXTY_FOUR_BITS: Final = 2**63


def plain(value: object) -> Any:
    """
    Return a copy of *value* that can be stored anywhere.

    Lone surrogates become U+FFFD, infinite numbers None, integers above 64 bits strings. Raises
    `ValueError` when *value* is nested deeper than `DEPTH` or holds more than `VALUES` values.
    """
    left = VALUES

    def copy(value: object, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"holds more than {VALUES} values")
        if isinstance(value, str):
            return value if value.isascii() else _text(value)
        if not isinstance(value, (dict, list)):
            return _scalar(value)
        if depth == 0:
            raise ValueError(f"is nested deeper than {DEPTH} levels")
        if isinstance(value, list):
            return [copy(item, depth - 1) for item in value]
        return {
            key if key.isascii() else _text(key): copy(item, depth - 1)
            for key, item in value.items()
        }

    return copy(value, DEPTH)


def excerpt(value: object) -> str:
    """Return the beginning of *value* as JSON, for a person to look at."""
    shown = ""
    try:
        for piece in json.JSONEncoder(default=str).iterencode(value):  # not all of 3 MB
            shown += piece[:EXCERPT]
            if len(shown) >= EXCERPT:
                break
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that cannot be shown"
    return shown[:EXCERPT]


def text_of(value: object) -> str | None:
    """Return an id, number or name as text; None when it is absent, blank or something else."""
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        return value if value.isascii() else _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _SIXTY_FOUR_BITS else None
    return None


def object_of(value: object) -> dict[str, Any]:
    """Return *value* when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _scalar(value: object) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not -_SIXTY_FOUR_BITS <= value < _SIXTY_FOUR_BITS:
        return str(value)
    return value if isinstance(value, int) else None


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", value)  # pairs have become one character before
    return value
