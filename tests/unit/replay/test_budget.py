"""What of a conversation at the simulator is billed, and when that is too much."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.replay.budget import Budget, count_billed

REGULAR = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
ALLOWANCE = {**REGULAR, "billable": False, "type": "free_customer_service"}
ENTRY_POINT = {"billable": False, "pricing_model": "PMP", "type": "free_entry_point"}


def says(text):
    return {
        "direction": "inbound",
        "type": "text",
        "content": {"body": text},
        "status": "read",
        "pricing": None,
        "response": None,
    }


def answers(response="utter_menu", *, kind="text", status="delivered", pricing=ALLOWANCE):
    return {
        "direction": "outbound",
        "type": kind,
        "content": {"body": "…"},
        "status": status,
        "pricing": pricing,
        "response": response,
    }


@pytest.mark.parametrize(
    ("message", "billed"),
    [
        (answers(), 1),  # the free ones of a month are used up some day
        (answers(pricing=REGULAR), 1),
        (answers(status="sent", pricing=None), 1),
        (answers(kind="image"), 1),
        (answers(kind="template", pricing={**REGULAR, "category": "utility"}), 1),
        (answers(pricing=ENTRY_POINT), 0),
        (answers(kind="reaction", status="sent", pricing=None), 0),
        (answers(status="failed", pricing=None), 0),
        (says("hi"), 0),
    ],
)
def test_each_bubble_is_one_but_what_is_free(message, billed):
    assert count_billed([message]).total() == billed


CHAT = [
    says("hi"),
    answers("utter_hello, utter_menu"),
    says("menu"),
    answers("utter_menu"),
    answers("utter_menu"),
    answers(None),
]
CONVERSATION = (
    "the conversation is 4 billed messages, more than 3: "
    "utter_menu 2, utter_hello, utter_menu 1, (no response of the domain) 1"
)
TURN = (
    "the turn 'menu' is 3 billed messages, more than 2: utter_menu 2, (no response of the domain) 1"
)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(), []),
        (Budget(4, 3), []),
        (Budget(3), [CONVERSATION]),
        (Budget(turn=2), [TURN]),
        (Budget(3, 2), [CONVERSATION, TURN]),
        (
            Budget(turn=0),
            [
                "the turn 'hi' is 1 billed message, more than 0: utter_hello, utter_menu 1",
                TURN.replace("than 2", "than 0"),
            ],
        ),
    ],
)
def test_what_is_too_much_names_the_responses(budget, said):
    assert budget.overruns(CHAT) == said


def test_what_was_said_before_the_person_is_no_turn():
    assert Budget(turn=0).overruns([answers(), answers()]) == []
