"""How many cells of a terminal a text takes, and where it wraps."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

import regex

_GRAPHEME: Final = regex.compile(r"\X")
_NO_CELL: Final = regex.compile(r"[\p{M}\p{Cf}]+")
_EMOJI: Final = regex.compile(r"\ufe0f|\p{RI}|\u20e3")
_CONTROL: Final = regex.compile(r"[^\P{Cc}\n]")


def clean(text: str) -> str:
    """Return *text* without what would steer the terminal."""
    return str(_CONTROL.sub("", text.replace("\t", "    ")))


def count_cells(text: str) -> int:
    return sum(_cells(grapheme) for grapheme in _GRAPHEME.findall(text))


def wrap(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* cells, broken between words where possible."""
    return [line for paragraph in clean(text).split("\n") for line in _lines(paragraph, width)]


def pad(text: str, width: int) -> str:
    return text + " " * (width - count_cells(text))


def centre(text: str, width: int, fill: str = " ") -> str:
    room = max(width - count_cells(text), 0)
    return fill * (room // 2) + text + fill * (room - room // 2)


def _lines(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for word in regex.splititer(r"(?<=\s)(?=\S)", paragraph):
        if line and count_cells(line + word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        for piece in _pieces(word, width):
            if line and count_cells(line + piece.rstrip()) > width:
                yield line.rstrip()
                line = ""
            line += piece
    yield line.rstrip()


def _pieces(word: str, width: int) -> list[str]:
    """Return *word* whole where it fits into a line, else its visible characters."""
    return [word] if count_cells(word.rstrip()) <= width else _GRAPHEME.findall(word)


def _cells(grapheme: str) -> int:
    if _NO_CELL.fullmatch(grapheme):
        return 0
    wide = _EMOJI.search(grapheme) or unicodedata.east_asian_width(grapheme[0]) in ("W", "F")
    return 2 if wide else 1
