from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.lint.slots import check_braces

SLOTS = {"name", "shop"}


def told(variation: dict[str, Any], slots: set[str] | None = SLOTS) -> list[str]:
    return [f"{remark.code} {remark.text}" for remark in check_braces(variation, slots)]


@pytest.mark.parametrize(
    "variation",
    [
        {"text": "Hi {name}, {requested_slot}"},
        {"text": "Hi", "buttons": [{"title": "{shop}", "payload": '/a{{"b": "{name}"}}'}]},
        {"text": "{{nme}}", "metadata": {"template": "jinja"}},
        {"text": "Hi", "metadata": {"rephrase_prompt": "{{history}} {name}", "note": "{any}"}},
        {"text": "Hi", "elements": [{"buttons": [{"payload": '/a{"b": 1}'}]}]},
        {"text": "Hi", "elements": [{"title": "a } b"}]},
        {"text": "Hi", "condition": "slots.{x}"},
    ],
)
def test_slots_where_rasa_fills_them_in_are_fine(variation: dict[str, Any]) -> None:
    assert told(variation) == []


@pytest.mark.parametrize(
    ("variation", "code", "said"),
    [
        ({"text": "{nme}"}, "WA611", "did you mean {name}?"),
        ({"text": "{zzzzz}"}, "WA611", "known here: name, shop"),
        ({"text": "${name}"}, "WA608", "without it write {name}"),
        ({"text": "${HOST}"}, "WA609", "the person sees ${HOST}"),
        ({"text": "a } b"}, "WA612", "Single '}' encountered"),
        ({"text": "all: {}"}, "WA612", "{} stands for all slots at once"),
        ({"text": '/a{"b": "c"}'}, "WA613", 'Rasa takes {"b": "c"} for a slot'),
        ({"text": '/a{"b": "{name}"}'}, "WA613", "fills nothing into text"),
        ({"text": "{{a}} {name}"}, "WA614", "beside {name}"),
        ({"text": "", "elements": [{"title": "{any}"}]}, "WA604", "elements[0].title: {any}"),
        ({"text": "", "elements": [{"payload": "/a{{1}}"}]}, "WA604", "{{"),
        ({"text": "", "metadata": {"whatsapp": {"footer": "{any}"}}}, "WA604", "whatsapp.footer"),
        ({"text": "", "metadata": {"tag": "{name}"}}, "WA604", "metadata.tag"),
    ],
)
def test_other_braces_are_told(variation: dict[str, Any], code: str, said: str) -> None:
    [text] = told(variation)

    assert text.startswith(code)
    assert said in text


def test_a_variable_outside_of_quotes_is_told_once() -> None:
    variation = {"text": "${name} {nme}", "elements": [{"title": "${name}"}], "image": "a"}

    remarks = list(check_braces(variation, SLOTS, is_plain=lambda path: True))

    assert [(remark.code, remark.path) for remark in remarks] == [
        ("WA610", ("text",)),
        ("WA610", ("elements", 0, "title")),
    ]


def test_nothing_is_said_about_slots_that_may_be_anywhere() -> None:
    assert told({"text": "{name}"}, None) == []
    assert [said[:5] for said in told({"text": "${name}"}, None)] == ["WA609"]
    [said] = told({"text": "{name}"}, set())
    assert "it has none" in said
