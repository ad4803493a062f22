"""Conversations in which nobody answers: no ticks, said once, looked at only where it matters."""

from __future__ import annotations

import asyncio

import pytest
from support.desk import PHONE, Desk


class Trackers:
    """What Rasa's tracker says of each conversation, and how often it was asked."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}
        self.asked = 0

    async def __call__(self, sender_id: str) -> str | None:
        self.asked += 1
        return self.why.get(sender_id)


@pytest.fixture
def trackers():
    return Trackers()


@pytest.fixture
def desk(store, clock, trackers):
    return Desk(store, clock, why_silent=trackers)


async def shown(desk):
    await asyncio.sleep(0.02)
    return [message_id for message_id, _ in desk.client.receipts]


def silenced(desk, why):
    return desk.metrics.registry.get_sample_value("whatsapp_turns_silenced_total", {"reason": why})


async def test_where_the_bot_answers_nobody_looks_at_a_tracker(desk, trackers):
    for text in ("hi", "there", "again"):
        await desk.says(text)
    await desk.run()

    assert trackers.asked == 0
    assert await shown(desk) == ["m1", "m2", "m3"]


async def test_a_bot_that_says_nothing_for_once_shows_its_ticks(desk, trackers):
    desk.silent = True
    await desk.says("thanks")
    await desk.run()

    assert await shown(desk) == ["m1"]
    assert silenced(desk, "paused") == 0


@pytest.mark.parametrize("why", ["paused", "terminated"])
async def test_where_nobody_answers_the_ticks_stay_grey_and_it_is_said_once(
    desk, trackers, caplog, why
):
    trackers.why[PHONE] = why
    desk.silent = True
    for text in ("hello?", "anybody?", "hello?"):
        await desk.says(text)

    assert await desk.run() == ["hello?", "anybody?", "hello?"]  # Rasa writes it down
    assert await shown(desk) == []
    assert silenced(desk, why) == 3
    assert caplog.text.count("whatsapp.silenced") == 1
    assert PHONE not in caplog.text
    assert why in caplog.text


async def test_a_bot_that_answers_again_shows_its_ticks_again(desk, trackers):
    trackers.why[PHONE] = "paused"
    desk.silent = True
    await desk.says("hello?")
    await desk.run()

    del trackers.why[PHONE]
    desk.silent = False
    await desk.says("back?")
    await desk.says("good")
    asked = trackers.asked
    await desk.run()

    assert await shown(desk) == ["m2", "m3"]
    assert trackers.asked == asked + 1


async def test_the_silence_of_one_is_nobody_elses(desk, trackers):
    trackers.why[PHONE] = "paused"
    desk.silent = True
    await desk.says("hello?")
    await desk.run()
    desk.silent = False
    await desk.says("hi", phone="15550003333")
    await desk.run()

    assert await shown(desk) == ["m2"]


async def test_a_tracker_that_cannot_be_read_fails_no_turn(store, clock, caplog):
    async def broken(sender_id: str) -> str | None:
        raise KeyError("name")

    desk = Desk(store, clock, why_silent=broken)
    desk.silent = True
    await desk.says("hi")

    assert await desk.run() == ["hi"]
    assert await shown(desk) == ["m1"]
    assert "KeyError: 'name'" in caplog.text
