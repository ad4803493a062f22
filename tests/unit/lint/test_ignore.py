from __future__ import annotations

from collections.abc import Callable

import pytest

from rasa_whatsapp_channel.lint.check import is_ignored
from rasa_whatsapp_channel.lint.rules import Finding

FOUR = """
intents:{intents}
responses:
  utter_four:{name}
  - text: "Which?"{text}
    buttons:{buttons}
    - {{title: "One", payload: "/1"}}
    - {{title: "Two", payload: "/2"}}
    - {{title: "Three", payload: "/3"}}
    - {{title: "Four", payload: "/4"}}
"""
COMMENT = "  # whatsapp: ignore WA301"


def four(**comments: str) -> str:
    return FOUR.format(**{"intents": "", "name": "", "text": "", "buttons": "", **comments})


def test_a_comment_in_the_line_or_at_the_response_ignores_a_code(
    lint: Callable[..., list[Finding]],
) -> None:
    assert [finding.code for finding in lint(four())] == ["WA619", "WA301"]
    assert [finding.code for finding in lint(four(buttons=COMMENT))] == ["WA619"]
    assert [finding.code for finding in lint(four(name=COMMENT))] == ["WA619"]
    assert [finding.code for finding in lint(four(text=COMMENT))] == ["WA619", "WA301"]
    assert lint(four(name=COMMENT, intents="  # whatsapp: ignore WA619")) == []


@pytest.mark.parametrize(
    ("line", "ignored"),
    [
        ("a: b # whatsapp: ignore WA101", True),
        ("a: b #whatsapp:ignore WA101", True),
        ("a: b # meant  # whatsapp: ignore WA301, WA101", True),
        ("a: b # whatsapp: ignore WA301 WA101 (both are meant)", True),
        ("a: b # whatsapp: ignore WA301", False),
        ("a: b # whatsapp: ignore", False),
        ("a: b # ignore WA101", False),
        ("a: b", False),
    ],
)
def test_a_comment_names_its_codes(line: str, ignored: bool) -> None:
    assert is_ignored("WA101", ["first", line], 2) is ignored
    assert not is_ignored("WA101", [line], 2)
