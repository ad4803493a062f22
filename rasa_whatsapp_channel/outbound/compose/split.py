"""
Where a long text may be split: at the end of a paragraph, else of a line, a sentence, a word.

Never inside an address, a visible character, or what WhatsApp formats; unless one of them alone is
longer than the limit. Formatting is then closed before the split and opened again behind it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import regex

from rasa_whatsapp_channel.outbound.compose.characters import is_blank, visible_end, visible_start

_URL: Final = r"(?i:https?://\S+)"
# Marks stand around words, and within a line: https://faq.whatsapp.com/539178204879377
_FORMATTED: Final = (
    r"(?P<mark>```)(?s:.+?)```|(?P<mark>`)[^`\n]+`"
    r"|(?<![^\W_])(?P<mark>[*_~])(?=\S)(?:(?!(?P=mark))[^\n])+?(?<=\S)(?P=mark)(?![^\W_])"
)
_WHOLE: Final = regex.compile(f"{_FORMATTED}|{_URL}")
_LINK: Final = regex.compile(_URL)
# A space with a combining mark behind it is one visible character.
_NO_MARK: Final = r"(?![\p{M}\u200d])"
_WINDOW: Final = 64  # how far behind a place to look for the end of what crosses it
_BREAKS: Final = tuple(
    regex.compile(f"(?:{pattern}){_NO_MARK}")
    for pattern in (
        r"\n\s*?\n\s*+",  # paragraph
        r"\s*?\n\s*+",  # line
        r"(?<=[.!?…][\"'»”’)\]*_~]*)\s++|(?<=[。！？])\s*+",  # sentence
        r"\s++",  # word
    )
)


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
    def __init__(self, text: str) -> None:
        any_at_all = any(mark in text for mark in ("://", "*", "_", "~", "`"))
        self._all = [
            _Whole(match.start(), match.end(), match["mark"] or "")
            for match in (_WHOLE.finditer(text) if any_at_all else ())
        ]
        self._starts = [whole.start for whole in self._all]

    def across(self, position: int) -> _Whole | None:
        """Return what a cut at *position* would go through."""
        number = bisect_left(self._starts, position) - 1
        if number < 0 or self._all[number].end <= position:
            return None
        return self._all[number]


def _split_once(text: str, limit: int) -> tuple[str, str]:
    """Return the first piece and the rest of a *text* that is longer than *limit*."""
    wholes = _Wholes(text)
    found = _find_break(text, limit, wholes)
    if found:
        return text[: found[0]], text[found[1] :].lstrip()
    end = visible_end(text, limit)
    whole = wholes.across(end)
    if whole is None or (whole.start == 0 and not whole.mark):
        return text[:end], text[end:].lstrip()
    if whole.start > 0:
        return text[: whole.start], text[whole.start :]
    mark, inner = _inner(text, whole)
    piece, rest = _split_once(inner, limit - 2 * len(mark))
    return f"{mark}{piece}{mark}", f"{mark}{rest}{mark}{text[whole.end :]}"


def _find_break(text: str, limit: int, wholes: _Wholes) -> tuple[int, int] | None:
    """Return where the first piece ends and where the rest begins."""
    for breaks in _BREAKS:
        # A break in the first half would make many small bubbles; the next weaker kind is better.
        found = _last_break(breaks, text, limit // 2, limit, wholes)
        if found:
            return found
    return _last_break(_BREAKS[-1], text, 1, limit, wholes)


def _last_break(
    breaks: regex.Pattern[str], text: str, least: int, limit: int, wholes: _Wholes
) -> tuple[int, int] | None:
    found = None
    for match in breaks.finditer(text, least, limit + _WINDOW):
        if match.start() > limit:
            break
        if wholes.across(match.start()) is None:
            found = match.span()
    return found


def _cut_tail(text: str, limit: int) -> tuple[str, str]:
    """Cut at the first good break behind which no more than *limit* characters are left."""
    wholes = _Wholes(text)
    for start in _tail_starts(text, limit, wholes):
        if not is_blank(text[start:]):
            return text[:start], text[start:]
    position = len(text) - limit
    whole = wholes.across(position)
    if whole and whole.mark:
        mark, inner = _inner(text, whole)  # what follows it, if anything, shows nothing
        head, tail = _cut_tail(inner, limit - 2 * len(mark))
        return f"{text[: whole.start]}{mark}{head.rstrip()}{mark}", f"{mark}{tail}{mark}"
    position = visible_start(text, position)
    return text[:position], text[position:]


def _tail_starts(text: str, limit: int, wholes: _Wholes) -> Sequence[int]:
    starts = [
        match.end()
        for breaks in _BREAKS
        for match in breaks.finditer(text, len(text) - limit)
        if wholes.across(match.end()) is None
    ]
    whole = wholes.across(len(text) - limit)
    return [*starts, whole.end] if whole else starts


def _inner(text: str, whole: _Whole) -> tuple[str, str]:
    size = len(whole.mark)
    return whole.mark, text[whole.start + size : whole.end - size]
