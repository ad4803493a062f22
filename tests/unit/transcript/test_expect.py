"""What a message shall be, and in what another one differs."""

from __future__ import annotations

import re

import pytest

from rasa_whatsapp_channel.transcript.expect import align, differences, matches


@pytest.mark.parametrize(
    ("expected", "got", "fits"),
    [
        ("Hello", "Hello", True),
        ("Hello", "Hello ", False),
        ("~/Hello .*/", "Hello\nAda", False),
        ("~/Hello.*/", "Hello\nAda", True),
        ("~/Hello/", "Hello Ada", False),
        (re.compile("Hel+o"), "Hello", True),
        (re.compile("Hel"), "Hello", False),
        (True, "anything", True),
        (..., "anything", True),
        (True, None, False),
        (["Yes", "~/N./"], ["Yes", "No"], True),
        (["Yes"], ["Yes", "No"], False),
        (["Yes"], "Yes", False),
        ({"name": "Paris"}, {"name": "Paris", "latitude": 1.0}, True),
        ({"name": "Paris"}, {"latitude": 1.0}, False),
        ({"latitude": 1}, {"latitude": 1.0}, True),
        ("~/x/", 5, False),
    ],
)
def test_a_value_fits_or_not(expected, got, fits):
    assert matches(expected, got) is fits


def named(expected, got):
    return [difference.name for difference in differences(expected, got)]


def test_only_what_is_named_counts_beside_the_kind():
    picture = {"image": "lake.jpg", "text": "The lake"}

    assert named({"image": "lake.jpg"}, picture) == []
    assert named({"image": True, "text": "The sea"}, picture) == ["text"]
    assert named({"text": "The lake"}, picture) == ["kind"]
    assert named({"text": "The lake"}, {"text": "The lake", "footer": "Bye"}) == []
    assert named({"footer": "Bye"}, {"text": "x", "buttons": ["A"], "footer": "Bye"}) == []
    assert named({"buttons": ["A"]}, {"text": "x", "rows": ["A"]}) == ["kind"]


def fits(expected, got):
    pairs = align([{"text": text} for text in expected], [{"text": text} for text in got])
    return [
        (pair.expected and pair.expected["text"], pair.got and pair.got["text"]) for pair in pairs
    ]


@pytest.mark.parametrize(
    ("expected", "got", "pairs"),
    [
        ("abc", "abc", ["aa", "bb", "cc"]),
        ("abc", "ac", ["aa", "b-", "cc"]),
        ("ac", "abc", ["aa", "-b", "cc"]),
        ("abc", "axc", ["aa", "bx", "cc"]),
        ("abc", "", ["a-", "b-", "c-"]),
        ("", "ab", ["-a", "-b"]),
        ("ab", "ba", ["-b", "aa", "b-"]),
    ],
)
def test_what_came_stands_beside_what_was_expected(expected, got, pairs):
    found = ["".join(one or "-" for one in pair) for pair in fits(expected, got)]

    assert found in (pairs, ["a-", "bb", "-a"])
