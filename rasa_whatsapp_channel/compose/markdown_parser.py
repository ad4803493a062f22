"""Markdown parser: markdown-it, limited to the syntax that is converted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, fence
from markdown_it.rules_inline import StateInline, autolink, backtick, image, link

InlineRule = Callable[[StateInline, bool], bool]

_BLOCKS: Final = ("heading", "table")
_INLINE: Final = ("escape", "backticks", "strikethrough", "emphasis", "link", "image", "autolink")
_ADDRESS: Final = re.compile(r"://[^\s<>\[\]`]*[^\s<>\[\]`*_~).,:;!?'\"]")
_OPENING: Final = re.compile(r"(```+|~~~+)[ \t]*[^\s`]*[ \t]*$")  # and the language, if any
_CLOSING: Final = re.compile(r"[ \t]*(```+|~~~+)[ \t]*$", re.MULTILINE)


class _Parser(MarkdownIt):
    """Leaves addresses as they were written."""

    def normalizeLink(self, url: str) -> str:
        return url

    def validateLink(self, url: str) -> bool:
        return bool(url)


def make_parser() -> MarkdownIt:
    """
    Return a parser for what WhatsApp does not format by itself.

    Lists and quotes are not looked for, so that they stay lines of text; neither is what means
    something else in a chat: text that is set off, a line of dashes, HTML.
    """
    parser = _Parser("zero").enable([*_BLOCKS, *_INLINE])
    parser.block.ruler.before(
        "heading", "closed_fence", _closed_fence, {"alt": ["paragraph", "blockquote"]}
    )
    parser.inline.ruler.before("escape", "address", _address)
    for name, rule in (
        ("backticks", backtick),
        ("link", link),
        ("image", image),
        ("autolink", autolink),
    ):
        parser.inline.ruler.at(name, _keeping_source(rule))
    return parser


def _closed_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """
    Find code between lines of three backticks.

    WhatsApp's own ```code``` begins and ends within a line, and is left alone.
    """
    opening = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    found = state.src.find(opening[:3], state.eMarks[start]) if _OPENING.match(opening) else -1
    if found < 0 or not _CLOSING.match(state.src, state.src.rfind("\n", 0, found) + 1):
        return False
    if silent or not fence(state, start, end, silent):
        return silent
    content = state.tokens[-1].content
    if content.strip() and "```" not in content and opening[:3] not in content:
        return True
    state.tokens.pop()
    state.line = start
    return False


def _address(state: StateInline, silent: bool) -> bool:
    """Keep addresses as they are, whatever stars and underscores they hold."""
    if not state.src[max(0, state.pos - 5) : state.pos].lower().endswith(("http", "https")):
        return False
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found[0]
    state.pos = found.end()
    return True


def _keeping_source(rule: InlineRule) -> InlineRule:
    """Let *rule* write what it read into its token, for when it has to stay as it is."""

    def kept(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        for token in state.tokens[count:]:
            if token.type in ("code_inline", "link_open", "image"):
                token.meta |= {"source": state.src[start : state.pos], "start": start}
                break
        return True

    return kept
