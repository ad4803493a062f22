from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.compose.split import split, split_for_tail
from rasa_whatsapp_channel.compose.text import is_blank

FAMILY = "👨‍👩‍👧‍👦"
LINK = "https://shop.example/" + "a" * 40


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("short", 10, ["short"]),
        ("One one.\n\nTwo two. Three.", 16, ["One one.", "Two two. Three."]),
        ("One one one\ntwo two. Three", 22, ["One one one", "two two. Three"]),
        ("One one. Two two three", 16, ["One one.", "Two two three"]),
        ('He said "stop!" and she went', 20, ['He said "stop!"', "and she went"]),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("一二三四。五六七八", 6, ["一二三四。", "五六七八"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        (f"see {LINK} now", 50, ["see", LINK[:50], f"{LINK[50:]} now"]),
        (f"see {LINK} now", 62, ["see", LINK, "now"]),
        (f"看{LINK}", 61, ["看", LINK]),
        (f"{'看' * 57}{LINK}", 61, ["看" * 57, LINK]),
        (FAMILY * 2, 11, [FAMILY, FAMILY]),
        ("e\u0301" * 3, 3, ["e\u0301", "e\u0301", "e\u0301"]),
        ("🇩🇪" * 3, 5, ["🇩🇪🇩🇪", "🇩🇪"]),
        ("One one.   \n\n Two two.", 12, ["One one.", "Two two."]),
        ("one \u0301two three", 9, ["one \u0301two", "three"]),
    ],
)
def test_a_text_is_split_at_the_best_place_there_is(text, limit, pieces):
    assert split(text, limit) == pieces


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("see *these four bold words* now", 26, ["see", "*these four bold words*", "now"]),
        ("see `some code here` now", 18, ["see", "`some code here`", "now"]),
        ("2 * 3 * 4 = 24", 9, ["2 * 3 * 4", "= 24"]),
        # longer than a message: closed, and opened again
        ("*these four bold words* now", 16, ["*these four*", "*bold words* now"]),
        ("~gone words~ here", 8, ["~gone~", "~words~", "here"]),
        ("*_two things at_ once*", 14, ["*_two things_*", "*_at_ once*"]),
        ("```a = 1\nb = 2```", 12, ["```a = 1```", "```b = 2```"]),
        ("*" + "x" * 12 + "*", 10, ["*xxxxxxxx*", "*xxxx*"]),
    ],
)
def test_what_whatsapp_formats_stays_whole_or_is_closed_and_opened_again(text, limit, pieces):
    assert split(text, limit) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two three four five", ["one two three", "four five"]),
        ("see *these bold words*", ["see *these*", "*bold words*"]),
        ("*" + "x" * 20 + "*", ["*xxxxxxxx*", "*xxxxxxxxxxxx*"]),
        ("x" * 20, ["xxxxxx", "xxxxxxxxxxxxxx"]),
        ("a *these bold words* b", ["a *these bold words*", "b"]),
        ("hi\n" + "\u0301" * 20, ["hi\n" + "\u0301" * 6, "\u0301" * 14]),
    ],
)
def test_the_last_piece_may_have_a_limit_of_its_own(text, pieces):
    assert split_for_tail(text, 30, 14) == pieces


# Words, marks, emoji and addresses, with every kind of space between them.
TEXTS = st.lists(
    st.sampled_from(
        [
            *(
                "word",
                "Word.",
                '"x!"',
                "e\u0301",
                FAMILY,
                "🇩🇪",
                "一二。",
                "https://a.example/p?x=1",
            ),
            *(" ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u200b", "\x1c", "\u0301"),
        ]
    ),
    max_size=60,
).map("".join)
FORMATTED = st.lists(
    st.sampled_from(["*", "_", "~", "`", "```", "word", "two words", "x" * 20, " ", "\n", "👍"]),
    max_size=40,
).map("".join)


@given(TEXTS, st.integers(30, 60), st.integers(30, 60))
def test_splitting_keeps_every_word_and_the_limits(text, limit, tail_limit):
    pieces = split_for_tail(text, limit, tail_limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert not pieces or len(pieces[-1]) <= tail_limit
    assert visible("".join(pieces)) == visible(text)


@given(FORMATTED, st.integers(30, 60), st.integers(30, 60))
def test_splitting_adds_marks_at_most(text, limit, tail_limit):
    pieces = split_for_tail(text, limit, tail_limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert not pieces or len(pieces[-1]) <= tail_limit
    assert without_marks("".join(pieces)) == without_marks(text)


@given(TEXTS, st.integers(30, 60))
def test_splitting_never_goes_through_an_address_or_a_visible_character(text, limit):
    pieces = split(text, limit)
    graphemes = [grapheme for piece in pieces for grapheme in regex.findall(r"\X", piece)]
    links = [link.strip() for link in regex.findall(r"https?://\S+", text) if len(link) <= limit]

    assert visible_all(graphemes) == visible_all(regex.findall(r"\X", text))
    assert all(any(link in piece for piece in pieces) for link in links)


def visible(text):
    return "".join(character for character in text if not is_blank(character))


def visible_all(graphemes):
    return [grapheme.strip() for grapheme in graphemes if not is_blank(grapheme)]


def without_marks(text):
    return re.sub(r"[*_~`\s]", "", text)
