from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.preview import centre, clean, count_cells, pad, wrap


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("für", 3),
        ("fu\u0308r", 3),
        ("予約", 4),
        ("👋", 2),
        ("👨‍👩‍👧", 2),
        ("🇫🇷", 2),
        ("❤️", 2),
        ("1️⃣", 2),
        ("\u200b", 0),
        ("สวัสดี", 4),
    ],
)
def test_cells_are_counted_as_terminals_show_them(text: str, cells: int) -> None:
    assert count_cells(text) == cells


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("one\ntwo", ["one", "two"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("  - a", ["  - a"]),
        ("abcdefghijk", ["abcdefgh", "ijk"]),
        ("a bcdefghijkl", ["a", "bcdefghi", "jkl"]),
        ("予約予約予約", ["予約予約", "予約"]),
        ("👋👋👋👋👋", ["👋👋👋👋", "👋"]),
    ],
)
def test_lines_break_between_words(text: str, lines: list[str]) -> None:
    assert wrap(text, 8) == lines


@given(st.text(), st.integers(2, 40))
def test_no_line_is_too_wide_and_nothing_gets_lost(text: str, width: int) -> None:
    lines = wrap(text, width)

    assert all(count_cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())


def test_what_steers_a_terminal_is_taken_out() -> None:
    assert wrap("a\x1b[31mb\x07\tc", 20) == ["a[31mb    c"]


def test_texts_are_filled_up_to_a_width() -> None:
    assert pad("予約", 6) == "予約  "
    assert centre("予約", 7) == " 予約  "
    assert centre("too long", 3) == "too long"
