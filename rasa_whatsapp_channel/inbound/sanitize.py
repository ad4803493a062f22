"""
Sanitize what people type, so that it cannot steer Rasa.

Rasa strips a message and runs it as an intent with entities (``/restart``, ``/greet{"name": "x"}``)
if it then begins with a slash, Rasa Pro also as slots (``/SetSlots(a=b)``), whoever wrote it. So
typed text never begins with a slash, unless the bot's author listed it as a command.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from itertools import takewhile
from typing import Final

# Rasa reads only the first. The others look alike, and normalising turns some into it.
_SLASHES: Final = frozenset("/\uff0f\u2044\u2215\u29f8")
# Characters that NFKC makes one of, at most.
_JOINED: Final = 4
# Shown as nothing, though Unicode does not count them as blanks: fillers, joiners, variations.
_FILLERS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0"
) | frozenset(map(chr, range(0xFE00, 0xFE10)))


def sanitize(text: str, commands: Collection[str] = ()) -> str:
    """
    Return *text* without the slashes it begins with, or the one of *commands* that it is.

    Returns an empty text when nothing is left that can be seen.
    """
    command = _find_command(text, commands)
    if command is not None:
        return command
    head = "".join(takewhile(_is_skipped, text))
    rest = text[len(head) :]
    return rest if not rest or _SLASHES & set(head) else text


def _find_command(text: str, commands: Collection[str]) -> str | None:
    folded = {_fold(command): command for command in reversed(list(commands))}
    typed = text.strip()
    if len(typed) > _JOINED * max(map(len, folded), default=0):
        return None  # to fold it may take seconds: marks above and below are sorted one by one
    return folded.get(_fold(typed))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _is_skipped(char: str) -> bool:
    return (
        char in _SLASHES
        or char in _FILLERS
        or char.isspace()
        or unicodedata.category(char) in ("Cc", "Cf")
    )
