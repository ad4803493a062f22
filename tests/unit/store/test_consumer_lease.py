"""A server whose event loop was busy for longer than its leases."""

from __future__ import annotations

import asyncio
import time

import pytest

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.consumer import DONE, Consumer


@pytest.fixture(params=["memory:", "sqlite:///{}/whatsapp.db"])
async def queue(request, tmp_path):
    async with open_store(request.param.format(tmp_path)) as store:
        yield store.inbox


async def test_what_is_in_hand_is_not_begun_again_when_its_lease_ended_unheard(queue):
    begun, ended = [], []

    async def handle(item):
        begun.append(item.key)
        await asyncio.sleep(0.05)
        time.sleep(0.5)  # noqa: ASYNC251 - as a model that is loaded
        await queue.put("b1", "ben", {})  # the next webhook, which wakes who claims
        await asyncio.sleep(1)
        ended.append(item.key)
        return DONE

    consumer = Consumer(queue, handle, name="inbox", lease=0.3)
    await queue.put("a1", "anna", {})
    await queue.put("a2", "anna", {})

    consumer.start()
    end = time.monotonic() + 10
    while (await queue.depth()).waiting and time.monotonic() < end:
        await asyncio.sleep(0.02)
    await consumer.stop(0)

    assert sorted(begun) == sorted(ended) == ["a1", "a2", "b1"]
    assert (await queue.depth()).waiting == 0
