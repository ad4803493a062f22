"""
Lines of the log, as they are written in the code.

Rasa prints a line's message and nothing else, so everything that a reader needs stands in it; how
the lines look in Rasa is in tests/integration/test_log.py.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from support.documents import ROOT
from support.log_calls import PACKAGE, PLACEHOLDER, Call, log_calls

CALLS = log_calls()
# What people say, who they are, and what opens doors; a line above debug takes nothing of it.
UNSPOKEN = {
    *("text", "body", "caption", "content", "payload", "words", "transcript", "metadata"),
    *("phone", "wa_id", "user_id", "sender_id", "recipient_id", "conversation", "profile"),
    *("access_token", "app_secret", "verify_token", "secret", "password", "credentials", "headers"),
}
each_call = pytest.mark.parametrize("call", CALLS, ids=str)


def test_the_calls_are_found():
    assert len(CALLS) > 30
    assert {"whatsapp.started", "whatsapp.changed", "simulator.job_failed"} <= {
        call.event for call in CALLS
    }


@each_call
def test_each_module_speaks_through_a_logger_of_its_own_name(call: Call) -> None:
    assert call.logger == "logger"
    assert "\nlogger = logging.getLogger(__name__)\n" in (PACKAGE / call.file).read_text("utf-8")


@each_call
def test_a_line_begins_with_its_event_and_goes_on_with_a_reason(call: Call) -> None:
    assert re.match(r"(whatsapp|simulator)\.[a-z_]+: \S", call.words)


@each_call
def test_each_fact_has_its_place_in_the_line(call: Call) -> None:
    places = [kind for kind in PLACEHOLDER.findall(call.words) if kind != "%"]

    assert len(places) == len(call.args)


@each_call
def test_nothing_stands_only_where_rasa_does_not_print_it(call: Call) -> None:
    said = {re.sub(r"^str\((.*)\)$", r"\1", arg) for arg in call.args}
    beside = {
        key
        for key, value in call.extra.items()
        if re.sub(r"^str\((.*)\)$", r"\1", value) not in said
    }

    assert beside == set()


@each_call
def test_above_debug_a_line_takes_no_words_no_person_and_no_secret(call: Call) -> None:
    assert call.level == "DEBUG" or call.names & UNSPOKEN == set()


def test_the_page_explains_every_line_and_no_other():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    explained = Counter(
        re.findall(r"^\| `((?:whatsapp|simulator)\.[a-z_]+)` \|", page, re.MULTILINE)
    )

    assert sorted(explained) == sorted({call.event for call in CALLS})
    assert [event for event, times in explained.items() if times > 1] == []


def test_the_page_says_at_which_level_a_line_comes():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    row = r"^\| `((?:whatsapp|simulator)\.[a-z_]+)` \| ([a-z, ]+) \|"
    levels = {event: set(said.split(", ")) for event, said in re.findall(row, page, re.MULTILINE)}
    used: dict[str, set[str]] = {}
    for call in CALLS:
        used.setdefault(call.event, set()).update(call.levels)

    assert levels == used
