"""Common to all layers: the base of errors, a day, numbers, times and names as they are written."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Final

DAY: Final = 86_400  # seconds
_LONGEST: Final = 64
PRODUCT: Final = "rasa-whatsapp-channel"


class ChannelError(Exception):
    """Base of every error this package raises; the text is for a person to read."""


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


def time_of(at: float) -> str:
    """Write a time in unix seconds: ``2026-11-30T09:15:00+00:00``."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds")


def install_extra(extra: str) -> str:
    """Return the command that adds *extra* to a channel which is installed, from wherever."""
    return f'pip install "{PRODUCT}[{extra}]"'


def installed_version(package: str = PRODUCT) -> str | None:
    """Return the version of an installed distribution, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
