"""Who waits is woken, on the loop that Sanic runs on too."""

from __future__ import annotations

import asyncio

import pytest
from support.eventually import PATIENCE

from rasa_whatsapp_channel.store.wait_queue import WaitQueue


def loops() -> list[object]:
    try:
        import uvloop
    except ImportError:  # not everywhere where Sanic is
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("new_loop", loops())
def test_of_two_alarms_the_sooner_one_rings_whatever_the_loop(new_loop):
    async def wait_for_alarm() -> None:
        line = WaitQueue()
        await line.wait(0)  # what is kept from before
        line.wake_in(0)
        line.wake_in(0)
        line.wake_in(3600)
        await asyncio.wait_for(line.wait(7200), PATIENCE)
        line.close()

    loop = new_loop()
    try:
        loop.run_until_complete(wait_for_alarm())
    finally:
        loop.close()
