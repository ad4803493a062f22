"""A text of YAML with more in it: every other letter stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rasa_whatsapp_channel.domain.marked import Document


def append(text: str, addition: str) -> str:
    """Put *addition* behind *text*, with an empty line between."""
    if not text.strip():
        return text + addition
    return f"{text.rstrip()}\n\n{addition}"


def add_names(text: str, document: Document, key: str, names: Iterable[str]) -> str | None:
    """
    Put *names* behind the list at the top-level *key*, which is made where there is none.

    Returns None where the list is written in a way that nothing can be put behind: in brackets.
    """
    names = list(names)
    value = (document.value or {}).get(key)
    if key not in (document.value or {}):
        return append(text, "\n".join([f"{key}:", *(f"- {name}" for name in names)]) + "\n")
    lines = text.split("\n")
    start = document.line_of((key,))
    if value is None:
        return _put(lines, start, [f"- {name}" for name in names])
    if not isinstance(value, list) or not value:
        return None
    first = document.line_of((key, 0))
    dash = re.match(r"(\s*)-", lines[first - 1])
    if first == start or dash is None:
        return None
    end = _end_of_list(lines, document.line_of((key, len(value) - 1)), len(dash[1]))
    return _put(lines, end, [f"{dash[1]}- {name}" for name in names])


def _end_of_list(lines: list[str], last: int, indent: int) -> int:
    """Return the number of the line behind which the list is over; its last item is at *last*."""
    end = last
    while end < len(lines):
        line = lines[end]
        inside = len(line) - len(line.lstrip()) > indent
        if not line.strip() or not inside:
            break
        end += 1
    return end


def _put(lines: list[str], behind: int, new: list[str]) -> str:
    return "\n".join([*lines[:behind], *new, *lines[behind:]])
