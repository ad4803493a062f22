"""Numbers that were offered instead of buttons, and what a typed number stands for."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.numbered_replies import (
    Choice,
    NumberedReplies,
    typed_number,
)
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.events import InboundMessage

ANNA = "491511111111"
YES, NO, PAY = Choice("/yes", "Yes"), Choice("/no", "No"), Choice("/pay", "Pay")


def typed(text: str, message_id: str = "wamid.1") -> InboundMessage:
    return InboundMessage(id=message_id, phone=ANNA, type="text", content={"body": text})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", "3"),
        (" 3. ", "3"),
        ("3)", "3"),
        ("٣", "3"),
        ("03", "3"),
        ("3 apples", None),
        ("", None),
    ],
)
def test_a_number_is_read_in_any_notation(text, number):
    assert typed_number(typed(text)) == number


async def test_a_typed_number_stands_for_what_was_offered_last(store):
    numbered = NumberedReplies(store.values)
    await numbered.offer(ANNA, "wamid.0", {"1": YES, "2": NO})

    assert await numbered.find(ANNA, typed("2"), People(store.values)) == NO
    assert await numbered.find(ANNA, typed("3"), People(store.values)) is None


async def test_a_repeated_turn_is_read_by_the_numbers_before_it(store):
    numbered, people = NumberedReplies(store.values), People(store.values)
    await numbered.offer(ANNA, "wamid.0", {"1": YES})
    await numbered.offer(ANNA, "wamid.1", {"1": PAY})

    assert await numbered.find(ANNA, typed("1", "wamid.1"), people) == YES
    assert await numbered.find(ANNA, typed("1", "wamid.2"), people) == PAY


async def test_numbers_expire_after_a_day(store, clock):
    numbered = NumberedReplies(store.values)
    await numbered.offer(ANNA, "wamid.0", {"1": YES})
    clock.now += DAY + 1

    assert await numbered.find(ANNA, typed("1"), People(store.values, clock=clock)) is None
