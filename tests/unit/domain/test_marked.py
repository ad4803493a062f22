from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rasa_whatsapp_channel.domain.marked import DomainError, parse

DOCUMENT = """\
version: "3.1"
responses:
  utter_greet:
  - text: >
      Welcome
      back
    buttons:
    - {title: "Yes", payload: "/affirm"}
    - title: "No"
      payload: "/deny"
  utter_bye: &bye
  - text: "Bye"
  utter_leave: *bye
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("version",), 1),
        (("responses", "utter_greet"), 3),
        (("responses", "utter_greet", 0), 4),
        (("responses", "utter_greet", 0, "text"), 4),
        (("responses", "utter_greet", 0, "buttons", 0, "payload"), 8),
        (("responses", "utter_greet", 0, "buttons", 1, "payload"), 10),
        (("responses", "utter_greet", 0, "image"), 4),
        (("responses", "utter_greet", 7), 3),
        (("responses", "utter_leave", 0, "text"), 12),
    ],
)
def test_every_part_knows_its_line(path: tuple[Any, ...], line: int) -> None:
    assert parse(DOCUMENT, "domain.yml").line_of(path) == line


def test_parts_carry_their_values_and_lines() -> None:
    parts = dict(parse(DOCUMENT, "domain.yml").items())
    responses = dict(parts["responses"].items())

    assert [(name, part.line) for name, part in responses.items()] == [
        ("utter_greet", 3),
        ("utter_bye", 11),
        ("utter_leave", 13),
    ]
    assert responses["utter_greet"].value[0]["text"] == "Welcome back\n"
    assert list(parts["version"].items()) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("5", 5),
        ("0123", 123),
        ("1_000", 1000),
        ("0x1f", 31),
        ("0o17", 15),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("2024-01-02", date(2024, 1, 2)),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!int five", "five"),
        ("!other x", "x"),
    ],
)
def test_values_are_read_as_rasa_reads_them(written: str, read: Any) -> None:
    assert parse(f"value: {written}", "domain.yml").value == {"value": read}


def test_an_emoji_may_be_written_as_json_does() -> None:
    assert parse('a: "\\ud83d\\ude00"', "domain.yml").value == {"a": "😀"}
    with pytest.raises(DomainError, match="has half a character"):
        parse('a: "\\ud83d"', "domain.yml")


def test_maps_can_be_merged_into_others() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 5\n"

    document = parse(text, "domain.yml")

    assert document.value["c"] == {"y": 2, "z": 4, "x": 5}
    assert document.line_of(("c", "z")) == 2
    assert document.line_of(("c", "x")) == 5


@pytest.mark.parametrize(
    ("written", "plain"),
    [("a b", True), ("5", True), ('"a"', False), ("'a'", False), (">\n  a", False), ("[a]", False)],
)
def test_a_text_knows_whether_it_stands_in_quotes(written: str, plain: bool) -> None:
    document = parse(f"a: [{{b: x}}]\nc: {written}\n", "domain.yml")

    assert document.is_plain(("c",)) is plain
    assert document.is_plain(("a", 0, "b"))
    assert not document.is_plain(("a", 0, "z"))


def test_a_key_that_stands_twice_is_kept_once_and_told() -> None:
    document = parse("a: 1\nb: 2\na: 3\n", "domain.yml")

    assert document.value == {"a": 3, "b": 2}
    assert document.repeated == (("a", 3),)
    assert document.line_of(("a",)) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "domain.yml:"),
        ("a: 1\nb: c: d", "domain.yml:2: is not YAML: mapping values are not allowed"),
        ("a: *b", "domain.yml:1: is not YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", "is not YAML"),
        ("a: \x00", "domain.yml: is not YAML"),
        ("a: &a [*a]", "domain.yml:1: holds itself"),
        ("a: &a {<<: *a}", "domain.yml:1: holds itself"),
        ("? [a, b]\n: 1", "domain.yml:1: a key must be a text"),
        ("[" * 1500, "domain.yml"),
    ],
)
def test_what_is_no_yaml_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(DomainError) as caught:
        parse(text, "domain.yml")

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_has_no_parts(text: str) -> None:
    document = parse(text, "domain.yml")

    assert document.value is None
    assert list(document.items()) == []
