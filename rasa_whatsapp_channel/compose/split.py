"""
Text splitter: splits a long text after a paragraph, else a line, a sentence, or a word.

It never splits inside an address, a visible character, or formatted text, unless one of them alone
exceeds the limit. Formatting is then closed before the split and opened again after it.

The time is linear in the text for each piece: no search runs to the end of the text, or backwards
from every position.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import regex

from rasa_whatsapp_channel.compose.text import is_blank, visible_end, visible_start

_URL: Final = r"(?i:https?://\S+)"
# Marks stand around words, and within a line: https://faq.whatsapp.com/539178204879377
_FORMATTED: Final = (
    r"(?P<mark>```)(?s:.+?)```|(?P<mark>`)[^`\n]+`"
    r"|(?<![^\W_])(?P<mark>[*_~])(?=\S)(?:(?!(?P=mark))[^\n])+?(?<=\S)(?P=mark)(?![^\W_])"
)
_WHOLE: Final = regex.compile(f"{_FORMATTED}|{_URL}")
_START: Final = regex.compile(r"[`*_~]|(?i:h)(?=(?i:ttps?://))")
_LINK: Final = regex.compile(_URL)
_WINDOW: Final = 64  # how far behind a place to look for the end of what crosses it
# A space with a combining mark behind it is one visible character. Chinese has no spaces.
_BREAK: Final = regex.compile(r"(?:\s++|(?<=[。！？])(?=\S))(?P<mark>[\p{M}\u200d])?+")
_PARAGRAPH, _LINE, _SENTENCE, _WORD = _KINDS = range(4)  # the better ones first
_STOPS: Final = frozenset(".!?…。！？")
_CLOSING: Final = frozenset("\"'»”’)]*_~")


def has_link(text: str) -> bool:
    return _LINK.search(text) is not None


def split(text: str, limit: int) -> list[str]:
    """Split *text* into pieces of at most *limit* characters."""
    pieces = []
    rest = text.strip()
    while len(rest) > limit:
        piece, rest = _split_once(rest, limit)
        pieces.append(piece)
    pieces.append(rest)
    return [piece for piece in pieces if not is_blank(piece)]


def split_for_tail(text: str, limit: int, tail_limit: int) -> list[str]:
    """Split like `split`, with the last piece no longer than *tail_limit*."""
    pieces = split(text, limit)
    if not pieces or len(pieces[-1]) <= tail_limit:
        return pieces
    head, tail = _cut_tail(pieces.pop(), tail_limit)
    return [*pieces, *([] if is_blank(head) else [head.rstrip()]), tail]


@dataclass(frozen=True)
class _Whole:
    """Something that should stay in one piece: an address, or what stands between two marks."""

    start: int
    end: int
    mark: str


class _Wholes:
    """Those of *text* that begin before *end*."""

    def __init__(self, text: str, end: int) -> None:
        self._all: list[_Whole] = []
        done = 0
        for start in _START.finditer(text, 0, end):
            match = _WHOLE.match(text, start.start()) if start.start() >= done else None
            if match is not None:
                done = match.end()
                self._all.append(_Whole(match.start(), done, match["mark"] or ""))
        self._starts = [whole.start for whole in self._all]

    def across(self, position: int) -> _Whole | None:
        """Return what a cut at *position* would go through."""
        number = bisect_left(self._starts, position) - 1
        if number < 0 or self._all[number].end <= position:
            return None
        return self._all[number]


def _split_once(text: str, limit: int) -> tuple[str, str]:
    """Return the first piece and the rest of a *text* that is longer than *limit*."""
    wholes = _Wholes(text, limit + _WINDOW)
    found = _find_break(text, limit, wholes)
    if found:
        return text[: found.start], text[found.end :].lstrip()
    end = visible_end(text, limit)
    whole = wholes.across(end)
    if whole is None or (whole.start == 0 and not whole.mark):
        return text[:end], text[end:].lstrip()
    if whole.start > 0:
        return text[: whole.start], text[whole.start :]
    mark, inner = _inner(text, whole)
    piece, rest = _split_once(inner, limit - 2 * len(mark))
    return f"{mark}{piece}{mark}", f"{mark}{rest}{mark}{text[whole.end :]}"


class _Break(NamedTuple):
    """A run of spaces, which a split takes the place of; with nothing in it in Chinese."""

    start: int
    end: int
    kind: int


def _breaks(text: str, start: int, end: int) -> Iterator[_Break]:
    for match in _BREAK.finditer(text, start, end):
        if match["mark"] is None:
            yield _Break(match.start(), match.end(), _kind(text, match.start(), match.end()))


def _kind(text: str, start: int, end: int) -> int:
    lines = text.count("\n", start, end)
    if lines:
        return _PARAGRAPH if lines > 1 else _LINE
    last = start - 1
    while last > 0 and text[last] in _CLOSING:
        last -= 1
    return _SENTENCE if last >= 0 and text[last] in _STOPS else _WORD


def _find_break(text: str, limit: int, wholes: _Wholes) -> _Break | None:
    """Return where the first piece ends and where the rest begins."""

    def last(start: int, kind: int) -> _Break | None:
        return next(
            (
                found
                for found in reversed(all_breaks)
                if found.kind <= kind
                and start <= found.start <= limit
                and wholes.across(found.start) is None
            ),
            None,
        )

    all_breaks = list(_breaks(text, 1, limit + _WINDOW))
    # A break in the first half would make many small bubbles; the next weaker kind is better.
    late = (last(limit // 2, kind) for kind in _KINDS)
    return next(filter(None, late), None) or last(1, _WORD)


def _cut_tail(text: str, limit: int) -> tuple[str, str]:
    """Cut at the first good break behind which no more than *limit* characters are left."""
    wholes = _Wholes(text, len(text))
    for start in _tail_starts(text, limit, wholes):
        if not is_blank(text[start:]):
            return text[:start], text[start:]
    position = len(text) - limit
    whole = wholes.across(position)
    if whole and whole.mark:
        mark, inner = _inner(text, whole)  # what follows it, if anything, shows nothing
        head, tail = _cut_tail(inner, limit - 2 * len(mark))
        return f"{text[: whole.start]}{mark}{head.rstrip()}{mark}", f"{mark}{tail}{mark}"
    start = visible_start(text, position)
    if is_blank(text[start:]):  # one visible character that is longer than the limit
        start = position
    return text[:start], text[start:]


def _tail_starts(text: str, limit: int, wholes: _Wholes) -> Sequence[int]:
    able = [
        found
        for found in _breaks(text, len(text) - limit, len(text))
        if wholes.across(found.end) is None
    ]
    starts = [found.end for kind in _KINDS for found in able if found.kind <= kind]
    whole = wholes.across(len(text) - limit)
    return [*starts, whole.end] if whole else starts


def _inner(text: str, whole: _Whole) -> tuple[str, str]:
    size = len(whole.mark)
    return whole.mark, text[whole.start + size : whole.end - size]
