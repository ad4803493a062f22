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

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rasa_whatsapp_channel.compose.markdown_runs import BOLD, read_runs, write_runs
from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

PICTURE: Final = "!["  # begins one
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
