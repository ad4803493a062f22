"""
Markdown → WhatsApp's formatting, where the Markdown has one meaning only.

    **bold**, ***both***, ~~gone~~    *bold*, *_both_*, ~gone~
    # Heading                         *Heading*
    [text](https://…), <https://…>    text (https://…), https://…
    ```lang … ```, ~~~, ``code``      ``` … ```
    | a | b |                         *a* | *b*, and a line for each row
    \\*                                a star that stays a star

What WhatsApp formats by itself stays as it was written: *bold*, _italic_, ~gone~, `code`, lists and
quotes; so do `__init__`, snake_case, 2*3*4, 2**3**4 and addresses. Doing it twice changes nothing.
https://faq.whatsapp.com/539178204879377
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rasa_whatsapp_channel.compose.runs import BOLD, read_runs, write_runs
from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Most texts hold nothing of this, and need no parser, which takes a hundred times as long.
_FIRST_LOOK: Final = re.compile(r"\*\*|~~|``|\]\(|\\|#[ \t]|\||<")
_MARKERS: Final = re.compile(
    r"\*\*|~~|``|\]\(|\\[*~`_\n]|^ {0,3}#{1,6}[ \t]|-[ \t]*\||\|[ \t]*:?-|<[\w.+-]+[:@]",
    re.MULTILINE,
)
# Lines that WhatsApp shows as items of a list or as quotes: nothing is formatted across them.
_ITEM: Final = re.compile(r"\n(?=[ \t]*(?:[-*+>•]|\d+[.)])[ \t])")
_CELLS: Final = re.compile(r"(?<!\\)\|")


# Where the parser has to stop and look, which takes it a hundred times as long as a letter: for
# 3,000 of them up to 150 ms, in which nobody else is served. A text of 30,000 characters that a
# person or a model wrote has fewer.
MARKS: Final = 3000
_STOPS: Final = "\n!#$%&*+-:<=>@[\\]^_`{|}~"


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
    from rasa_whatsapp_channel.compose.markdown_rules import make_parser

    return make_parser()


def _convert(text: str) -> str:
    """Replace the lines of every block that WhatsApp would not format; keep all others."""
    lines = text.split("\n")
    tokens: list[Token] = []
    parser = _parser()
    parser.block.parse(text, parser, {}, tokens)
    converted: list[str] = []
    done = 0
    for number, token in enumerate(tokens):
        if token.map is None or token.level:
            continue
        start, end = token.map
        converted += lines[done:start]
        content = tokens[number + 1].content if token.type == "heading_open" else ""
        converted += _block(token.type, lines[start:end], content)
        done = end
    return "\n".join([*converted, *lines[done:]])


def _block(kind: str, lines: Sequence[str], content: str) -> Sequence[str]:
    match kind:
        case "fence":
            return ["```", *lines[1:-1], "```"]
        case "heading_open":
            return [_inline(content, BOLD)] if content else lines
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
