"""How messages to people name things: the known name that was meant, and how many there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 64


def closest(name: object, known: Iterable[str]) -> str | None:
    """Return the one of *known* that *name* most likely stands for, None if none is similar."""
    written = {each.lower(): each for each in known}
    # Looking for similar names takes the square of their length.
    found = difflib.get_close_matches(str(name)[:_LONGEST].lower(), written, n=1)
    return written[found[0]] if found else None


def suggest(
    name: object,
    known: Iterable[str],
    *,
    form: str = "{}",
    otherwise: str = "known here:",
    most: int | None = None,
) -> str:
    """
    Return a hint for the unknown *name*: the closest of *known*, else the list of them.

    *form* is how a known name is written, *most* how many of them are listed.
    """
    known = tuple(known)
    found = closest(name, known)
    if found is not None:
        return f"did you mean {form.format(found)}?"
    if not known:
        return "it has none"
    more = ", …" if most is not None and len(known) > most else ""
    return f"{otherwise} {', '.join(known[:most])}{more}"


def counted(count: int, what: str) -> str:
    """Write *count* of *what*, which is in the singular: ``1 message``, ``2,000 messages``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
