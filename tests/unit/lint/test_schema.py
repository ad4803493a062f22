from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.lint.schema import check_schema


def told(variation: dict[str, Any]) -> list[str]:
    return [f"{remark.code} {remark.text}" for remark in check_schema(variation)]


@pytest.mark.parametrize(
    "variation",
    [
        {"text": ""},
        {"text": "Hi", "image": None, "buttons": None, "quick_replies": [], "custom": {}},
        {"custom": {"type": "text"}},
        {"text": "Hi", "buttons": [{"title": "Yes", "payload": None, "url": 5}]},
        {"text": "Hi", "elements": [{"title": 5}], "metadata": 5, "condition": "x"},
        {"text": "Hi", "translation": {"de": "Hallo"}, "allow_interruptions": True},
        {"text": "Hi", "attachment": {}, "channel": "slack", "id": "1", "button_type": "reply"},
    ],
)
def test_what_rasa_takes_is_no_mistake(variation: dict[str, Any]) -> None:
    assert told(variation) == []


@pytest.mark.parametrize(
    ("variation", "hint"),
    [
        ({"document": "a.pdf"}, "write attachment: {type: document, link: …}"),
        ({"voice": "a.ogg"}, "write attachment: {type: audio, link: …}"),
        ({"location": {}}, "write custom: {type: location, location: …}"),
        ({"button": []}, "did you mean buttons?"),
        ({"zzz": 1}, "known here: "),
        ({5: 1}, "Rasa refuses the key 5"),
    ],
)
def test_a_key_rasa_does_not_know_comes_with_the_line_to_write(
    variation: dict[Any, Any], hint: str
) -> None:
    [said] = told({"text": "Hi", **variation})

    assert said.startswith("WA601")
    assert hint in said


@pytest.mark.parametrize(
    "variation",
    [{}, {"text": None}, {"image": "a.jpg"}, {"custom": {}}, {"buttons": []}, {"elements": []}],
)
def test_a_variation_without_text_and_custom_is_refused(variation: dict[str, Any]) -> None:
    assert [said[:5] for said in told(variation)] == ["WA602"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"text": 5}, 'text: it must be a string, not a number; put it in quotes: text: "5"'),
        ({"text": True}, 'not true or false; put it in quotes: text: "true"'),
        ({"image": ["a", "b"]}, "several go into custom: {messages: […]}"),
        ({"image": {"link": "a"}}, "image: it must be a string, not a map"),
        ({"attachment": "https://a.example/b"}, "write attachment: {link: …}"),
        ({"attachment": "media/b.pdf"}, "write attachment: {path: …}"),
        ({"attachment": ["b.pdf"]}, "attachment: it must be a map, not a list"),
        ({"custom": [{}]}, "write custom: {messages: […]}"),
        ({"custom": "hi"}, "custom: it must be a map, not a string"),
        ({"buttons": {"title": "a"}}, "buttons: it must be a list of maps, not a map"),
        ({"buttons": ["Yes"]}, "buttons[0]: it must be a map, not a string; write {title: Yes,"),
        ({"buttons": [{"title": 5}]}, "buttons[0].title: it must be a string, not a number"),
        ({"quick_replies": [{"payload": {}}]}, "quick_replies[0].payload: it must be a string"),
        ({"elements": {}}, "elements: it must be a list of maps, not a map"),
        ({"channel": ["slack"]}, "channel: it must be a string, not a list"),
        ({"translation": "Hallo"}, "translation: it must be a map, not a string"),
        (
            {"translation": {"de": 5}},
            "translation.de: it must be a string, not a number; put it in",
        ),
        (
            {"buttons": [{"title": "Yes", "translation": {"de": "Ja"}}]},
            "buttons[0].translation.de: it must be a map with title and payload, not a string",
        ),
        ({"allow_interruptions": "no"}, "allow_interruptions: it must be true or false"),
    ],
)
def test_a_value_of_another_kind_is_refused(part: dict[str, Any], said: str) -> None:
    [text] = told({"text": "Hi", **part})

    assert text.startswith("WA603")
    assert said in text
