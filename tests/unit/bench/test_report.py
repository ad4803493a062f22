"""The table of `make bench`, for people, for docs and for programs."""

from __future__ import annotations

import json
import re

import pytest
from bench.goals import Failure, Row, at_least, at_most_added
from bench.profile import Profile
from bench.report import (
    PROFILES,
    place,
    print_table,
    profiles_to_markdown,
    read_before,
    to_json,
    to_markdown,
)
from rich.console import Console

FOUND = {
    "speed": [
        Row("echo", 1234.0, "bare", 1000.0, "messages/s", at_least(0.8), "[400] people"),
        Row("real Rasa", 61.0, "REST", 100.0, "turns/s", at_least(0.9)),
        Row("heyoo", 1234.0, "heyoo", 9.87, "messages/s"),
    ],
    "waiting": [
        Row("--help", 137.0, "python -c pass", 30.0, "ms", at_most_added(150)),
        Failure("several servers", "no Redis"),
    ],
}


def shown(busiest, before=None):
    console = Console(width=150, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        print_table(console, FOUND, busiest, took=61.4, quick=True, before=before)
    return captured.get()


@pytest.mark.parametrize(
    "part",
    [
        "Quick figures",
        "1,234 messages/s",
        "1.23",
        "≥ 0.8",
        "reached",
        "missed",
        "+107",
        "≤ +150",
        "[400] people",
        "no Redis",
        "9.87 messages/s",
        "2 of 4 goals reached",
        "61 seconds",
    ],
)
def test_the_table_shows(part):
    assert part in shown({})


def test_the_table_says_that_the_load_was_not_the_limit():
    assert "at most 31% of one processor (at bare): it was not the limit" in shown(
        {"bare": 0.31, "channel": 0.1}
    )


def test_the_table_warns_of_a_load_that_may_have_been_the_limit():
    assert "MAY HAVE BEEN THE LIMIT" in shown({"bare": 0.81})


def test_the_markdown_is_one_table_with_a_line_for_each_row():
    lines = to_markdown(FOUND, {}, took=61.4, quick=False).splitlines()

    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 2 + 5
    assert {line.count("|") for line in table} == {8}
    assert (
        "| echo ([400] people) | 1,234 messages/s | bare | 1,000 messages/s | 1.23 | ≥ 0.8 "
        "| reached |" in table
    )


def test_the_json_holds_what_the_table_rounds():
    content = json.loads(to_json(FOUND, {"bare": 0.31}, quick=True))

    assert content["quick"] is True
    assert content["load_busy"] == {"bare": 0.31}
    first, *_, last = content["rows"]
    assert (first["section"], first["figure"], first["ratio"]) == ("speed", 1234.0, 1.234)
    assert first["goal"] == {"kind": "≥", "limit": 0.8}
    assert last == {"section": "waiting", "what": "several servers", "failed": "no Redis"}


def test_the_table_takes_the_place_of_the_one_before_it():
    page = "# Speed\n\n<!-- figures -->\n| old |\n<!-- end of figures -->\n\nMore.\n"

    assert place("| new |\n", page) == (
        "# Speed\n\n<!-- figures -->\n| new |\n<!-- end of figures -->\n\nMore.\n"
    )


def test_an_empty_page_becomes_the_table():
    assert place("| new |\n", "") == "| new |\n"


@pytest.mark.parametrize("page", ["# Another page\n", "<!-- figures -->\n"])
def test_a_page_without_a_place_for_the_table_is_not_lost(page):
    with pytest.raises(ValueError, match="no place for a table"):
        place("| new |\n", page)


def test_a_run_is_compared_with_an_earlier_one():
    earlier = {"speed": [Row("echo", 300.0, "bare", 1000.0, "messages/s", at_least(0.8))]}
    before = read_before(to_json(earlier, {}, quick=True))

    assert before == {("echo", "bare"): "0.30"}
    table = shown({}, before)
    assert "before" in table
    assert re.search(r"1,000 messages/s +0\.30 +1\.23", table)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{"compared": "1"}]}', '{"rows": 1}'])
def test_only_figures_of_an_earlier_run_can_be_compared(text):
    with pytest.raises(ValueError, match="not written by --json"):
        read_before(text)


def test_the_profiles_are_one_table_in_ms_of_one_turn_with_the_largest_part_first():
    table = profiles_to_markdown(
        [
            Profile("ours", 2.0, {"aiohttp": 0.25, "store": 0.75}),
            Profile("bare", 0.8, {"aiohttp": 1.0}),
        ]
    )

    assert table.splitlines() == [
        "| ms | ours | bare |",
        "|---|---:|---:|",
        "| store | 1.5 |  |",
        "| aiohttp | 0.5 | 0.8 |",
        "| all | 2 | 0.8 |",
    ]


def test_the_profiles_have_a_place_of_their_own_in_a_page():
    begin, end = PROFILES

    assert place("new\n", f"a\n{begin}\nold\n{end}\nb", PROFILES) == (f"a\n{begin}\nnew\n{end}\nb")
