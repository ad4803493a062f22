"""
Markdown converter: Markdown → WhatsApp's formatting, if the Markdown is unambiguous.

    **bold**, ***both***, ~~gone~~    *bold*, *_both_*, ~gone~
    # Heading                         *Heading*
    [text](https://…), <https://…>    text (https://…), https://…
    ```lang … ```, ~~~, ``code``      ``` … ```
    | a | b |                         *a* | *b*, and a line for each row
    \\*                                a star that stays a star

WhatsApp's own formatting stays as it is: *bold*, _italic_, ~gone~, `code`, lists and
quotes; so do `__init__`, snake_case, 2*3*4, 2**3**4 and addresses. Doing it twice changes nothing.
https://faq.whatsapp.com/539178204879377
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


import re
from typing import Final

PICTURE: Final = "!["  # begins one
BOLD: Final = "bold"
_STRUCK: Final = "struck"
_ITALIC: Final = "italic"
_MARKS: Final = ((BOLD, "*"), (_STRUCK, "~"), (_ITALIC, "_"))
# WhatsApp knows no escapes. These look alike and do not format.
_LOOKALIKES: Final = {"*": "∗", "~": "∼", "`": "‵"}
_TARGET: Final = re.compile(r"(?:https?://|mailto:|tel:|www\.)\S", re.IGNORECASE)
_WITH_ADDRESS: Final = re.compile(r"(\S*https?://\S+)", re.IGNORECASE)
# Most texts hold nothing of this, and need no parser, which takes a hundred times as long.
_FIRST_LOOK: Final = re.compile(r"\*\*|~~|``|\]\(|\\|#[ \t]|\||<")
_MARKERS: Final = re.compile(
    r"\*\*|~~|``|\]\(|\\[*~`_\n]|^ {0,3}#{1,6}[ \t]|-[ \t]*\||\|[ \t]*:?-|<[\w.+-]+[:@]",
    re.MULTILINE,
)
# Lines that WhatsApp shows as items of a list or as quotes: nothing is formatted across them.
_ITEM: Final = re.compile(r"\n(?=[ \t]*(?:[-*+>•]|\d+[.)])[ \t])")
_TAKEN: Final = "\0"  # stands where an image was
_SPACED: Final = re.compile(f" ?{_TAKEN}")
# A line of which an image was all but the mark of an item, a quote or a style.
_EMPTIED: Final = re.compile(rf"(?=.*{_TAKEN})[\s*_~+>•{_TAKEN}-]*(?:\d+[.)])?[\s*_~{_TAKEN}]*")
_CELLS: Final = re.compile(r"(?<!\\)\|")
# Characters where the parser has to stop, a hundred times as slow as an ordinary letter: 3,000 of
# them take up to 150 ms, during which the event loop is blocked. A text of 30,000 characters that a
# person or a model wrote has fewer.
MARKS: Final = 3000
_STOPS: Final = "\n!#$%&*+-:<=>@[\\]^_`{|}~"


@dataclass(frozen=True)
class Run:
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


def replace_images(text: str, replace: Callable[[str, str], str | None]) -> str:
    """
    Return *text* with each ``![alt](address)`` as *replace* says; None leaves it. Not in code.

    Lines and paragraphs of which nothing is left are taken away.
    """
    if PICTURE not in text or _TAKEN in text or too_marked(text):
        return text
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    replaced: list[str] = []
    done = 0
    for token, start, end in _blocks(text):
        block = "\n".join(lines[start:end])
        # WhatsApp's own ```code``` may begin and end in the middle of lines.
        is_code = "```" in block or "\n".join(lines[:start]).count("```") % 2
        new = block
        if token.type != "fence" and not is_code:
            new = "\n".join(_replace_in_item(item, replace) for item in _ITEM.split(block))
        kept = [line for line in new.split("\n") if not _EMPTIED.fullmatch(line)]
        if kept:
            replaced += [*lines[done:start], *(_SPACED.sub("", line) for line in kept)]
        done = end
    return "\n".join([*replaced, *lines[done:]]).strip("\n")


def _replace_in_item(text: str, replace: Callable[[str, str], str | None]) -> str:
    tokens: list[Token] = []
    parser = _parser()
    parser.inline.parse(text, parser, {}, tokens)
    done, parts = 0, []
    for token in tokens:
        if token.type == "image":
            start, source = token.meta["start"], token.meta["source"]
            new = replace(token.content, str(token.attrs["src"]))
            parts += [text[done:start], source if new is None else new or _TAKEN]
            done = start + len(source)
    return "".join([*parts, text[done:]])


def to_whatsapp(text: str) -> str:
    """Return *text* with WhatsApp's formatting; as it was written where it is `too_marked`."""
    if not _has_markdown(text) or too_marked(text):
        return text
    text = text.replace("\r\n", "\n")
    return _format_again(text) if len(text) <= TEXT_BODY else _format(text)


def too_marked(text: str) -> int:
    """Return how many marks a text with Markdown has where they are too many to read, else 0."""
    if len(text) <= MARKS or not _has_markdown(text):
        return 0
    marks = sum(map(text.count, _STOPS))
    return marks if marks > MARKS else 0


def _has_markdown(text: str) -> bool:
    return _FIRST_LOOK.search(text) is not None and _MARKERS.search(text) is not None


@lru_cache(maxsize=512)  # a bot says the same texts again and again
def _format_again(text: str) -> str:
    return _format(text)


def _format(text: str) -> str:
    formatted = _convert(text)
    # What would change once more is too odd to be understood, and stays as it was written.
    again = _convert(formatted) if _has_markdown(formatted) else formatted
    return formatted if again == formatted else text


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Half of what the import costs is paid only by bots that write Markdown.
    from rasa_whatsapp_channel.compose.markdown_parser import make_parser

    return make_parser()


def _convert(text: str) -> str:
    """Replace the lines of every block that WhatsApp would not format; keep all others."""
    lines = text.split("\n")
    converted: list[str] = []
    done = 0
    for token, start, end in _blocks(text):
        converted += [*lines[done:start], *_block(token, lines[start:end])]
        done = end
    return "\n".join([*converted, *lines[done:]])


def _blocks(text: str) -> Iterator[tuple[Token, int, int]]:
    """Yield the blocks of *text*: what opens it, its first line, and the line after it."""
    tokens: list[Token] = []
    parser = _parser()
    parser.block.parse(text, parser, {}, tokens)
    for number, token in enumerate(tokens):
        if token.map is not None and not token.level:
            if token.type == "heading_open":
                token.content = tokens[number + 1].content
            yield token, token.map[0], token.map[1]


def _block(token: Token, lines: Sequence[str]) -> Sequence[str]:
    match token.type:
        case "fence":
            return ["```", *lines[1:-1], "```"]
        case "heading_open":
            return [_inline(token.content, BOLD)] if token.content else lines
        case "table_open":
            header, _, *rows = lines
            return [_row(header, BOLD), *map(_row, rows)]
        case _:
            return [_item(item) for item in _ITEM.split("\n".join(lines))]


def _item(text: str) -> str:
    return _inline(text) if _has_markdown(text) else text


def _row(line: str, style: str | None = None) -> str:
    cells = [cell.strip().replace("\\|", "|") for cell in _CELLS.split(line.strip())]
    if len(cells) > 1 and not cells[0]:
        del cells[0]
    if len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return " | ".join(_inline(cell, style) for cell in cells).strip()


def _inline(text: str, style: str | None = None) -> str:
    tokens: list[Token] = []
    parser = _parser()
    parser.inline.parse(text, parser, {}, tokens)
    return write_runs(read_runs(tokens, style))
