"""What a custom action passes to `utter_message(…)` beside Rasa's own keys."""

from __future__ import annotations

import pytest

LINK = "https://a.example/"


@pytest.mark.parametrize(
    ("key", "value", "body"),
    [
        (
            "document",
            "media/guide.pdf",
            {"type": "document", "document": {"path": "media/guide.pdf", "filename": "guide.pdf"}},
        ),
        ("video", f"{LINK}a.mp4", {"type": "video", "video": {"link": f"{LINK}a.mp4"}}),
        ("audio", f"{LINK}a.mp3", {"type": "audio", "audio": {"link": f"{LINK}a.mp3"}}),
        (
            "voice",
            "media/a.ogg",
            {"type": "audio", "audio": {"path": "media/a.ogg", "voice": True}},
        ),
        ("sticker", {"id": "42"}, {"type": "sticker", "sticker": {"id": "42"}}),
        (
            "document",
            {"id": "42", "filename": "a.pdf"},
            {"type": "document", "document": {"id": "42", "filename": "a.pdf"}},
        ),
        ("document", "media/notes", {"type": "document", "document": {"path": "media/notes"}}),
    ],
)
def test_a_key_named_like_a_type_is_that_file(bodies, said, key, value, body):
    response = {"text": "Here", key: value}

    sent = bodies(response)
    assert sent[-1] == body or sent == [
        {**body, key: {**body.get(key, {}), "caption": "Here"}},
    ]
    assert "WA113" not in said(response)


def test_a_document_has_the_text_beside_it_as_its_caption(bodies):
    assert bodies({"text": "Invoice", "document": "media/guide.pdf"}) == [
        {
            "type": "document",
            "document": {
                "path": "media/guide.pdf",
                "filename": "guide.pdf",
                "caption": "Invoice",
            },
        }
    ]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("img", "did you mean image?"),
        ("button", "did you mean buttons?"),
        ("documnet", "did you mean document?"),
        ("wholly_other", "known here: text"),
        ("x" * 1000, "known here"),
        ("ключ", "known here"),
        ("a\nb", "known here"),
    ],
)
def test_a_key_that_means_nothing_is_told(bodies, said, key, hint):
    response = {"text": "Here", key: "media/guide.pdf"}

    assert bodies(response) == [{"type": "text", "text": {"body": "Here"}}]
    change = said(response)["WA113"]
    assert change.lost
    assert hint in change.text
    assert len(change.text) < 500
    assert "\n" not in change.text


@pytest.mark.parametrize(
    "response",
    [
        {"text": "a", "utter_source": "action_order", "timestamp": 1.5, "domain_ground_truth": []},
        {"text": "a", "template": None, "response": None, "elements": [], "custom": {}},
        {"text": "a", "id": "1", "condition": [], "channel": "whatsapp", "metadata": {"x": 1}},
        {"text": "a", "model_id": "m", "assistant_id": "b", "allow_interruptions": True},
        {"text": "a", "llm_response_metadata": {"x": 1}, "utter_source": "SomePolicy", "odd": 1},
    ],
)
def test_what_rasa_adds_is_no_key_of_an_author(said, response):
    assert said(response) == {}


def test_what_fills_the_braces_of_a_response_is_no_key_and_no_file(bodies, said):
    """`utter_message(response="utter_ask", document="passport", name="Ana")`."""
    response = {
        "text": "Ana, your passport?",
        "utter_action": "utter_ask",
        "document": "passport",
        "video": 5,
        "name": "Ana",
    }

    assert bodies(response) == [{"type": "text", "text": {"body": "Ana, your passport?"}}]
    assert said(response) == {}


def test_a_file_beside_the_name_of_a_response_is_sent(bodies):
    response = {"text": "Here", "utter_action": "utter_here", "document": "media/guide.pdf"}

    assert bodies(response)[0]["type"] == "document"
