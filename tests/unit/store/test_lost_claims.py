"""What a crash, a broken store or an old command must not do to a conversation."""

from __future__ import annotations

import threading

import pytest
from support.crashes import fall_silent, notice_silence
from support.eventually import eventually

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DONE, SUSPECT_FROM, StoreError
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.store.heartbeat import Heartbeat


class FailsOnce:
    """A queue that cannot take one item back, once."""

    def __init__(self, queue):
        self._queue = queue
        self.failures = 1

    def __getattr__(self, name):
        if name == "retry_later" and self.failures:
            self.failures -= 1
            raise StoreError("store: it is not there")
        return getattr(self._queue, name)


@pytest.mark.slow
async def test_suspects_that_a_broken_store_did_not_take_back_are_handled_all_the_same(tmp_path):
    url = f"sqlite:///{tmp_path}/whatsapp.db"
    async with open_store(url) as store:
        for name in ("anna", "ben", "carl"):
            await store.inbox.put(f"k-{name}", name, {})
        for _ in range(SUSPECT_FROM):
            async with open_store(url) as dying:
                assert len(await dying.inbox.claim_many(10)) == 3
                fall_silent(dying)
                notice_silence(store)
        handled = []

        async def handle(item):
            handled.append(item.key)
            return DONE

        consumer = Consumer(FailsOnce(store.inbox), handle, name="inbox", pause=0.01)
        for _ in range(12):
            await consumer.step()

        async def is_empty() -> bool:
            return not await store.inbox.waiting()

        await eventually(is_empty)
        await consumer.stop(0)
        assert sorted(handled) == ["k-anna", "k-ben", "k-carl"]


def test_a_beat_that_fails_in_an_unknown_way_does_not_end_the_heart():
    beats = []
    third = threading.Event()

    def beat():
        beats.append(1)
        if len(beats) == 3:
            third.set()
        if len(beats) == 1:
            raise ValueError("nobody thought of this")

    heartbeat = Heartbeat(beat, interval=0.001)
    heartbeat.start()
    goes_on = third.wait(2.0)
    heartbeat.stop()
    assert goes_on
