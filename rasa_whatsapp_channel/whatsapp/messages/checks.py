"""Checks of messages: each raises `InvalidMessage` with the field as WhatsApp names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rasa_whatsapp_channel.whatsapp.errors import InvalidLink, InvalidMessage
from rasa_whatsapp_channel.whatsapp.uris import to_uri

_SHOWN = 80


def check_text(field: str, value: object, limit: int | None = None, *, empty: bool = False) -> str:
    """Return *value* as the text it must be: up to *limit* characters, not blank unless *empty*."""
    if not isinstance(value, str):
        raise InvalidMessage(field, f"must be a string, not {_kind(value)}")
    if not empty and not value.strip():
        raise InvalidMessage(field, "must not be empty")
    if limit is not None and len(value) > limit:
        raise InvalidMessage(
            field, f"has {len(value)} characters; WhatsApp takes at most {limit}", limit=limit
        )
    return value


def optional_text(
    field: str, value: object, limit: int | None = None, *, empty: bool = False
) -> str | None:
    """Return *value* as the text it must be when it is there, see `check_text`."""
    return None if value is None else check_text(field, value, limit, empty=empty)


def check_flag(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidMessage(field, f"must be true or false, not {_kind(value)}")
    return value


def check_link(field: str, value: object) -> str:
    """Return *value* as the http or https address it must be, written as a URI."""
    link = check_text(field, value)
    try:
        uri = to_uri(link)
    except ValueError as error:
        raise InvalidLink(field, str(error)) from None
    if uri != link:
        raise InvalidLink(field, f"is no URI; write {uri[:_SHOWN]!r}")
    return link


def check_count(field: str, values: Sequence[Any], most: int, least: int = 1) -> None:
    if len(values) < least:
        raise InvalidMessage(field, f"needs at least {least}, has {len(values)}", limit=least)
    if len(values) > most:
        raise InvalidMessage(field, f"takes at most {most}, has {len(values)}", limit=most)


def check_unique(field: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise InvalidMessage(field, f"{value!r} is duplicated; WhatsApp accepts each only once")
        seen.add(value)


def check_whole(field: str, value: object, least: int, most: int) -> int:
    """Return *value* as the whole number it must be, from *least* to *most*."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        kind = "" if type(value) is int else f", not {_kind(value)}"
        raise InvalidMessage(field, f"must be a whole number from {least} to {most}{kind}")
    return value


def check_number(field: str, value: object, bound: float) -> float:
    """Return *value*, a number or its decimal text, between -*bound* and *bound*."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InvalidMessage(field, f"must be a number, not {_kind(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise InvalidMessage(field, f"must be a number, not {str(value)[:40]!r}") from None
    if not -bound <= number <= bound:  # also refuses nan
        raise InvalidMessage(field, f"must lie between -{bound:g} and {bound:g}, not {number:g}")
    return number


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """Return *value* as the object it must be."""
    if not isinstance(value, (dict, Mapping)):  # to ask for a dict first is faster
        raise InvalidMessage(field, f"must be an object, not {_kind(value)}")
    return value


def sequence(field: str, value: object) -> Sequence[Any]:
    """Return *value* as the list it must be."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise InvalidMessage(field, f"must be a list, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names = {
        type(None): "nothing",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
    }
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "a list"
    return names.get(type(value), type(value).__name__)
