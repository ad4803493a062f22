from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.outbound.compose.text import cut, is_blank, split, split_for_tail

FAMILY = "👨‍👩‍👧‍👦"
LINK = "https://shop.example/" + "a" * 40


def test_a_text_becomes_a_text_message(bodies):
    assert bodies({"text": "Hello *you*"}) == [{"type": "text", "text": {"body": "Hello *you*"}}]


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
    ],
)
def test_a_text_is_split_at_the_best_place_there_is(text, limit, pieces):
    assert split(text, limit) == pieces


def test_a_long_text_becomes_several_messages_and_that_is_said(bodies, said):
    paragraphs = ["a" * 3000, "b" * 3000]
    response = {"text": "\n\n".join(paragraphs), "utter_action": "utter_long"}

    assert [body["text"]["body"] for body in bodies(response)] == paragraphs
    assert str(said(response)["WA101"]) == (
        "utter_long: the text has 6002 characters and became 2 messages; "
        "WhatsApp takes 4096 where it ends [WA101]"
    )


@pytest.mark.parametrize("text", ["   ", "\n\t", "\u200b\ufe0f", "\u2800", "\u3164"])
def test_a_text_that_shows_nothing_is_skipped_and_that_is_said(bodies, said, text):
    assert bodies({"text": text}) == []
    assert "WA102" in said({"text": text})


@pytest.mark.parametrize("text", [None, ""])
def test_an_absent_text_beside_something_else_is_nothing_to_speak_of(said, text):
    assert said({"text": text, "image": "media/a.png"}) == {}


def test_a_response_without_anything_is_said(bodies, said):
    assert bodies({"text": None, "buttons": None}) == []
    assert list(said({"text": None, "buttons": None})) == ["WA103"]


def test_a_number_is_shown_and_a_map_is_not_a_text(bodies, said):
    assert bodies({"text": 4.5}) == [{"type": "text", "text": {"body": "4.5"}}]
    assert bodies({"text": {"a": 1}}) == []
    assert said({"text": {"a": 1}})["WA104"].lost


def test_half_a_character_does_not_stop_the_text(bodies):
    assert bodies({"text": "ok \ud83d\ude00 \ud83d"}) == [
        {"type": "text", "text": {"body": "ok 😀 �"}}
    ]


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        (f"ab{FAMILY}", 8, "ab…"),
    ],
)
def test_cutting_leaves_visible_characters_whole(text, limit, expected):
    assert cut(text, limit) == expected


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


@given(TEXTS, st.integers(30, 60), st.integers(30, 60))
def test_splitting_keeps_every_word_and_the_limits(text, limit, tail_limit):
    pieces = split_for_tail(text, limit, tail_limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert not pieces or len(pieces[-1]) <= tail_limit
    assert visible("".join(pieces)) == visible(text)


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
