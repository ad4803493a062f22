"""Files that do not come: asked for no more than it helps, and nobody waits for another's."""

from __future__ import annotations

import asyncio

import pytest
from support.desk import Desk
from support.eventually import timed

from rasa_whatsapp_channel.inbound.worker import Concurrency
from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)


class Shelf:
    """Answers each fetch with the next of *answers*; hangs when there is none."""

    def __init__(self, *answers: Exception | StoredFile) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0

    async def fetch(self, media) -> StoredFile:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if not self.answers:
                await asyncio.Event().wait()
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            self.at_once -= 1


def refused(status: int, verdict: Verdict) -> APIError:
    return APIError(PlatformError(0, "no"), status=status, verdict=verdict)


FILE = StoredFile("/media/1", 9, "image/jpeg", "00")
NO_SLEEP = {"sleep": lambda seconds: asyncio.sleep(0)}


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([refused(404, Verdict.DO_NOT_RETRY)], 1),
        ([refused(400, Verdict.DO_NOT_RETRY)], 1),
        ([MediaError("larger than 5 bytes")], 1),
        ([refused(500, Verdict.RETRY)] * 3, 3),
        ([refused(401, Verdict.REFRESH_TOKEN)] * 3, 3),
        ([TransportError("reset"), FILE], 2),
    ],
)
async def test_how_often_a_file_is_asked_for(store, clock, answers, asked):
    shelf = Shelf(*answers)
    desk = Desk(store, clock, media=shelf, **NO_SLEEP)
    await desk.gets("image", id="1", mime_type="image/jpeg")
    await desk.run()

    assert shelf.asked == asked


async def test_a_missing_file_is_told_to_the_bot_and_in_the_log_with_its_reason(
    store, clock, caplog
):
    desk = Desk(store, clock, media=Shelf(refused(404, Verdict.DO_NOT_RETRY)))
    await desk.gets("image", id="1", mime_type="image/jpeg")
    await desk.run()

    [turn] = desk.heard
    assert turn.metadata["whatsapp"]["image"]["problem"] == "HTTP 404, no"
    assert "image of m1: HTTP 404, no" in caplog.text


async def test_a_turn_starts_without_a_file_that_does_not_come(store, clock):
    desk = Desk(store, clock, media=Shelf(), download_timeout=0.05)
    await desk.gets("image", id="1", mime_type="image/jpeg")
    await desk.run()

    [turn] = desk.heard
    image = turn.metadata["whatsapp"]["image"]
    assert image["path"] is None
    assert image["problem"] == "it did not come within 0.05 seconds"


async def test_who_waits_for_a_slot_to_download_waits_no_longer_than_for_the_file(store, clock):
    shelf = Shelf()
    concurrency = Concurrency(downloads=asyncio.Semaphore(3))
    desk = Desk(store, clock, media=shelf, concurrency=concurrency, download_timeout=1.0)
    for number in range(30):
        await desk.gets("image", phone=f"155500{number:02}", id=str(number), mime_type="image/jpeg")
    items = await store.inbox.claim_many(30)

    _, took = await timed(asyncio.gather(*(desk.handle(item) for item in items)))

    assert len(desk.heard) == 30
    assert shelf.most_at_once == 3
    assert took < 5  # not ten times three files one after the other

    shelf.answers = [FILE]
    await desk.gets("image", id="last", mime_type="image/jpeg")
    await desk.run()
    assert desk.heard[-1].metadata["whatsapp"]["image"]["path"] == "/media/1"


async def test_no_more_turns_at_once_than_there_are_slots(store, clock):
    concurrency = Concurrency(turns=asyncio.Semaphore(2))
    desk = Desk(store, clock, concurrency=concurrency)
    desk.thinks = 0.02
    for number in range(6):
        await desk.says("hi", phone=f"1555000{number}")
    items = await store.inbox.claim_many(6)

    await asyncio.gather(*(desk.handle(item) for item in items))

    assert len(desk.heard) == 6
    assert desk.most_at_once == 2
