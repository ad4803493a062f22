"""What a simulator is told beside a message, and that nobody else is."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rasa_whatsapp_channel.outbound.simulator_header import write_note

CUT = {"code": "WA101", "message": "the text was cut", "before": "Grüße 👋", "after": "Gr…"}
texts = st.text() | st.text(min_size=1, max_size=3).map(lambda text: text * 500)
change = st.fixed_dictionaries(dict.fromkeys(("code", "message", "before", "after"), texts))


def test_a_note_names_the_response_and_what_was_changed():
    note = write_note("utter_greet", [CUT])

    assert note == (
        '{"response": "utter_greet", "changes": [{"code": "WA101", "message": "the text was cut", '
        '"before": "Gr\\u00fc\\u00dfe \\ud83d\\udc4b", "after": "Gr\\u2026"}]}'
    )


def test_where_there_is_nothing_to_tell_there_is_no_note():
    assert write_note(None, []) is None


def test_the_changes_of_a_response_without_a_name_are_told_too():
    assert json.loads(write_note(None, [CUT]) or "") == {"response": None, "changes": [CUT]}


def test_long_texts_are_shortened_before_any_change_is_left_out():
    note = json.loads(write_note("utter_x", [{**CUT, "before": "é" * 5000}] * 10) or "")

    assert len(note["changes"]) == 10
    assert {change["code"] for change in note["changes"]} == {"WA101"}
    assert all(change["before"].endswith("…") for change in note["changes"])


@pytest.mark.slow
@example("\x7f", [CUT] * 90)
@given(texts, st.lists(change, max_size=12))
def test_a_note_is_one_short_line_of_ascii_json_whatever_is_in_it(name, changes):
    note = write_note(name or "utter_x", changes)

    assert note is not None
    assert note.isascii()
    assert note.isprintable()
    assert len(note) <= 6 * 1024
    read = json.loads(note)
    assert read["response"]
    assert len(read["changes"]) <= len(changes)
