"""
What may stand in the place of a slot, so that a response can be composed before anybody talks.

A slot whose values are known stands for the shortest of them; any other for a letter, each for one
of its own, so that titles stay unique. Where an address or a number belongs, there stands one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.domain.read import Slot
from rasa_whatsapp_channel.domain.slots import (
    FILLED,
    BracesError,
    fill,
    is_jinja,
    names_in,
    texts_of,
)

# About as long as a full name or the name of a product.
TYPICAL: Final = 30

_ADDRESS: Final = "https://slot.invalid/x"
_ADDRESS_KEYS: Final = ("image", "link", "url", "src", "image_url")
_NUMBER_KEYS: Final = ("latitude", "longitude")
_AT_START: Final = re.compile(r"^\$?\{[^{}\n]+\}")
_JINJA: Final = re.compile(r"{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)


def find_open_type(variation: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """Return the path of a `type` that a slot decides: then nothing can be known beforehand."""
    for path, text in texts_of({key: variation.get(key) for key in ("custom", "attachment")}):
        if path[-1] == "type" and names_in(text):
            return path
    return None


def shortest(names: Iterable[str], slots: Mapping[str, Slot]) -> dict[str, str]:
    """Return for each name the shortest text that may stand there."""
    return {
        name: min(_values(name, slots), key=len, default=_letter(number))
        for number, name in enumerate(names)
    }


def longest(name: str, slots: Mapping[str, Slot]) -> str | None:
    """Return the longest text *name* is known to become, None where no value is known."""
    return max(_values(name, slots), key=len, default=None)


def is_open(name: str, slots: Mapping[str, Slot]) -> bool:
    """Return whether *name* may become any text."""
    return name not in slots or not slots[name].values


def typical(number: int) -> str:
    return _letter(number) * TYPICAL


def fill_in(variation: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return *variation* with *values*, and with an address or number where one belongs."""
    if is_jinja(variation):
        return {
            key: _change(value, lambda _, text: _JINJA.sub("x", text)) if key in FILLED else value
            for key, value in variation.items()
        }
    settled = {key: _change(value, _settle, key) for key, value in variation.items()}
    try:
        return fill(settled, values)
    except BracesError:  # said elsewhere
        return settled


def _settle(key: Any, text: str) -> str:
    if key in _NUMBER_KEYS and names_in(text):
        return "0"
    return _AT_START.sub(_ADDRESS, text) if key in _ADDRESS_KEYS else text


def _change(value: Any, change: Any, key: Any = None) -> Any:
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, Mapping):
        return {name: _change(part, change, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_change(part, change, key) for part in value]
    return value


def _values(name: str, slots: Mapping[str, Slot]) -> tuple[str, ...]:
    slot = slots.get(name)
    if slot is None:
        return ()
    return slot.values or ((slot.initial,) if slot.initial else ())


def _letter(number: int) -> str:
    return chr(ord("a") + number % 26)
