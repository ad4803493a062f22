"""What is kept of a webhook, also where the store breaks in the middle of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rasa_whatsapp_channel.conversation.identity import People, record_key
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.window import wrote_key
from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import WINDOW, Store, StoreError
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Status

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

    async def _break(self, *args: Any, **kwargs: Any) -> None:
        raise StoreError("the disk is full")


@pytest.mark.parametrize(("part", "call"), [("inbox", "put"), ("outbox", "end_wait")])
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
    assert await store.values.get(record_key(PHONE)) is not None
    assert await store.outbox.claim()
    assert (await store.inbox.depth()).waiting == 1


async def test_a_template_that_is_held_back_until_somebody_writes_goes_then(store: Store, clock):
    await store.outbox.put("k", template_conversation(PHONE), {})
    waits = await store.outbox.claim()
    await store.outbox.retry_later(waits, DAY, cause=WINDOW)
    receiver = Receiver(store, Metrics(), note_status=_nobody, clock=clock)

    await receiver.receive([InboundMessage("m1", "text", phone=PHONE)])

    assert await store.outbox.claim()


async def test_the_first_message_of_somebody_waits_for_the_disk_once(store: Store, clock):
    transactions: list[str] = []
    store._writer._db.set_trace_callback(transactions.append)
    receiver = Receiver(store, Metrics(), note_status=_nobody, clock=clock)

    await receiver.receive([InboundMessage("m1", "text", phone=PHONE, user_id="US.1")])

    assert sum(each.startswith("COMMIT") for each in transactions) == 1
    assert (await People(store.values, clock=clock).of("US.1")).name == PHONE


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


class Notes:
    """What is done with statuses; those of one person are told in the order in which they end."""

    def __init__(self) -> None:
        self.noted: list[tuple[str | None, str]] = []
        self.at_once = 0
        self.most_at_once = 0

    async def note(self, status: Status) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        # The first ones take longest: only waiting for them keeps the order.
        for _ in range(10 if status.status == "sent" else 1):
            await asyncio.sleep(0)
        self.at_once -= 1
        self.noted.append((status.recipient_id, status.status))


async def test_statuses_of_several_people_are_noted_together_and_each_persons_in_order(store):
    notes = Notes()
    receiver = Receiver(store, Metrics(), note_status=notes.note)
    words = ("sent", "delivered", "read")

    await receiver.receive(
        Status(f"out{person}", word, recipient_id=person) for word in words for person in "abc"
    )

    assert notes.most_at_once == 3
    for person in "abc":
        assert [word for name, word in notes.noted if name == person] == list(words)


async def test_a_status_that_cannot_be_kept_is_asked_for_again(store):
    async def note(status: Status) -> None:
        if status.recipient_id == "b":
            raise StoreError("the disk is full")

    receiver = Receiver(store, Metrics(), note_status=note)

    with pytest.raises(StoreError):
        await receiver.receive([Status(f"out{p}", "sent", recipient_id=p) for p in "abc"])


async def test_messages_and_statuses_of_one_webhook_are_taken_in_their_order(store, clock):
    taken = []

    async def note(status: Status) -> None:
        taken.append((status.message_id, (await store.inbox.depth()).waiting))

    receiver = Receiver(store, Metrics(), note_status=note, clock=clock)
    message = InboundMessage("m1", "text", phone=PHONE, timestamp=int(clock.now))

    await receiver.receive([Status("out1", "sent"), message, Status("out2", "sent")])

    assert taken == [("out1", 0), ("out2", 1)]
