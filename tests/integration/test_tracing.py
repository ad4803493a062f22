"""One trace for a message, from the webhook that brings it to the last status of the answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode
from support.eventually import eventually
from support.spans import Spans, listening, told, trace_id
from support.webhooks import envelope, status, text, texts

from rasa_whatsapp_channel.conversation.message_notes import trace_key
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Body

PHONE = "4915112345678"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RECEIVED = "POST /webhooks/whatsapp/webhook"


@pytest.fixture
def spans() -> Iterator[Spans]:
    with listening() as spans:
        yield spans


async def answer(message) -> None:
    response = {"text": f"You said {message.text}", "utter_action": "utter_echo"}
    await message.output_channel.send_response(message.sender_id, response)


async def until(fact: Callable[[], bool], spans: Spans) -> None:
    await eventually(fact, told=lambda: "\n".join(spans.paths))


def status_of(sent: dict, name: str, message_id: str = "wamid.out1", **more) -> dict:
    """Return a webhook with a status of the message *sent*, as Meta delivers it."""
    data = sent["biz_opaque_callback_data"]
    found = status(message_id, name, PHONE, biz_opaque_callback_data=data, **more)
    return envelope([found])


async def test_a_message_its_answer_and_what_became_of_it_are_one_trace(serve, platform, spans):
    async with serve(answer) as running:
        await running.deliver(texts("hello"))
        (sent,) = await platform[0].sends(1)
        for name in ("sent", "delivered", "read"):
            assert await running.deliver(status_of(sent, name)) == 200
        await until(lambda: "status read" in spans.names, spans)
        await until(lambda: "process inbox" in spans.names, spans)
        await until(lambda: "process outbox" in spans.names, spans)

    heard = f"{RECEIVED} > send inbox > process inbox"
    put_out = f"{heard} > turn > compose > send outbox"
    trace_of = [path for path in spans.paths if path.startswith(RECEIVED) and path != RECEIVED]
    assert sorted(trace_of) == sorted(
        [
            f"{RECEIVED} > send inbox",
            heard,
            f"{heard} > mark_read",
            f"{heard} > turn",
            f"{heard} > turn > compose",
            put_out,
            f"{put_out} > process outbox",
            f"{put_out} > process outbox > send whatsapp",
            f"{put_out} > status sent",
            f"{put_out} > status delivered",
            f"{put_out} > status read",
        ]
    )
    of_message = spans.of_trace(spans.named("turn"))
    assert len(of_message) == len(trace_of) + 1
    assert len(spans.all) == len(of_message) + 3  # the webhooks of the statuses, which are linked
    for queue in ("inbox", "outbox"):
        (link,) = spans.named(f"process {queue}").links
        assert link.context.span_id == spans.named(f"send {queue}").context.span_id
    for name in ("sent", "delivered", "read"):
        (link,) = spans.named(f"status {name}").links
        webhook = [s for s in spans.all if s.context.span_id == link.context.span_id]
        assert [s.name for s in webhook] == [RECEIVED]
        assert trace_id(webhook[0]) != trace_id(spans.named("turn"))


async def test_files_are_part_of_the_trace_in_both_directions(
    serve, platform, spans, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "guide.pdf").write_bytes(b"%PDF-1.4 a guide")
    platform[0].files["4711"] = (b"%PDF-1.4 a bill", "application/pdf")
    document = {"id": "4711", "mime_type": "application/pdf", "filename": "bill.pdf"}
    content = text(PHONE, "wamid.in1", "")
    content["messages"][0] |= {"type": "document", "document": document}

    async def bot(message) -> None:
        attachment = {"type": "document", "path": "media/guide.pdf"}
        response = {"attachment": attachment, "utter_action": "utter_guide"}
        await message.output_channel.send_response(message.sender_id, response)

    async with serve(bot) as running:
        await running.deliver(envelope([content]))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    heard = f"{RECEIVED} > send inbox > process inbox"
    sent = f"{heard} > turn > compose > send outbox > process outbox"
    assert {
        f"{heard} > download",
        f"{sent} > convert",
        f"{sent} > upload",
    } <= set(spans.paths)
    assert told(spans.named("download"))["whatsapp.media.mime_type"] == "application/pdf"
    assert told(spans.named("upload"))["whatsapp.media.mime_type"] == "application/pdf"
    for secret in ("bill", "guide.pdf", "4711", PHONE):
        assert secret not in spans.text()


async def test_spans_say_what_they_are_in_the_words_of_opentelemetry(serve, platform, spans):
    async with serve(answer, mark_read=False, typing_indicator=False) as running:
        await running.deliver(texts("hello"))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    queue = {"messaging.system": "whatsapp", "whatsapp.message.type": "text"}
    assert {span.name: (span.kind, dict(told(span))) for span in spans.all} == {
        RECEIVED: (
            SpanKind.SERVER,
            {
                "http.request.method": "POST",
                "http.route": "/webhooks/whatsapp/webhook",
                "http.response.status_code": 200,
                "url.path": "/webhooks/whatsapp/webhook",
                "url.scheme": "http",
            },
        ),
        "send inbox": (
            SpanKind.PRODUCER,
            {
                **queue,
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": "inbox",
            },
        ),
        "process inbox": (
            SpanKind.CONSUMER,
            {
                **queue,
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": "inbox",
                "whatsapp.attempt": 1,
                "whatsapp.outcome": "done",
            },
        ),
        "turn": (SpanKind.INTERNAL, {}),
        "compose": (SpanKind.INTERNAL, {"rasa.response": "utter_echo"}),
        "send outbox": (
            SpanKind.PRODUCER,
            {
                **queue,
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": "outbox",
                "rasa.response": "utter_echo",
            },
        ),
        "process outbox": (
            SpanKind.CONSUMER,
            {
                **queue,
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": "outbox",
                "rasa.response": "utter_echo",
                "whatsapp.attempt": 1,
                "whatsapp.outcome": "done",
            },
        ),
        "send whatsapp": (
            SpanKind.CLIENT,
            {
                **queue,
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": "whatsapp",
                "whatsapp.api": "cloud",
            },
        ),
    }


async def test_a_trace_that_the_caller_began_goes_on(serve, platform, spans):
    payload = texts("hello")
    async with serve(answer) as running:
        await running.deliver(payload, headers=signed(payload) | {"traceparent": CALLER})
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    received = spans.named(RECEIVED)
    assert trace_id(received) == int(CALLER.split("-")[1], 16)
    assert received.parent.span_id == int(CALLER.split("-")[2], 16)
    assert set(spans.of_trace(received)) == set(spans.names)


def signed(payload: dict) -> dict[str, str]:
    digest = hmac.new(b"an-app-secret", json.dumps(payload).encode(), hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": "00-0-0-01"},
        {"traceparent": "\u00ff" * 55, "tracestate": "=,=;" * 1000},
        {"traceparent": CALLER, "tracestate": "a=1," * 500},
        {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "baggage": "a=%FF;;" * 500},
    ],
)
async def test_a_strange_context_of_a_caller_does_no_harm(serve, platform, spans, headers):
    payload = texts("hello")
    async with serve(answer) as running:
        assert await running.deliver(payload, headers=signed(payload) | headers) == 200
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    assert spans.path(spans.named("turn")) == f"{RECEIVED} > send inbox > process inbox > turn"


async def test_what_waits_for_the_bot_over_a_restart_stays_in_its_trace(serve, platform, spans):
    async def never(message) -> None:
        raise AssertionError("the agent was not ready")

    async with serve(never) as running:
        running.agent.ready = False
        await running.deliver(texts("hello"))
    assert [name for name in spans.names if name != RECEIVED] == ["send inbox"]

    async with serve(answer) as running:
        (sent,) = await platform[0].sends(1)
        await running.deliver(status_of(sent, "delivered"))
        await until(lambda: "status delivered" in spans.names, spans)

    first = next(span for span in spans.all if span.name == RECEIVED)
    names = spans.of_trace(first)
    assert {"turn", "send outbox", "send whatsapp", "status delivered"} <= set(names)
    assert names.count(RECEIVED) == 1


async def test_what_waits_for_whatsapp_over_a_restart_stays_in_its_trace(serve, platform, spans):
    fails = {"error": {"message": "(#2) Service temporarily unavailable", "code": 2}}
    platform[0].answers.extend([(503, fails)])
    async with serve(answer) as running:
        await running.deliver(texts("hello"))
        await until(lambda: "process outbox" in spans.names, spans)
    assert platform[0].sent == []

    async with serve(answer) as running:
        (sent,) = await platform[0].sends(1)
        await running.deliver(status_of(sent, "read"))
        await until(lambda: "status read" in spans.names, spans)
        await until(lambda: spans.names.count("process outbox") == 2, spans)

    tries = [span for span in spans.all if span.name == "process outbox"]
    assert {trace_id(span) for span in tries} == {trace_id(spans.named("turn"))}
    assert [told(span)["whatsapp.attempt"] for span in tries] == [1, 2]
    assert [told(span)["whatsapp.outcome"] for span in tries] == ["retry", "done"]
    refused, taken = (span for span in spans.all if span.name == "send whatsapp")
    assert (refused.status.status_code, told(refused)["error.type"]) == (StatusCode.ERROR, "2")
    assert taken.status.status_code is StatusCode.UNSET
    assert "status read" in spans.of_trace(spans.named("turn"))


async def test_without_callback_data_a_status_finds_its_trace_by_the_ledger(serve, platform, spans):
    async with serve(answer) as running:
        await running.deliver(texts("hello"))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)
        await running.deliver(envelope([status("wamid.out1", "delivered", PHONE)]))
        await until(lambda: "status delivered" in spans.names, spans)

    assert "status delivered" in spans.of_trace(spans.named("turn"))


async def test_a_status_of_a_message_that_nobody_traced_belongs_to_its_webhook(serve, spans):
    async with serve(answer) as running:
        await running.deliver(envelope([status("wamid.unknown", "delivered", PHONE)]))
        await until(lambda: RECEIVED in spans.names, spans)

    assert spans.paths == [RECEIVED, f"{RECEIVED} > status delivered"]


async def test_a_message_that_fails_on_its_way_to_the_phone_says_so_in_its_trace(
    serve, platform, spans
):
    errors = [{"code": 131026, "title": "Message undeliverable"}]
    heard = []

    async def bot(message) -> None:
        heard.append(message.text)
        if len(heard) == 1:
            await answer(message)

    async with serve(bot, failure_intent="failed") as running:
        await running.deliver(texts("hello"))
        (sent,) = await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)
        await running.deliver(status_of(sent, "failed", errors=errors))
        await until(lambda: spans.names.count("turn") == 2, spans)
        await until(lambda: spans.names.count("process inbox") == 2, spans)

    failed = spans.named("status failed")
    assert (failed.status.status_code, told(failed)["error.type"]) == (StatusCode.ERROR, "131026")
    first, second = (span for span in spans.all if span.name == "turn")
    assert trace_id(first) == trace_id(second)  # the bot hears of it in the trace it belongs to
    assert "status failed > send inbox > process inbox > turn" in spans.path(second)


async def test_a_bot_that_fails_is_seen_with_its_kind_of_failure_and_not_with_its_words(
    serve, platform, spans
):
    tries = []

    async def bot(message) -> None:
        tries.append(message)
        if len(tries) == 1:
            raise ValueError(f"cannot handle {message.text} of {message.sender_id}")
        await answer(message)

    async with serve(bot) as running:
        await running.deliver(texts("a secret"))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    failed, through = (span for span in spans.all if span.name == "turn")
    assert (failed.status.status_code, told(failed)["error.type"]) == (
        StatusCode.ERROR,
        "ValueError",
    )
    assert not failed.events
    assert through.status.status_code is StatusCode.UNSET
    assert trace_id(failed) == trace_id(through)


async def test_a_webhook_delivered_twice_is_put_once(serve, platform, spans):
    async with serve(answer) as running:
        await running.deliver(texts("hello"))
        await running.deliver(texts("hello"))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    first, second = (span for span in spans.all if span.name == "send inbox")
    assert "whatsapp.duplicate" not in told(first)
    assert told(second)["whatsapp.duplicate"] is True
    assert trace_id(spans.named("turn")) == trace_id(first)


async def test_spans_hold_no_person_and_no_text(serve, platform, spans):
    async with serve(answer, failure_intent="failed") as running:
        message_id = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFjNFQjBDNkE5"
        payload = envelope([text(PHONE, message_id, "my secret is 4711")])
        await running.deliver(payload)
        await running.deliver(payload, headers={"X-Hub-Signature-256": "sha256=00"})
        (sent,) = await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)
        failed = status_of(sent, "failed", errors=[{"code": 1, "title": f"{PHONE} is not there"}])
        await running.deliver(failed)
        await until(lambda: "status failed" in spans.names, spans)
        await platform[0].sends(2)  # the bot's answer to the intent

    exported = spans.text()
    for secret in (PHONE, PHONE[2:], "Person 5678", "secret", "4711", "wamid", "a-token"):
        assert secret not in exported


async def test_what_is_not_sampled_costs_no_span_and_stays_unsampled(serve, platform, tmp_path):
    with listening(sampler=ParentBased(ALWAYS_OFF)) as spans:
        async with serve(answer) as running:
            await running.deliver(texts("hello"))
            (sent,) = await platform[0].sends(1)
            await running.deliver(status_of(sent, "read"))
            await platform[0].eventually(lambda: bool(platform[0].receipts))

    assert spans.all == []
    _, kept = await kept_in(tmp_path)
    assert kept is None


async def test_while_nobody_listens_nothing_of_a_trace_is_kept(serve, platform, tmp_path):
    waiting, kept = await what_is_kept(serve, platform, tmp_path)
    assert waiting is not None
    assert "trace" not in waiting
    assert kept is None


async def test_an_entry_keeps_its_trace_in_the_standards_form(serve, platform, tmp_path, spans):
    waiting, kept = await what_is_kept(serve, platform, tmp_path)
    assert waiting is not None
    for carrier in (waiting["trace"], kept):
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]", carrier["traceparent"])


async def test_entries_from_before_somebody_listened_begin_a_trace_of_their_own(serve, platform):
    async with serve(answer) as running:
        running.agent.ready = False
        await running.deliver(texts("hello"))

    with listening() as spans:
        async with serve(answer) as running:
            (sent,) = await platform[0].sends(1)
            await running.deliver(status_of(sent, "delivered"))
            await until(lambda: "status delivered" in spans.names, spans)

    heard = spans.named("process inbox")
    assert heard.parent is None
    assert {"turn", "send whatsapp", "status delivered"} <= set(spans.of_trace(heard))


async def test_entries_from_while_somebody_listened_are_handled_when_nobody_does(serve, platform):
    fails = {"error": {"message": "(#2) Service temporarily unavailable", "code": 2}}
    platform[0].answers.append((503, fails))
    with listening() as spans:
        async with serve(answer) as running:
            await running.deliver(texts("hello"))
            await until(lambda: "process outbox" in spans.names, spans)
            running.agent.ready = False
            await running.deliver(texts("again", first=2))

    async with serve(answer):
        sent = await platform[0].sends(2)

    assert [body["text"]["body"] for body in sent] == ["You said hello", "You said again"]


async def test_what_is_said_outside_of_a_turn_is_a_trace_of_its_own(serve, platform, spans):
    async with serve(answer) as running:
        output = running.channel.get_output_channel()
        await output.send_response(PHONE, {"text": "Do not forget", "utter_action": "utter_remind"})
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    assert spans.paths[:2] == ["compose", "compose > send outbox"]
    assert set(spans.of_trace(spans.named("compose"))) == set(spans.names)


async def test_a_span_that_the_bot_makes_itself_is_part_of_the_trace(serve, platform, spans):
    async def bot(message) -> None:
        with trace.get_tracer_provider().get_tracer("bot").start_as_current_span("look it up"):
            await answer(message)

    async with serve(bot) as running:
        await running.deliver(texts("hello"))
        await platform[0].sends(1)
        await until(lambda: "process outbox" in spans.names, spans)

    assert spans.path(spans.named("compose")).endswith("turn > look it up > compose")


async def what_is_kept(serve, platform, folder: Path) -> tuple[Body | None, Any]:
    """Let one message be answered and one wait; return what `kept_in` finds then."""
    async with serve(answer) as running:
        await running.deliver(texts("hello"))
        await platform[0].sends(1)
        running.agent.ready = False
        await running.deliver(texts("again", first=2))
    return await kept_in(folder)


async def kept_in(folder: Path) -> tuple[Body | None, Any]:
    """Return what waits in the inbox, and the trace that is kept of the first answer."""
    async with open_store(f"sqlite:///{folder / 'whatsapp.db'}") as store:
        waiting = await store.inbox.waiting()
        trace_of_answer = await store.values.get(trace_key(f"wamid.in.{PHONE}.1:0"))
    return waiting[0].body if waiting else None, trace_of_answer
