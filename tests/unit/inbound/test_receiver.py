"""What is kept of a webhook, also where the store breaks in the middle of it."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.conversation.window import wrote_key
from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import WINDOW, Store, StoreError
from rasa_whatsapp_channel.whatsapp.events import InboundMessage

PHONE = "15550002222"


class BreaksOnce:
    """A part of a store that breaks when *name* is called first, and is mended then."""

    def __init__(self, part: Any, name: str) -> None:
        self._part = part
        self._name = name
        self._is_broken = True

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self._is_broken:
            self._is_broken = False
            return self._break
        return getattr(self._part, name)

    async def _break(self, *args: Any) -> None:
        raise StoreError("the disk is full")


@pytest.mark.parametrize(("part", "call"), [("values", "set_many"), ("outbox", "end_wait")])
async def test_a_message_that_comes_again_after_the_store_broke_opens_the_window(
    store: Store, clock, part, call
):
    event = InboundMessage("m1", "text", phone=PHONE, timestamp=int(clock.now))
    await store.values.set(wrote_key(PHONE), clock.now - 2 * DAY, 90 * DAY)
    await store.outbox.put("k", PHONE, {})
    waits = await store.outbox.claim()
    assert waits
    await store.outbox.retry_later(waits, DAY, cause=WINDOW)
    setattr(store, part, BreaksOnce(getattr(store, part), call))
    receiver = Receiver(store, Metrics(), note_status=_nobody, clock=clock)

    with pytest.raises(StoreError):  # answered 503, so WhatsApp sends it again
        await receiver.receive([event])
    await receiver.receive([event])

    assert await store.values.get(wrote_key(PHONE)) == clock.now
    assert await store.outbox.claim()
    assert (await store.inbox.depth()).waiting == 1


async def test_a_message_that_comes_again_late_does_not_set_the_window_back(store: Store, clock):
    first = InboundMessage("m1", "text", phone=PHONE, timestamp=int(clock.now))
    second = InboundMessage("m2", "text", phone=PHONE, timestamp=int(clock.now) + 600)
    receiver = Receiver(store, Metrics(), note_status=_nobody, clock=clock)
    await receiver.receive([first])
    clock.now += 600
    await receiver.receive([second])

    await receiver.receive([first])

    assert await store.values.get(wrote_key(PHONE)) == clock.now


async def _nobody(status: object) -> None:
    raise AssertionError(status)
