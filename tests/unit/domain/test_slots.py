from __future__ import annotations

import pytest

from rasa_whatsapp_channel.domain.slots import (
    Braces,
    BracesError,
    fill,
    fill_text,
    find_names,
    read_braces,
)

# What Rasa 3.6 made of these texts, with name = Ada.
FILLED = [
    ("Hello {name}", "Hello Ada"),
    ("{name}{name}", "AdaAda"),
    ("${name}", "$Ada"),
    ('/ask{{"room": "terrace"}}', '/ask{"room": "terrace"}'),
    ('/ask{{"who": "{name}"}}', '/ask{"who": "Ada"}'),
    ("{{name}}", "{name}"),
    # it logs an error and leaves the whole text as it stands
    ("Hello {nme}, {name}", "Hello {nme}, {name}"),
    ('/ask{"room": "terrace"}', '/ask{"room": "terrace"}'),
    ('/ask{"who": "{name}"}', '/ask{"who": "{name}"}'),
    ("{{braces}} and {name}", "{{braces}} and {name}"),
    ("{name.first} {name}", "{name.first} {name}"),
]


@pytest.mark.parametrize(("written", "sent"), FILLED)
def test_slots_are_filled_in_as_rasa_does(written: str, sent: str) -> None:
    assert fill_text(written, {"name": "Ada"}) == sent


@pytest.mark.parametrize("text", ["Bye :-}", "a { b", "{name", "name}", "{a{b}"])
def test_a_lone_brace_stops_the_response(text: str) -> None:
    with pytest.raises(BracesError):
        fill_text(text, {"name": "Ada", "b": "x"})
    with pytest.raises(BracesError):
        read_braces(text)


@pytest.mark.parametrize(
    ("text", "braces"),
    [
        ("Hello", Braces()),
        ("{a} {b}", Braces(names=("a", "b"))),
        ('/ask{{"room": "terrace"}}', Braces()),
        ('/ask{"room": "terrace"}', Braces(odd=('"room": "terrace"',))),
        ("{}", Braces(odd=("",))),
        ("{a b}", Braces(names=("a b",))),
    ],
)
def test_braces_are_read_as_rasa_reads_them(text: str, braces: Braces) -> None:
    assert read_braces(text) == braces


def test_only_some_parts_of_a_response_are_filled() -> None:
    part = {"deep": ["{name}", 5, None]}
    response = {
        "text": "{name}",
        "image": "{name}",
        "custom": part,
        "buttons": [part],
        "attachment": part,
        "quick_replies": [part],
        "elements": [part],
        "metadata": part,
    }

    filled = fill(response, {"name": "Ada"})

    assert filled["text"] == filled["image"] == "Ada"
    assert filled["custom"] == {"deep": ["Ada", 5, None]}
    assert filled["buttons"] == filled["quick_replies"] == [filled["custom"]]
    assert (filled["elements"], filled["metadata"]) == ([part], part)
    assert response["text"] == "{name}"


def test_a_jinja_template_has_doubled_braces() -> None:
    response = {
        "text": "Hi {{ name }}{% if x %}, {{x}}{% endif %}",
        "metadata": {"template": "jinja"},
    }

    assert find_names(response) == ("name", "x")
    assert fill(response, {"name": "Ada"})["text"] == "Hi Ada{% if x %}, {{x}}{% endif %}"


def test_names_come_in_order_and_once() -> None:
    response = {
        "text": "{b} {a} {b}",
        "elements": [{"title": "{c}"}],
        "image": "{d}",
        "custom": "}",
    }

    assert find_names(response) == ("b", "a", "d")
