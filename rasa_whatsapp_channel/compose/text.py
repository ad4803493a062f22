"""Text measures: visible characters, blank texts, and cuts. Lengths count code points."""

from __future__ import annotations

from typing import Final

import regex

_BLANK: Final = regex.compile(r"[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*+")
# Flags apart: \X counts for each one all those before it.
_GRAPHEME: Final = regex.compile(r"\p{RI}\p{RI}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*+|\X")


def is_blank(text: str) -> bool:
    """Return whether a user would see nothing at all."""
    if "!" <= text[:1] <= "~":  # most texts
        return False
    return _BLANK.fullmatch(text) is not None


def paragraphs(*texts: str | None) -> str | None:
    """Return those of *texts* that say something, one below the other; None if none does."""
    said = [text for text in texts if text]
    return "\n\n".join(said) or None


def one_line(text: str) -> str:
    """Return *text* with every run of white space as one space: titles and labels have no lines."""
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """Return *text* within *limit* characters, "…" where it was cut, never inside a visible one."""
    if len(text) <= limit:
        return text
    return text[: visible_end(text, limit - 1)].rstrip() + "…"


def visible_end(text: str, limit: int) -> int:
    """Return the end of the last visible character that lies within *limit*."""
    end = 0
    for match in _GRAPHEME.finditer(text):
        if match.end() > limit:
            break
        end = match.end()
    return end or limit


def visible_start(text: str, position: int) -> int:
    """Return the first start of a visible character at *position* or behind it."""
    ends = (match.end() for match in _GRAPHEME.finditer(text))
    return next((end for end in ends if end >= position), len(text))
