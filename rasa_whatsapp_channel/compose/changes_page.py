"""
Page of changes: writes docs/changes.md from the table of codes.

    python -m rasa_whatsapp_channel.compose.changes_page > docs/changes.md
"""

from __future__ import annotations

import re
import sys
from typing import Final

from rasa_whatsapp_channel.compose.changes import RULES

_INTRODUCTION: Final = """\
# Changes

What does not fit WhatsApp is changed to fit.
Every such change has a code, and is said with the name of the response:
as a line of the log (`whatsapp.changed`), in the counter `whatsapp_changes_total`,
and by `rasa-whatsapp lint`.

*Lost* means that a part of the response does not reach the user;
the log says it as an error, all others as a warning.
What happens on the way (WA8) is no fault of the response: the linter cannot know it, and the log
says all of it as a warning.
"""
_PARTS: Final = {
    **{"1": "Text", "2": "Media", "3": "Buttons", "4": "Elements", "5": "Custom"},
    "8": "On the way",
}


def page() -> str:
    """Return the page: a table for each part of a response."""
    return "\n".join([_INTRODUCTION, *(_section(digit, _PARTS[digit]) for digit in _PARTS)])


def _section(digit: str, title: str) -> str:
    rows = [
        f"| {code} | {rule.meaning} | {'lost' if rule.lost else ''} | {_words(rule.says)} |"
        for code, rule in RULES.items()
        if code[2] == digit
    ]
    return "\n".join([f"## {title}\n", "| code | what | | says |", "|---|---|---|---|", *rows, ""])


def _words(template: str) -> str:
    """Show what is filled in as words of another kind."""
    return re.sub(r"\{(\w+)(!r)?\}", r"*\1*", template)


if __name__ == "__main__":
    sys.stdout.write(page())
