from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose.text import cut, is_blank

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b\ufe0f", "\u2800", "\u3164"])
def test_what_shows_nothing_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "👍", "\u200bx"])
def test_what_shows_something_is_not(text):
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        (f"ab{FAMILY}", 8, "ab…"),
        (FAMILY, 5, "👨‍👩‍…"),  # one visible character longer than the limit has to be cut
    ],
)
def test_cutting_leaves_visible_characters_whole(text, limit, expected):
    assert cut(text, limit) == expected
