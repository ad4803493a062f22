"""Markdown runs: what the parser finds in a line → runs of text with styles → WhatsApp's marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it.token import Token

BOLD: Final = "bold"
_STRUCK: Final = "struck"
_ITALIC: Final = "italic"
_MARKS: Final = ((BOLD, "*"), (_STRUCK, "~"), (_ITALIC, "_"))
# WhatsApp knows no escapes. These look alike and do not format.
_LOOKALIKES: Final = {"*": "∗", "~": "∼", "`": "‵"}
_TARGET: Final = re.compile(r"(?:https?://|mailto:|tel:|www\.)\S", re.IGNORECASE)
_WITH_ADDRESS: Final = re.compile(r"(\S*https?://\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Run:
    """A stretch of text in the same styles, `BOLD` and the like."""

    text: str
    styles: frozenset[str] = frozenset()


def read_runs(tokens: Sequence[Token], style: str | None = None) -> list[Run]:
    """Return the runs of *tokens*, all of them in *style* too."""
    reader = _Reader([token for token in tokens if token.type != "text" or token.content], style)
    return list(reader.runs())


def write_runs(runs: Iterable[Run], marks: Sequence[tuple[str, str]] = _MARKS) -> str:
    """Write WhatsApp's marks around what has a style: around each line, and no outer space."""
    if not marks:
        return "".join(run.text for run in runs)
    (style, mark), *inner = marks
    parts = []
    for styled, group in groupby(runs, key=lambda run: style in run.styles):
        text = write_runs(list(group), inner)
        parts.append("\n".join(_mark(line, mark) for line in text.split("\n")) if styled else text)
    return "".join(parts)


def _mark(line: str, mark: str) -> str:
    core = line.strip()
    return line.replace(core, f"{mark}{core}{mark}", 1) if core else line


class _Reader:
    def __init__(self, tokens: Sequence[Token], style: str | None) -> None:
        self._tokens = tokens
        self._ends = dict(_pairs(tokens))
        self._base = {style} if style else set()
        self._open: list[str | None] = []  # None: the marks stay as they were written

    def runs(self) -> Iterator[Run]:
        number = 0
        while number < len(self._tokens):
            token = self._tokens[number]
            if token.type == "link_open":
                yield from self._link(number)
                number = self._ends[number]
            elif token.nesting:
                yield from self._mark(number)
            else:
                yield from self._text(number)
            number += 1

    @property
    def _styles(self) -> frozenset[str]:
        return frozenset(self._base.union(filter(None, self._open)))

    def _mark(self, number: int) -> Iterator[Run]:
        token = self._tokens[number]
        if token.nesting == 1:
            style = self._style(number)
            self._open.append(style)
        else:
            style = self._open.pop()
        if style is None:
            yield Run(token.markup, self._styles)

    def _style(self, number: int) -> str | None:
        """Return what the marks at *number* mean; None where WhatsApp or people mean another."""
        token, end = self._tokens[number], self._ends[number]
        if token.markup == "*":
            strong = any(inner.markup == "**" for inner in self._tokens[number:end])
            return _ITALIC if strong or BOLD in self._styles else None
        if token.markup not in ("**", "~~") or self._is_inside_word(number, end):
            return None
        return BOLD if token.markup == "**" else _STRUCK

    def _is_inside_word(self, number: int, end: int) -> bool:
        """WhatsApp formats no part of a word, and 2**3**4 is arithmetic."""
        return _is_letter(self._before(number)) or _is_letter(self._after(end))

    def _text(self, number: int) -> Iterator[Run]:
        token = self._tokens[number]
        match token.type:
            case "text":
                yield from _split_addresses(token.content, self._styles)
            case "text_special":
                yield Run(self._escaped(number), self._styles)
            case "code_inline":
                yield Run(_code(token), self._styles)
            case "image":
                alt = [Run(token.content, self._styles)]
                yield from _address_runs(alt, token, str(token.attrs["src"]), self._styles)
            case _:  # hardbreak
                yield Run("\n", self._styles)

    def _link(self, number: int) -> Iterator[Run]:
        token = self._tokens[number]
        inside = _Reader(self._tokens[number + 1 : self._ends[number]], None)
        inside._base = set(self._styles)
        yield from _address_runs(list(inside.runs()), token, str(token.attrs["href"]), self._styles)

    def _escaped(self, number: int) -> str:
        token = self._tokens[number]
        before, after = self._before(number), self._after(number)
        character = token.content
        if character in _LOOKALIKES:
            alone = before in (" ", "\t") and after in (" ", "\t")
            return character if alone else _LOOKALIKES[character]
        within = character == "_" and _is_letter(before) and _is_letter(after)
        return character if within else token.markup

    def _before(self, number: int) -> str:
        return self._tokens[number - 1].content[-1:] if number else ""

    def _after(self, number: int) -> str:
        following = self._tokens[number + 1 : number + 2]
        return following[0].content[:1] if following else ""


def _pairs(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    opened: list[int] = []
    for number, token in enumerate(tokens):
        if token.nesting == 1:
            opened.append(number)
        elif token.nesting == -1:
            yield opened.pop(), number


def _is_letter(character: str) -> bool:
    """Return whether *character* joins words; Chinese and its like are written without spaces."""
    return bool(character) and (character.isalnum() or character == "_") and character < "\u2e80"


def _split_addresses(text: str, styles: frozenset[str]) -> Iterator[Run]:
    """Leave addresses without marks, which would become a part of them."""
    for part in _WITH_ADDRESS.split(text) if styles else [text]:
        yield Run(part, frozenset() if _WITH_ADDRESS.match(part) else styles)


def _address_runs(
    label: list[Run], token: Token, target: str, styles: frozenset[str]
) -> Iterator[Run]:
    """Write a link as its label with the address behind it, where it leads to an address."""
    if not _TARGET.match(target):
        yield Run(token.meta["source"], styles)
        return
    address = target.removeprefix("mailto:").removeprefix("tel:").replace(" ", "%20")
    title = token.attrs.get("title")
    shown = "".join(run.text for run in label).strip()
    if shown in ("", address) and not title:
        yield Run(address)
        return
    yield from label
    yield Run(f" ({title}: {address})" if title else f" ({address})")


def _code(token: Token) -> str:
    """WhatsApp knows one backtick and three."""
    source: str = token.meta["source"]
    if token.markup == "``" and "```" not in source:
        return f"`{source}`"
    return source
