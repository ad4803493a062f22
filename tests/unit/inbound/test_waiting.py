"""Messages that wait for what the bot needs: shown to nobody, counted by nobody, tried by one."""

from __future__ import annotations

import asyncio

import pytest
from support.desk import Desk

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.inbound.worker import Concurrency
from rasa_whatsapp_channel.store.base import DONE, Retry

AWAY = BotUnavailable("lock store", "ConnectionError: refused", everywhere=True)
LOST = BotUnavailable("service", "gaierror: no such host")


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock, concurrency=Concurrency(turns=asyncio.Semaphore(1)))


async def says_hello(desk, store, people):
    for number in range(people):
        await desk.says("hello", phone=f"1555000{number}")
    return await store.inbox.claim_many(people)


async def test_a_message_that_meets_an_outage_waits_without_a_try_and_with_grey_ticks(
    desk, store, caplog
):
    [item] = await says_hello(desk, store, 1)
    desk.failures = [AWAY]

    outcome = await desk.handle(item)
    await asyncio.sleep(0.02)

    assert isinstance(outcome, Retry)
    assert not outcome.counted
    assert outcome.error == "the bot's lock store is away: ConnectionError: refused"
    assert desk.client.receipts == []
    assert caplog.text.count("outage_began") == 1
    assert "turn_failed" not in caplog.text


async def test_who_waited_for_a_slot_while_it_went_away_does_not_try_as_well(desk, store):
    items = await says_hello(desk, store, 5)
    desk.failures = [AWAY] * 5

    outcomes = await asyncio.gather(*(desk.handle(item) for item in items))

    assert len(desk.heard) == 1
    assert all(isinstance(outcome, Retry) and not outcome.counted for outcome in outcomes)


async def test_what_one_message_needs_keeps_nobody_else_waiting(desk, store):
    items = await says_hello(desk, store, 3)
    desk.failures = [LOST]

    outcomes = await asyncio.gather(*(desk.handle(item) for item in items))

    assert len(desk.heard) == 3
    assert outcomes.count(DONE) == 2


async def test_a_message_that_comes_while_it_is_away_is_neither_fetched_nor_shown(store, clock):
    class Shelf:
        asked = 0

        async def fetch(self, media):
            self.asked += 1

    shelf = Shelf()
    desk = Desk(store, clock, media=shelf)
    desk.failures = [AWAY]
    [item] = await says_hello(desk, store, 1)
    await desk.handle(item)

    await desk.gets("image", phone="15550009999", id="1", mime_type="image/jpeg")
    [item] = await store.inbox.claim_many(1)
    outcome = await desk.handle(item)
    await asyncio.sleep(0.02)

    assert isinstance(outcome, Retry)
    assert (shelf.asked, desk.client.receipts) == (0, [])
