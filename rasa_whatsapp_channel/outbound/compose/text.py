"""
Text: what is blank, where it may be split, how it is cut.

Lengths count code points, like `whatsapp.limits`.
"""

from __future__ import annotations

from typing import Any, Final

import regex

from rasa_whatsapp_channel.outbound.compose.draft import Draft
from rasa_whatsapp_channel.outbound.compose.plain import kind_name

_BLANK: Final = regex.compile(r"[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*+")
_URL: Final = regex.compile(r"https?://\S+", regex.IGNORECASE)
_GRAPHEME: Final = regex.compile(r"\X")
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


def is_blank(text: str) -> bool:
    """Return whether a user would see nothing at all."""
    return _BLANK.fullmatch(text) is not None


def has_link(text: str) -> bool:
    return _URL.search(text) is not None


def read_text(draft: Draft, field: str, value: Any) -> str | None:
    """Return *value* as a text without outer space, or None where there is none to show."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        draft.change("WA104", field=field, kind=kind_name(value))
        return None
    if is_blank(value):
        draft.change("WA102", field=field)
        return None
    return value.strip()


def one_line(text: str) -> str:
    """Return *text* with every run of white space as one space: titles and labels have no lines."""
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """Return *text* within *limit* characters, "…" where it was cut, never inside a visible one."""
    if len(text) <= limit:
        return text
    return text[: _grapheme_end(text, limit - 1)].rstrip() + "…"


def split(text: str, limit: int) -> list[str]:
    """
    Split *text* into pieces of at most *limit* characters.

    At the end of a paragraph, else of a line, a sentence, a word; never inside an address or a
    visible character, unless one of them alone is longer than *limit*.
    """
    pieces = []
    rest = text.strip()
    while len(rest) > limit:
        end, start = _find_break(rest, limit)
        pieces.append(rest[:end])
        rest = rest[start:].lstrip()
    pieces.append(rest)
    return [piece for piece in pieces if not is_blank(piece)]


def split_for_tail(text: str, limit: int, tail_limit: int) -> list[str]:
    """Split like `split`, with the last piece no longer than *tail_limit*."""
    pieces = split(text, limit)
    if not pieces or len(pieces[-1]) <= tail_limit:
        return pieces
    head, tail = _cut_tail(pieces.pop(), tail_limit)
    return [*pieces, *([] if is_blank(head) else [head.rstrip()]), tail]


def _find_break(text: str, limit: int) -> tuple[int, int]:
    """Return where the first piece ends and where the rest begins."""
    for breaks in _BREAKS:
        # A break in the first half would make many small bubbles; the next weaker kind is better.
        found = _last_break(breaks, text, limit // 2, limit)
        if found:
            return found
    found = _last_break(_BREAKS[-1], text, 1, limit)
    if found:
        return found
    end = _grapheme_end(text, limit)
    # An address that begins the text and is longer than a message has to be cut after all.
    end = _link_across(text, end) or end
    return end, end


def _cut_tail(text: str, limit: int) -> tuple[str, str]:
    """Cut at the first good break behind which no more than *limit* characters are left."""
    for breaks in _BREAKS:
        for match in breaks.finditer(text, len(text) - limit):
            start = match.end()
            if not is_blank(text[start:]) and _link_across(text, start) is None:
                return text[:start], text[start:]
    tail = split(text, limit)[-1]
    return text[: text.rindex(tail)], tail


def _last_break(
    breaks: regex.Pattern[str], text: str, least: int, limit: int
) -> tuple[int, int] | None:
    found = None
    for match in breaks.finditer(text, 0, limit + _WINDOW):
        if match.start() > limit:
            break
        if match.start() >= least and _link_across(text, match.start()) is None:
            found = match.span()
    return found


def _link_across(text: str, position: int) -> int | None:
    """Return the start of the address that a cut at *position* would go through."""
    if text[position : position + 1].isspace():
        return None
    links = _URL.finditer(text, 0, position + _WINDOW)
    return next((link.start() for link in links if link.start() < position < link.end()), None)


def _grapheme_end(text: str, limit: int) -> int:
    """Return the end of the last visible character that lies within *limit*."""
    end = 0
    for match in _GRAPHEME.finditer(text):
        if match.end() > limit:
            break
        end = match.end()
    return end or limit
