"""What a simulator is told beside a message, and that nobody else is."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rasa_whatsapp_channel.outbound.simulator_header import HEADER, response_header

CUT = {"code": "WA101", "message": "the text was cut", "before": "Grüße 👋", "after": "Gr…"}
texts = st.text() | st.text(min_size=1, max_size=3).map(lambda text: text * 500)
change = st.fixed_dictionaries(dict.fromkeys(("code", "message", "before", "after"), texts))


def test_the_header_names_the_response_and_what_was_changed():
    header = response_header("utter_greet", [CUT])

    assert header[HEADER] == (
        '{"response": "utter_greet", "changes": [{"code": "WA101", "message": "the text was cut", '
        '"before": "Gr\\u00fc\\u00dfe \\ud83d\\udc4b", "after": "Gr\\u2026"}]}'
    )


def test_where_there_is_nothing_to_tell_there_is_no_header():
    assert response_header(None, []) == {}


def test_the_changes_of_a_response_without_a_name_are_told_too():
    assert json.loads(response_header(None, [CUT])[HEADER]) == {"response": None, "changes": [CUT]}


def test_long_texts_are_shortened_before_any_change_is_left_out():
    note = json.loads(response_header("utter_x", [{**CUT, "before": "é" * 5000}] * 10)[HEADER])

    assert len(note["changes"]) == 10
    assert {change["code"] for change in note["changes"]} == {"WA101"}
    assert all(change["before"].endswith("…") for change in note["changes"])


@pytest.mark.slow
@example("\x7f", [CUT] * 90)
@given(texts, st.lists(change, max_size=12))
def test_the_header_is_one_short_line_of_ascii_json_whatever_is_in_it(name, changes):
    note = response_header(name or "utter_x", changes)[HEADER]

    assert note.isascii()
    assert note.isprintable()
    assert len(note) <= 6 * 1024
    read = json.loads(note)
    assert read["response"]
    assert len(read["changes"]) <= len(changes)
