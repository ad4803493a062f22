"""Messages and failures that are no turns: the tracker keeps them, and nobody answers."""

from __future__ import annotations

import asyncio
import logging

import pytest
from support.desk import PHONE, Desk
from support.eventually import eventually

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.conversation.message_notes import failure_key
from rasa_whatsapp_channel.inbound.outages import Outages
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, to_body

THUMB = {"message_id": "wamid.out1", "emoji": "👍"}
AWAY = BotUnavailable("tracker store", "refused", everywhere=True)


def counted(desk: Desk, name: str, **labels: str) -> float:
    return desk.metrics.registry.get_sample_value(f"whatsapp_{name}_total", labels) or 0


async def fails(desk: Desk, key: str = "wamid.in1:0") -> None:
    """Let the failure of a message be told, as the outbox does."""
    event = DeliveryFailed(failure_key(key), PHONE, 131026, "gone", "utter_menu", "Undeliverable")
    await desk.store.inbox.put(event.key, PHONE, to_body(event))


async def test_a_reaction_is_kept_and_not_heard(store, clock):
    desk = Desk(store, clock)

    await desk.gets("reaction", **THUMB)

    assert await desk.run() == []
    (event,) = desk.noted
    assert (event.sender_id, event.id, event.type) == (PHONE, "m1", "reaction")
    assert event.metadata["whatsapp"]["reaction"] == THUMB
    assert counted(desk, "tracker_events", type="reaction") == 1
    assert counted(desk, "turns_handled") == 0


async def test_a_reaction_names_the_response_it_is_about(store, clock):
    desk = Desk(store, clock)
    await store.ledger.note_sent(
        "wamid.out1", key="k", recipient_id=PHONE, response="utter_menu", body={}
    )

    await desk.gets("reaction", **THUMB)
    await desk.run()

    assert desk.noted[0].metadata["whatsapp"]["reaction"]["response"] == "utter_menu"


async def test_neither_ticks_nor_a_bubble_show_for_a_reaction(store, clock):
    desk = Desk(store, clock)

    await desk.gets("reaction", **THUMB)
    await desk.run()
    await asyncio.sleep(0.05)

    assert desk.client.receipts == []


async def test_the_ticks_of_a_picture_that_is_kept_turn_blue_without_a_bubble(store, clock):
    desk = Desk(store, clock, wording={"image": "event"})

    await desk.gets("image", id="1", mime_type="image/jpeg")
    await desk.run()
    await eventually(lambda: desk.client.receipts)

    assert desk.client.receipts == [("m1", False)]
    assert desk.noted[0].metadata["whatsapp"]["image"]["path"] == "/media/1"


async def test_what_is_ignored_is_neither_kept_nor_heard(store, clock, caplog):
    desk = Desk(store, clock, wording={"sticker": "ignore"})

    with caplog.at_level(logging.DEBUG):
        await desk.gets("sticker", id="1", mime_type="image/webp")
        await desk.run()
    await asyncio.sleep(0.05)

    assert (desk.noted, desk.heard, desk.client.receipts) == ([], [], [])
    assert counted(desk, "ignored", type="sticker") == 1
    (line,) = (each.getMessage() for each in caplog.records if "not_heard" in each.getMessage())
    assert line == "whatsapp.not_heard: sticker m1, as `inbound` says"


async def test_a_failure_is_kept_and_not_heard(store, clock):
    desk = Desk(store, clock)

    await fails(desk)

    assert await desk.run() == []
    (event,) = desk.noted
    assert event.metadata["whatsapp"] == {
        "type": "delivery_failed",
        "id": "failed:wamid.in1:0",
        "title": "Undeliverable",
        "code": 131026,
        "reason": "gone",
        "response": "utter_menu",
    }
    assert counted(desk, "tracker_events", type="delivery_failed") == 1


async def test_a_failure_is_heard_where_the_bot_asked_for_it(store, clock):
    desk = Desk(store, clock, failure_intent="message_failed")

    await fails(desk)

    (text,) = await desk.run()
    assert text.startswith('/message_failed{"code": 131026')
    assert desk.noted == []


async def test_what_the_bot_says_about_a_failure_is_kept_when_it_fails_and_not_heard(store, clock):
    desk = Desk(store, clock, failure_intent="message_failed")

    await fails(desk, "failed:wamid.in1:0:0")

    assert await desk.run() == []
    assert len(desk.noted) == 1


async def test_an_event_waits_for_the_tracker_store_as_a_turn_does(store, clock):
    desk = Desk(store, clock, outages=Outages(Metrics(), clock=clock, ticks=clock))
    desk.failures = [AWAY]
    await desk.gets("reaction", **THUMB)
    await desk.says("hello?")

    assert await desk.run() == []
    assert desk.noted == []
    clock.now += 120

    assert await desk.run() == ["hello?"]
    assert [event.id for event in desk.noted] == ["m1"]


async def test_without_a_conversation_an_event_is_let_go_and_said_so(store, clock, caplog):
    desk = Desk(store, clock)
    desk.knows = False

    with caplog.at_level(logging.INFO):
        await desk.gets("reaction", **THUMB)
        await desk.run()

    assert counted(desk, "tracker_events", type="reaction") == 0
    assert "whatsapp.event_not_kept: reaction m1: " in caplog.text


@pytest.mark.parametrize("words", [{}, {"reaction": "ignore"}])
async def test_a_reaction_does_not_break_up_what_somebody_writes(store, clock, words):
    desk = Desk(store, clock, debounce=3.0, wording=words)
    await desk.says("I have a question")
    clock.now += 1
    await desk.gets("reaction", **THUMB)
    await desk.says("about the lake")
    clock.now += 3.1

    assert await desk.run() == ["I have a question\nabout the lake"]
