"""The trace of an item, in every store: put by one server, handled and ended by another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.quiet_client import QuietClient
from support.spans import Spans, recording, told, trace_id

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.sent_record import SentRecord
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.store.base import Queue, QueueItem, Store
from rasa_whatsapp_channel.whatsapp.events import Status

BODY = {"recipient_id": "4915112345678", "message": {"type": "text", "text": {"body": "hi"}}}


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recording() as spans:
        yield spans


async def sleep(_seconds: float) -> None: ...


async def claim(queue: Queue) -> QueueItem:
    item = await queue.claim()
    assert item is not None
    return item


async def process(store: Store, item: QueueItem) -> None:
    """Do with *item* what consumer and sender do before it is sent."""
    with instrumentation.process_span("outbox", item.body, item.attempts):
        record = SentRecord(store, People(store.values), client=QuietClient(), sleep=sleep)
        await record.keep_trace(item)


async def note(store: Store, message_id: str, status: str, key: str | None = None) -> None:
    statuses = Statuses(store, Failures(store.inbox), AccountState(store.values))
    await statuses.note(Status(message_id, status, callback_data=key))


async def test_another_server_continues_the_trace_and_a_third_joins_the_status(
    store: Store, spans: Spans
):
    assert await store.outbox.put("k:0", "4915112345678", BODY)
    item = await claim(store.outbox)
    await process(store, item)
    await store.outbox.done(item)
    await note(store, "wamid.out", "delivered", "k:0")

    assert sorted(spans.paths) == [
        "send outbox",
        "send outbox > process outbox",
        "send outbox > status delivered",
    ]
    assert len({trace_id(span) for span in spans.all}) == 1


async def test_a_key_that_was_put_before_keeps_its_first_trace(store: Store, spans: Spans):
    assert await store.outbox.put("k:0", "4915112345678", BODY)
    assert not await store.outbox.put("k:0", "4915112345678", BODY)
    await process(store, await claim(store.outbox))

    first, second = (span for span in spans.all if span.name == "send outbox")
    assert trace_id(spans.named("process outbox")) == trace_id(first) != trace_id(second)
    assert told(second)["whatsapp.duplicate"] is True


async def test_a_dead_letter_that_is_tried_again_continues_its_trace(store: Store, spans: Spans):
    await store.outbox.put("k:0", "4915112345678", BODY)
    await store.outbox.dead_letter(await claim(store.outbox), "the bot failed")
    assert await store.outbox.requeue("k:0")
    await process(store, await claim(store.outbox))

    assert spans.paths == ["send outbox", "send outbox > process outbox"]


async def test_an_item_without_a_trace_begins_one(store: Store):
    await store.outbox.put("k:0", "4915112345678", BODY)
    with recording() as spans:
        await process(store, await claim(store.outbox))
        await note(store, "wamid.out", "read", "k:0")

    assert spans.paths == ["process outbox", "process outbox > status read"]


async def test_a_status_finds_its_trace_by_the_ledger_if_the_api_returns_no_key(
    store: Store, spans: Spans
):
    await store.outbox.put("k:0", "4915112345678", BODY)
    await process(store, await claim(store.outbox))
    await store.ledger.note_sent("gBEG", key="k:0", recipient_id="4915112345678")

    for message_id in ("gBEG", "of somebody else"):
        await note(store, message_id, "read")

    assert sorted(spans.paths) == [
        "send outbox",
        "send outbox > process outbox",
        "send outbox > status read",
        "status read",
    ]
