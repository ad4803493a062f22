"""How the body of a webhook is read: whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from support.eventually import PATIENCE

from rasa_whatsapp_channel.inbound.body_limits import UnverifiedBodies
from rasa_whatsapp_channel.inbound.body_reader import DISCARDED_AT_ONCE, BodyReader
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused


def sends(*chunks: bytes, then: Callable[[], Awaitable[None]] | None = None):
    """Send *chunks*, and after that wait for *then*, which may be for ever."""
    left = list(chunks)

    async def read() -> bytes | None:
        if left:
            return left.pop(0)
        if then is not None:
            await then()
        return None

    return read


def stalls(*chunks: bytes):
    return sends(*chunks, then=asyncio.Event().wait)


async def why(reading: Awaitable[bytes]) -> str:
    with pytest.raises(WebhookRefused) as refused:
        await reading
    return refused.value.kind


async def test_a_body_comes_as_it_was_sent():
    assert await BodyReader().read(sends(b"one ", b"", b"two"), 7) == b"one two"
    assert await BodyReader().read(sends()) == b""


async def test_a_body_that_does_not_end_is_refused_when_its_time_is_over():
    assert await why(BodyReader(seconds=0.01).read(stalls(b"half"), 8)) == "slow"


async def test_the_time_is_that_of_the_whole_body_however_steadily_it_trickles():
    async def trickle() -> bytes:
        await asyncio.sleep(0.001)
        return b"."

    assert await why(BodyReader(seconds=0.05).read(trickle)) == "slow"


async def test_half_sent_bodies_make_room_for_one_that_comes_whole():
    bodies = BodyReader(UnverifiedBodies(1000))
    half = [asyncio.create_task(why(bodies.read(stalls(b"x" * 400)))) for _ in range(2)]
    await asyncio.sleep(0)

    assert await bodies.read(sends(b"y" * 300), 300) == b"y" * 300
    done, waiting = await asyncio.wait(half, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == ["busy"]
    assert len(waiting) == 1
    for task in waiting:
        task.cancel()


async def test_one_for_which_there_is_no_room_is_refused_before_it_is_read():
    async def read() -> bytes | None:
        raise AssertionError("it was read")

    bodies = BodyReader(UnverifiedBodies(100_000))

    assert await why(bodies.read(read, 200_000)) == "busy"
    assert await bodies.read(sends(b"y"), 1) == b"y"


async def test_who_hangs_up_is_no_refusal_and_leaves_no_room_taken():
    unverified = UnverifiedBodies()
    reading = asyncio.create_task(BodyReader(unverified).read(stalls(b"half"), 8))
    await asyncio.sleep(0)

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert unverified.taken == 0


async def test_after_a_refusal_the_connections_task_goes_on_as_if_nobody_had_ended_it():
    async def connection() -> str:
        kind = await why(BodyReader(seconds=0.01).read(stalls(b"half"), 8))
        await asyncio.sleep(0)
        return kind

    task = asyncio.create_task(connection())

    assert await task == "slow"
    assert getattr(task, "cancelling", lambda: 0)() == 0


async def test_the_bodies_of_a_few_refused_callers_go_by_and_nobody_waits_for_more():
    bodies = BodyReader()
    left = [asyncio.create_task(bodies.discard(stalls(b"half"))) for _ in range(DISCARDED_AT_ONCE)]
    await asyncio.sleep(0)

    await asyncio.wait_for(bodies.discard(stalls(b"half")), PATIENCE)  # one too many, left at once

    assert not any(task.done() for task in left)
    await asyncio.gather(*left)  # each has its moment
    await bodies.discard(sends(b"all", b"of it"))
