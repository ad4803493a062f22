from __future__ import annotations

from rasa_whatsapp_channel.domain.slots import find_languages, original_path, translate

RESPONSE = {
    "text": "Book a table?",
    "translation": {"de": "Einen Tisch?"},
    "buttons": [
        {
            "title": "Yes",
            "payload": "/yes",
            "translation": {"de": {"title": "Ja"}, "fr": {"title": "Oui"}},
        },
        {"title": "No", "payload": "/no"},
    ],
}


def test_every_language_of_text_and_buttons_is_found() -> None:
    assert find_languages(RESPONSE) == ("de", "fr")
    assert find_languages({"text": "Hi", "buttons": "none", "translation": 5}) == ()


def test_a_translation_stands_in_for_text_and_titles() -> None:
    assert translate(RESPONSE, "de") == {
        "text": "Einen Tisch?",
        "buttons": [{"title": "Ja", "payload": "/yes"}, {"title": "No", "payload": "/no"}],
    }
    assert translate(RESPONSE, None) == {
        "text": "Book a table?",
        "buttons": [{"title": "Yes", "payload": "/yes"}, {"title": "No", "payload": "/no"}],
    }


def test_a_translated_part_is_found_where_it_was_written() -> None:
    assert original_path(("text",), RESPONSE, "de") == ("translation", "de")
    assert original_path(("text",), RESPONSE, "fr") == ("text",)
    written = ("buttons", 0, "translation", "fr", "title")
    assert original_path(("buttons", 0, "title"), RESPONSE, "fr") == written
    assert original_path(("buttons", 1, "title"), RESPONSE, "fr") == ("buttons", 1, "title")
    assert original_path(("buttons", 0, "title"), RESPONSE, None) == ("buttons", 0, "title")


def test_what_is_no_button_stays_as_it_is() -> None:
    assert translate({"buttons": ["Yes", 5]}, "de") == {"buttons": ["Yes", 5]}
