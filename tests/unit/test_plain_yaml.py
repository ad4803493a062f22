"""YAML is read and written the same in a process that has loaded Rasa."""

from __future__ import annotations

import importlib
from io import StringIO

import pytest

from rasa_whatsapp_channel.plain_yaml import plain_yaml


@pytest.fixture(autouse=True)
def rasa_is_loaded():
    for name in ("rasa.shared.utils.yaml", "rasa.shared.utils.io"):  # Rasa Pro, Rasa 3.6
        try:
            importlib.import_module(name)
            return
        except ModuleNotFoundError:
            continue
    raise AssertionError("neither Rasa is here")


def test_a_variable_stays_as_it_is():
    assert plain_yaml("safe").load("token: ${NOT_SET}") == {"token": "${NOT_SET}"}


def test_types_of_yaml_are_read_all_the_same():
    read = plain_yaml("safe").load("[1, 1.5, true, null, yes, 2026-01-01, text]")

    assert [type(each).__name__ for each in read] == [
        *("int", "float", "bool", "NoneType", "str", "date", "str")
    ]


@pytest.mark.parametrize("typ", ["rt", "safe"])
def test_a_variable_is_written_without_quotes(typ):
    yaml, text = plain_yaml(typ), StringIO()
    yaml.default_flow_style = False

    yaml.dump({"token": "${NOT_SET}", "number": "1"}, text)

    assert set(text.getvalue().split("\n")) == {"token: ${NOT_SET}", "number: '1'", ""}
