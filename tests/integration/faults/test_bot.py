"""A bot that fails, hangs or thinks for long: its message is kept, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest
from support.eventually import eventually
from support.quiet_client import QuietClient
from support.webhooks import texts

from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.whatsapp.webhook import read

ANNA, BEN = "491511111111", "491522222222"


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory:", "sqlite:///{}/whatsapp.db"])
async def store(request, tmp_path, clock):
    async with open_store(request.param.format(tmp_path), clock=clock) as store:
        yield store


@asynccontextmanager
async def listening(store, bot, *, pause=0.1, **options):
    """Let *bot* hear what comes into *store*."""
    worker = InboxWorker(QuietClient(), store, bot, media=None, **options)
    consumer = Consumer(store.inbox, worker.handle, name="inbox", pause=pause)
    consumer.start()
    try:
        yield
    finally:
        await consumer.stop(0)


async def come(store, clock, *webhooks):
    receiver = Receiver(store, Metrics(), note_status=None, clock=clock)
    for webhook in webhooks:
        await receiver.receive(read(json.dumps(webhook).encode()))


async def test_a_bot_that_needs_several_leases_hears_each_message_once(store, clock):
    began, ended = [], []

    async def slow(turn, *, repeated) -> None:
        began.append(turn.text)
        await asyncio.sleep(1.5)  # for 90 seconds, where the lease is 30
        ended.append(turn.text)

    async with listening(store, slow), listening(store, slow):  # as two servers
        await come(store, clock, texts("one", "two", phone=ANNA))
        await eventually(lambda: len(ended) == 2)

    assert began == ended == ["one", "two"]


@pytest.fixture
def heard():
    return []


@pytest.fixture
def hangs(heard):
    async def hangs(turn, *, repeated) -> None:
        heard.append(turn.text)
        if turn.text == "hang":
            await asyncio.Event().wait()

    return hangs


async def test_while_a_turn_does_not_end_others_do_not_wait(store, clock, heard, hangs):
    async with listening(store, hangs, turn_timeout=3600):
        await come(store, clock, texts("hang", "next", phone=ANNA), texts("hello", phone=BEN))
        await eventually(lambda: "hello" in heard)

    assert heard == ["hang", "hello"]


async def test_a_turn_that_never_ends_is_begun_once_and_a_dead_letter(store, clock, heard, hangs):
    async with listening(store, hangs, turn_timeout=0.1):
        await come(store, clock, texts("hang", "next", phone=ANNA))
        await eventually(lambda: "next" in heard)
        (dead_letter,) = await store.inbox.dead_letters()

    assert heard == ["hang", "next"]
    assert dead_letter.reason == (
        "the bot was not through after 0.1 seconds, and may have done part of it; "
        "`turn_timeout` in the channel's block allows more"
    )


async def test_a_timeout_of_the_bots_own_is_a_failure_like_any_other(store, clock):
    heard = []

    async def waits_for_a_database(turn, *, repeated) -> None:
        heard.append(turn.text)
        if len(heard) == 1:
            raise asyncio.TimeoutError

    async with listening(store, waits_for_a_database):
        await come(store, clock, texts("one", phone=ANNA))
        await eventually(lambda: len(heard) == 2)
        depth = await store.inbox.depth()

    assert depth.dead_letters == 0


async def test_what_makes_the_bot_fail_each_time_is_a_dead_letter_with_the_reason(store, clock):
    heard = []

    async def fails(turn, *, repeated) -> None:
        heard.append(turn.text)
        if turn.text == "divide":
            raise ZeroDivisionError("no action for that")

    async with listening(store, fails):
        await come(store, clock, texts("divide", "next", phone=ANNA), texts("hello", phone=BEN))
        await eventually(lambda: "hello" in heard)
        while "next" not in heard:
            clock.ahead += 1  # between the attempts are seconds, then minutes
            await asyncio.sleep(0.02)
        (dead_letter,) = await store.inbox.dead_letters()

    assert heard.count("divide") == dead_letter.attempts == 5
    assert dead_letter.reason == (
        "the bot failed 5 times, last with ZeroDivisionError: no action for that"
    )


async def test_a_turn_that_failed_for_the_store_is_not_held_against_its_message(store, clock):
    heard = []

    async def cannot_speak(turn, *, repeated) -> None:
        heard.append(turn.text)
        if len(heard) < 8:
            raise StoreError("store: it does not answer")

    async with listening(store, cannot_speak, pause=0.01):
        await come(store, clock, texts("one", phone=ANNA))
        await eventually(lambda: len(heard) == 8)
        depth = await store.inbox.depth()

    assert depth.dead_letters == 0


async def test_a_clock_that_is_set_back_stops_nobody(store, clock):
    heard = []

    async def fails_at_first(turn, *, repeated) -> None:
        heard.append(turn.text)
        if not repeated and turn.text == "one":
            raise RuntimeError("not yet")

    async with listening(store, fails_at_first):
        await come(store, clock, texts("one", "two", phone=ANNA))
        await eventually(lambda: heard == ["one"])
        clock.ahead -= 3600
        await come(store, clock, texts("hello", phone=BEN))
        await eventually(lambda: "hello" in heard)
        await eventually(lambda: "two" in heard)

    assert heard.count("one") == 2
