"""Variables of the environment, as Rasa 3.6 and Rasa Pro replace them in credentials.yml."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.domain.slots import Unset, count_variables, fill_variables

ENVIRON = {"NUM": "0123", "WORD": "hello", "EMPTY": ""}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${NUM}", "0123"),  # always a text
        ('"${NUM}"', "${NUM}"),
        ("'${NUM}'", "${NUM}"),
        ("|\n    ${NUM}", "${NUM}\n"),
        ("https://${WORD}.example/${NUM}", "https://hello.example/0123"),
        ("$NUM", "$NUM"),
        ("0123", 123),
        ("[1, two]", [1, "two"]),
        ("{store: a, max: 3}", {"store": "a", "max": 3}),
        ("", None),
    ],
)
def test_a_variable_is_replaced_where_no_quotes_are_around_it(written, value):
    assert fill_variables(parse(f"key: {written}\n", "x"), ENVIRON) == ({"key": value}, [])


@pytest.mark.parametrize("name", ["NOWHERE", "EMPTY", "NUM:-5"])
def test_what_is_not_set_or_empty_or_has_a_default_is_told_with_its_key(name):
    text = f"${{{name}}}"

    _, unset = fill_variables(parse(f"media:\n  store: {text}\n", "x"), ENVIRON)

    assert unset == [Unset("media.store", name, text)]


def test_they_are_counted_in_maps_and_lists():
    document = parse("a: ${NUM}\nb:\n- ${WORD}-${NUM}\n- '${NUM}'\nc: 1\n", "x")

    assert count_variables(document) == 3
