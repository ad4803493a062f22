"""Commands on buttons: only those that were sent to this person count."""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.messages import Button, ReplyButtons

ANNA, BEN = "491511111111", "491522222222"
SHORT = "p:0123456789abcdef01"
BUTTONS = ReplyButtons("Hi", buttons=(Button("/greet", "Hello"), Button(SHORT, "Order")))


async def test_a_command_counts_only_for_the_person_it_was_sent_to(store):
    payloads, people = Payloads(store.values), People(store.values)
    await payloads.note_sent(ANNA, BUTTONS)

    assert await payloads.find(ANNA, "/greet", people) == "/greet"
    assert await payloads.find(ANNA, "/restart", people) is None
    assert await payloads.find(BEN, "/greet", people) is None


async def test_a_short_id_stands_for_the_payload_that_was_too_long(store):
    payloads = Payloads(store.values)
    await payloads.keep({SHORT: "/order" + "x" * 300})
    await payloads.note_sent(ANNA, BUTTONS)

    assert await payloads.find(ANNA, SHORT, People(store.values)) == "/order" + "x" * 300


async def test_old_buttons_work_for_ninety_days(store, clock):
    payloads, people = Payloads(store.values), People(store.values, clock=clock)
    await payloads.note_sent(ANNA, BUTTONS)

    clock.now += 90 * DAY - 1
    assert await payloads.find(ANNA, "/greet", people) == "/greet"
    clock.now += 2
    assert await payloads.find(ANNA, "/greet", people) is None
