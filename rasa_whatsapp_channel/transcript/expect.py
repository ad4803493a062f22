"""
Expectations: what a message of the bot is expected to be, and how another one differs.

The kind of a message always counts: a picture is not a text. Beyond it only what is named counts,
so that a test says no more than it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.transcript.words import Words, kind_of

NAMES: Final = (
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "buttons",
    "rows",
    "link",
    "cards",
    "header",
    "footer",
    "location",
    "contacts",
    "template",
    "values",
    "reaction",
    "message",
)
_PATTERN: Final = re.compile(r"~/(.*)/", re.DOTALL)


@dataclass(frozen=True)
class Difference:
    """One part of a message that is not as it should be; *got* is None where there is none."""

    name: str
    expected: object
    got: object

    def lines(self) -> list[str]:
        return [
            f"{self.name:<9}expected {shown(self.expected)}",
            f"{'':<9}got      {'nothing' if self.got is None else shown(self.got)}",
        ]


def differences(expected: Mapping[str, Any], got: Words) -> list[Difference]:
    """
    Return in what *got* is not as *expected*; the kinds first.

    An expected value is the value itself, a compiled pattern, a text ``~/pattern/``, True for
    anything, or a list or a map of such values. Patterns must fit the whole text.
    """
    wanted = kind_of(expected)
    found = kind_of(got)
    if expected and wanted != found and not (wanted == "text" and _names_no_kind(expected)):
        return [Difference("kind", wanted, found), *_rest(expected, got, skip=wanted)]
    return _rest(expected, got)


def matches(expected: object, got: object) -> bool:
    """Is *got* what *expected* says? See `differences`."""
    if expected is True or expected is ...:
        return got is not None
    if isinstance(expected, re.Pattern):
        return isinstance(got, str) and expected.fullmatch(got) is not None
    if isinstance(expected, str):
        pattern = _PATTERN.fullmatch(expected)
        if pattern is not None:
            return isinstance(got, str) and re.fullmatch(pattern[1], got, re.DOTALL) is not None
        return expected == got
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(
            matches(value, got.get(key)) for key, value in expected.items()
        )
    if isinstance(expected, Sequence):
        if not isinstance(got, Sequence) or isinstance(got, str) or len(got) != len(expected):
            return False
        return all(map(matches, expected, got))
    return expected == got


def is_pattern(text: str) -> bool:
    return _PATTERN.fullmatch(text) is not None


def check_pattern(text: str) -> str | None:
    """Return why the pattern in a text cannot be used; None if it can, or if there is none."""
    pattern = _PATTERN.fullmatch(text)
    if pattern is None:
        return None
    try:
        re.compile(pattern[1])
    except re.error as error:
        return str(error)
    return None


@dataclass(frozen=True)
class Pair:
    """An expected message beside the one that came; None where one of the two is missing."""

    expected: Mapping[str, Any] | None
    got: Words | None

    @property
    def differences(self) -> list[Difference]:
        if self.expected is None or self.got is None:
            return []
        return differences(self.expected, self.got)

    @property
    def fits(self) -> bool:
        return self.expected is not None and self.got is not None and not self.differences


def align(expected: Sequence[Mapping[str, Any]], got: Sequence[Words]) -> list[Pair]:
    """Put what was expected beside what came, so that as many as can be fit, in order."""
    best: dict[tuple[int, int], tuple[int, list[Pair]]] = {}
    for row in range(len(expected), -1, -1):
        for column in range(len(got), -1, -1):
            best[row, column] = _better(expected, got, row, column, best)
    return _join(best[0, 0][1])


def _better(
    expected: Sequence[Mapping[str, Any]],
    got: Sequence[Words],
    row: int,
    column: int,
    best: Mapping[tuple[int, int], tuple[int, list[Pair]]],
) -> tuple[int, list[Pair]]:
    choices: list[tuple[int, list[Pair]]] = []
    if row < len(expected) and column < len(got):
        pair = Pair(expected[row], got[column])
        if pair.fits:
            fits, rest = best[row + 1, column + 1]
            choices.append((fits + 1, [pair, *rest]))
    if row < len(expected):
        fits, rest = best[row + 1, column]
        choices.append((fits, [Pair(expected[row], None), *rest]))
    if column < len(got):
        fits, rest = best[row, column + 1]
        choices.append((fits, [Pair(None, got[column]), *rest]))
    return max(choices, key=lambda choice: choice[0]) if choices else (0, [])


def _join(pairs: Iterable[Pair]) -> list[Pair]:
    """Put one that is missing beside one that is too much, where they stand at the same place."""
    joined: list[Pair] = []
    missing: list[Pair] = []
    extra: list[Pair] = []
    for pair in [*pairs, None]:
        if pair is not None and not pair.fits:
            (missing if pair.got is None else extra).append(pair)
            continue
        for place in range(max(len(missing), len(extra))):
            wanted = missing[place].expected if place < len(missing) else None
            came = extra[place].got if place < len(extra) else None
            joined.append(Pair(wanted, came))
        missing, extra = [], []
        if pair is not None:
            joined.append(pair)
    return joined


def shown(value: object) -> str:
    """Return a value as a test writes it."""
    if isinstance(value, re.Pattern):
        return f"~/{value.pattern}/"
    if value is True or value is ...:
        return "anything"
    if isinstance(value, str):
        return f'"{value}"' if not is_pattern(value) else value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(part)}" for key, part in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)


def _names_no_kind(expected: Mapping[str, Any]) -> bool:
    """Header and footer alone say nothing of the kind."""
    return set(expected) <= {"header", "footer", "values"}


def _rest(expected: Mapping[str, Any], got: Words, *, skip: str | None = None) -> list[Difference]:
    return [
        Difference(name, value, got.get(name))
        for name, value in expected.items()
        if name != skip and not matches(value, got.get(name))
    ]
