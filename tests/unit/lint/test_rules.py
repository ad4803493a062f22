"""docs/lint.md lists the linter's own codes, and those of composing by their page."""

from __future__ import annotations

import re
from pathlib import Path

from rasa_whatsapp_channel.compose.changes import RULES as CHANGES
from rasa_whatsapp_channel.lint.rules import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "lint.md").read_text(encoding="utf-8")


def test_the_page_lists_every_code_with_its_level_and_meaning() -> None:
    rows = re.findall(r"^\| (WA\d+) \| (\w+) \| (.*?) \|$", PAGE, re.MULTILINE)

    assert rows == [(code, rule.level.value, rule.meaning) for code, rule in RULES.items()]


def test_a_code_means_one_thing() -> None:
    assert not set(RULES) & set(CHANGES)
    assert list(RULES) == sorted(RULES)
