"""Where a conversation goes on that Rasa has ended."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.restarts import Restarts, conversation_of

ANNA = "491511111111"


async def test_a_conversation_goes_on_in_the_tracker_that_was_begun_last(store, clock):
    restarts = Restarts(store.values, clock=clock)
    assert await restarts.tracker_id(ANNA) == ANNA

    first = await restarts.begin(ANNA)
    clock.now += 60
    second = await restarts.begin(ANNA)

    assert len({ANNA, first, second}) == 3
    assert await Restarts(store.values).tracker_id(ANNA) == second
    assert conversation_of(second) == ANNA


@pytest.mark.parametrize(
    "name", [ANNA, f"{ANNA}@106540352242922", f"{ANNA}~1790000000", "US.1349!x", "a!12"]
)
def test_other_names_are_conversations(name):
    assert conversation_of(name) == name
