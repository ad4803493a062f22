"""``# whatsapp: ignore WA101, WA301`` at the end of a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_COMMENT: Final = re.compile(r"#\s*whatsapp:\s*ignore\s+(WA\d{3}(?:[\s,]+WA\d{3})*)")
_CODE: Final = re.compile(r"WA\d{3}")


def is_ignored(code: str, lines: Sequence[str], *numbers: int) -> bool:
    """Return whether one of the lines with *numbers*, from 1, says to ignore *code*."""
    return any(code in _ignored(lines[number - 1]) for number in numbers if number <= len(lines))


def _ignored(line: str) -> list[str]:
    found = _COMMENT.search(line)
    return _CODE.findall(found[1]) if found else []
