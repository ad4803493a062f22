"""Which of the commands that a bot's author listed somebody typed."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.inbound.sanitize import sanitize

COMMANDS = ["/restart", "/\u1f82"]  # a letter that NFKC makes of four


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("/restart", "/restart"),
        ("  /ReStart\n" + " " * 1000, "/restart"),
        ("\uff0f\uff52\uff45\uff53\uff54\uff41\uff52\uff54", "/restart"),
        ("/\u03b1\u0313\u0300\u0345", "/\u1f82"),
        ("/restart now", "restart now"),
        ("/restart" * 1000, "restart" + "/restart" * 999),
        ("/restart" + "\u0327\u0301" * 50_000, "restart" + "\u0327\u0301" * 50_000),
    ],
)
def test_a_command_is_known_however_it_is_typed_and_nothing_longer_is_one(typed, heard):
    assert sanitize(typed, COMMANDS) == heard


def test_of_two_commands_that_are_typed_alike_the_first_counts():
    assert sanitize("/Help", ["/help", "/HELP"]) == "/help"
