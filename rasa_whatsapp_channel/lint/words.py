"""The words findings share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from rasa_whatsapp_channel.common import suggest

_SHOWN: Final = 12
_KINDS: Final = (
    (type(None), "nothing"),
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a text"),
    (date, "a date"),
    (Mapping, "a map"),
    (list, "a list"),
)


def kind_of(value: object) -> str:
    """Name the kind of *value* in the words of YAML."""
    return next(name for kinds, name in _KINDS if isinstance(value, kinds))


def nearest(name: str, known: Collection[str], *, form: str = "{}") -> str:
    """Return a hint for a *name* that is not *known*; *form* is how a known one is written."""
    return suggest(name, sorted(known), form=form, most=_SHOWN)
