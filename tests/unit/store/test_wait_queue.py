"""Who waits is woken, on the loop that Sanic runs on too."""

from __future__ import annotations

import asyncio

import pytest

from rasa_whatsapp_channel.store.wait_queue import WaitQueue


def loops() -> list[object]:
    try:
        import uvloop
    except ImportError:  # not everywhere where Sanic is
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("new_loop", loops())
def test_of_two_alarms_the_sooner_one_rings_whatever_the_loop(new_loop):
    async def wait_for_alarm() -> float:
        line = WaitQueue()
        await line.wait(0)  # what is kept from before
        line.wake_in(0)
        line.wake_in(0)
        line.wake_in(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await line.wait(5)
        line.close()
        return loop.time() - began

    loop = new_loop()
    try:
        assert loop.run_until_complete(wait_for_alarm()) < 0.9
    finally:
        loop.close()
