from __future__ import annotations

import pytest


def test_a_text_becomes_a_text_message(bodies):
    assert bodies({"text": "Hello *you*"}) == [{"type": "text", "text": {"body": "Hello *you*"}}]


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
