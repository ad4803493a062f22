"""The words findings share."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

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
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {form.format(near[0])}?"
    if not known:
        return "it has none"
    rest = ", …" if len(known) > _SHOWN else ""
    return f"known here: {', '.join(sorted(known)[:_SHOWN])}{rest}"
