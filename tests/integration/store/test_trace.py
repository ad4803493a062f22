"""The trace of an entry, in every store: put by one server, handled and ended by another."""

from __future__ import annotations

from support.spans import Spans, told, trace_id

from rasa_whatsapp_channel.store.base import DONE, Outcome, QueueItem, Store
from rasa_whatsapp_channel.tracing.seams import OpenTelemetry
from rasa_whatsapp_channel.whatsapp.events import Status

BODY = {"recipient_id": "4915112345678", "message": {"type": "text", "text": {"body": "hi"}}}


def server(spans: Spans) -> OpenTelemetry:
    return OpenTelemetry(spans.provider.get_tracer("test"))


async def handle(_item: QueueItem) -> Outcome:
    return DONE


async def note(_status: Status) -> None: ...


async def take(queue) -> QueueItem:
    item = await queue.claim()
    assert item is not None
    return item


async def test_another_server_goes_on_with_the_trace_and_a_third_joins_the_status(store: Store):
    spans = Spans()
    plain = store.outbox  # as a server sees it that nobody listens to
    traced = server(spans).store(store).outbox

    assert await traced.put("k:0", "4915112345678", BODY)
    item = await take(plain)
    await server(spans).handle("outbox", handle, store)(item)
    await plain.done(item)
    status = Status("wamid.out", "delivered", callback_data="k:0")
    await server(spans).note_status(note, store)(status)

    assert sorted(spans.paths) == [
        "send outbox",
        "send outbox > process outbox",
        "send outbox > status delivered",
    ]
    assert len({trace_id(span) for span in spans.all}) == 1


async def test_a_key_that_was_put_before_keeps_its_first_trace(store: Store):
    spans = Spans()
    queue = server(spans).store(store).outbox

    assert await queue.put("k:0", "4915112345678", BODY)
    assert not await queue.put("k:0", "4915112345678", BODY)
    await server(spans).handle("outbox", handle, store)(await take(queue))

    first, second = (span for span in spans.all if span.name == "send outbox")
    assert trace_id(spans.named("process outbox")) == trace_id(first) != trace_id(second)
    assert told(second)["whatsapp.duplicate"] is True


async def test_what_is_a_dead_letter_and_tried_again_by_a_person_goes_on_in_its_trace(store: Store):
    spans = Spans()
    queue = server(spans).store(store).outbox

    await queue.put("k:0", "4915112345678", BODY)
    await queue.dead_letter(await take(queue), "the bot failed")
    assert await queue.requeue("k:0")
    await server(spans).handle("outbox", handle, store)(await take(queue))

    assert spans.paths == ["send outbox", "send outbox > process outbox"]


async def test_an_entry_of_an_older_version_begins_a_trace(store: Store):
    spans = Spans()
    await store.outbox.put("k:0", "4915112345678", BODY)
    server(spans).store(store)

    await server(spans).handle("outbox", handle, store)(await take(store.outbox))
    status = Status("wamid.out", "read", callback_data="k:0")
    await server(spans).note_status(note, store)(status)

    assert spans.paths == ["process outbox", "process outbox > status read"]


async def test_a_status_finds_its_trace_by_the_ledger_where_the_api_brings_nothing_back(
    store: Store,
):
    spans = Spans()
    queue = server(spans).store(store).outbox
    await queue.put("k:0", "4915112345678", BODY)
    await server(spans).handle("outbox", handle, store)(await take(queue))
    await store.ledger.note_sent("gBEG", key="k:0", recipient_id="4915112345678")

    for message_id in ("gBEG", "of somebody else"):
        await server(spans).note_status(note, store)(Status(message_id, "read"))

    assert sorted(spans.paths) == [
        "send outbox",
        "send outbox > process outbox",
        "send outbox > status read",
        "status read",
    ]
