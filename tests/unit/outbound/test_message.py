"""What log lines call something that the bot said."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.outbound.message import call, name_of, source_of


@pytest.mark.parametrize(
    ("key", "called"),
    [
        ("wamid.X:0", "message 1 of the turn of wamid.X"),
        ("wamid.X:1", "message 2 of the turn of wamid.X"),
        ("wamid.X:1:after-wamid.Y", "message 2 of the turn of wamid.X"),
        ("wamid.X:1:after-wamid.Y:after-wamid.Z", "message 2 of the turn of wamid.X"),
        ("wamid.X:0:template", "message 1 of the turn of wamid.X"),
        ("wamid.X:0:part-3", "message 1 of the turn of wamid.X"),
        ("wamid.X:0:after-wamid.Y:part-3", "message 1 of the turn of wamid.X"),
        ("failed:wamid.X:1:0", "message 1 of the turn of failed:wamid.X:1"),
        (
            "failed:wamid.X:1:after-wamid.Y:0",
            "message 1 of the turn of failed:wamid.X:1:after-wamid.Y",
        ),
        ("out:3f2a:0", "message 1 of out:3f2a, which no turn asked for"),
        ("by hand", "by hand"),
    ],
)
def test_what_has_no_name_goes_by_its_place_in_the_turn(key, called):
    assert call(key) == called


def test_a_response_of_the_domain_goes_by_its_name():
    assert call("wamid.X:1", name="utter_greet", source="action_greet") == "utter_greet"


def test_the_words_of_an_action_go_by_the_action_where_rasa_tells_it():
    said = call("wamid.X:1", source="action_check_room")

    assert said == "a response of action_check_room (message 2 of the turn of wamid.X)"


@pytest.mark.parametrize("odd", [None, "", 7, ["utter_greet"]])
def test_names_that_are_no_text_are_none(odd):
    assert name_of({"utter_action": odd}) is None
    assert source_of({"utter_source": odd}) is None


def test_names_are_read_where_rasa_puts_them():
    assert name_of({"utter_action": "utter_greet"}) == "utter_greet"
    assert source_of({"utter_source": "action_check_room"}) == "action_check_room"
