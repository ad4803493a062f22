"""What is put around the parts of the channel while somebody listens."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from opentelemetry import propagate
from opentelemetry.trace import Span, SpanKind, Tracer

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.conversation.message_notes import MessageNotes
from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.inbound.worker import Bot
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.metrics import STATUSES, known
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import (
    Body,
    DeadLetter,
    Done,
    Handler,
    Outcome,
    Queue,
    QueueItem,
    Store,
)
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.tracing import NoteStatus, Receive, Tracing, spans
from rasa_whatsapp_channel.tracing.spans import TRACE, Spans, carry, context_of
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client, Download
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.identity import Address
from rasa_whatsapp_channel.whatsapp.messages import Message
from rasa_whatsapp_channel.whatsapp.transport import (
    File,
    Request,
    Response,
    StreamedResponse,
    Transport,
)

logger = logging.getLogger(__name__)

# How long the trace of a sent message is kept for its statuses.
KEPT: Final = DAY


class OpenTelemetry(Tracing):
    """Spans of *tracer* around every part."""

    def __init__(self, tracer: Tracer) -> None:
        self._spans = Spans(tracer)

    def receive(self, receive: Receive) -> Receive:
        async def traced(request: Any, *more: Any) -> Any:
            # A server that is instrumented itself has made a span of the caller's context already.
            parent = None if spans.is_in_trace() else propagate.extract(request.headers)
            told = {
                "http.request.method": request.method,
                "http.route": request.path,  # it has no parameters
                "url.path": request.path,  # without the query, which may hold the token
                "url.scheme": request.scheme,
            }
            name = f"{request.method} {request.path}"
            with self._spans.span(name, SpanKind.SERVER, attributes=told, parent=parent) as span:
                response = await receive(request, *more)
                spans.end_exchange(span, response.status, fails_from=500)
            return response

        return traced

    def store(self, store: Store) -> Store:
        store.inbox = cast(Queue, _Queue(store.inbox, self._spans, "inbox"))
        store.outbox = cast(Queue, _Queue(store.outbox, self._spans, "outbox"))
        return store

    def handle(self, queue: str, handle: Handler, store: Store) -> Handler:
        async def traced(item: QueueItem) -> Outcome:
            told = spans.of_entry("process", queue, item.body)
            told[spans.ATTEMPT] = item.attempts
            put_in = context_of(item.body)
            with self._spans.span(
                f"process {queue}",
                SpanKind.CONSUMER,
                attributes=told,
                parent=put_in,
                links=spans.links_to(put_in),
            ) as span:
                if queue == "outbox":
                    await _keep_trace(store, item, span)
                outcome = await handle(item)
                span.set_attribute(spans.OUTCOME, _word(outcome))
                if isinstance(outcome, DeadLetter):
                    spans.fail(span, "dead_letter")
                return outcome

        return traced

    def bot(self, bot: Bot) -> Bot:
        async def traced(turn: Turn, *, repeated: bool) -> bool | None:
            with self._spans.span("turn"):
                return await bot(turn, repeated=repeated)

        return traced

    def writer(self, writer: OutboxWriter) -> OutboxWriter:
        return cast(OutboxWriter, _OutboxWriter(writer, self._spans))

    def client(self, client: Client) -> Client:
        return cast(Client, _Client(client, self._spans))

    def transport(self, transport: Transport) -> Transport:
        return cast(Transport, _Transport(transport, self._spans))

    def converter(self, converter: Converter) -> Converter:
        return cast(Converter, _Converter(converter, self._spans))

    def note_status(self, note: NoteStatus, store: Store) -> NoteStatus:
        async def traced(status: Status) -> None:
            """Join the trace of the message, and link the webhook, which may hold others' too."""
            kept = await _find_trace(store, status)
            parent, links = None, spans.NO_LINKS
            if kept is not None:
                parent, links = context_of({TRACE: kept}), spans.links_to(None)
            word = known(status.status, STATUSES)
            told = {spans.STATUS: word}
            with self._spans.span(
                f"status {word}", attributes=told, parent=parent, links=links
            ) as span:
                if status.errors:
                    spans.fail(span, spans.code_of(status.errors[0]))
                await note(status)

        return traced


class _Around:
    """Whatever a part does beside what is traced, it does as it did."""

    def __init__(self, part: Any, made: Spans) -> None:
        self._part = part
        self._spans = made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


class _Queue(_Around):
    """Every entry carries the context that it was put in, however long it waits."""

    def __init__(self, queue: Queue, made: Spans, name: str) -> None:
        super().__init__(queue, made)
        self._name = name

    async def put(self, key: str, conversation: str, body: Body) -> bool:
        with self._spans.span(
            f"send {self._name}",
            SpanKind.PRODUCER,
            attributes=spans.of_entry("send", self._name, body),
        ) as span:
            is_new: bool = await self._part.put(key, conversation, {**body, TRACE: carry()})
            if not is_new:
                span.set_attribute(spans.DUPLICATE, True)
            return is_new

    async def put_dead_letter(self, key: str, conversation: str, body: Body, reason: str) -> bool:
        carried = {**body, TRACE: carry()}
        return bool(await self._part.put_dead_letter(key, conversation, carried, reason))


class _OutboxWriter(_Around):
    async def write(self, recipient_id: str, response: Any) -> None:
        name = response.get("utter_action")
        told = {spans.RESPONSE: name} if isinstance(name, str) else {}
        with self._spans.span("compose", attributes=told):
            await self._part.write(recipient_id, response)


class _Client(_Around):
    async def send(self, to: Address | str, message: Message, **more: Any) -> Accepted:
        told = spans.of_operation("send", "whatsapp")
        told |= {spans.API: self._part.api.name, spans.TYPE: message.type}
        with self._spans.span("send whatsapp", SpanKind.CLIENT, attributes=told):
            accepted: Accepted = await self._part.send(to, message, **more)
            return accepted

    async def upload(self, file: File) -> str:
        with self._spans.span("upload", attributes=spans.of_file(file.mime_type)):
            return str(await self._part.upload(file))

    @asynccontextmanager
    async def download(self, media_id: str, *, url: str | None = None) -> AsyncIterator[Download]:
        with self._spans.span("download") as span:
            async with self._part.download(media_id, url=url) as download:
                span.set_attributes(spans.of_file(download.mime_type))
                yield download

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        with self._spans.span("mark_read"):
            await self._part.mark_read(message_id, typing=typing)


class _Transport(_Around):
    async def send(self, request: Request) -> Response:
        with self._request(request) as span:
            response: Response = await self._part.send(request)
            spans.end_exchange(span, response.status, fails_from=400)
            return response

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedResponse]:
        with self._request(request) as span:
            async with self._part.stream(request) as answer:
                spans.end_exchange(span, answer.status, fails_from=400)
                yield answer

    def _request(self, request: Request) -> Any:
        told = spans.of_request(request.method, request.url)
        return self._spans.span(request.method, SpanKind.CLIENT, attributes=told)


class _Converter(_Around):
    async def fit(self, path: Path, digest: str, need: Need, mime_type: str) -> Path:
        with self._spans.span("convert", attributes=spans.of_file(mime_type)) as span:
            fitting: Path = await self._part.fit(path, digest, need, mime_type)
            span.set_attribute(spans.CONVERTED, fitting != path)
            return fitting


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Done):
        return "done"
    if isinstance(outcome, DeadLetter):
        return "dead_letter"
    return "retry" if outcome.counted else "wait"


async def _keep_trace(store: Store, item: QueueItem, span: Span) -> None:
    """Keep where the statuses of a message belong; nobody waits for those of one without spans."""
    if not span.get_span_context().trace_flags.sampled:
        return
    try:
        await MessageNotes(store.values).keep_trace(item.key, item.body.get(TRACE) or carry(), KEPT)
    except StoreError as error:  # the message goes all the same
        logger.info("whatsapp.trace_not_kept: %s: %s", item.key, error)


async def _find_trace(store: Store, status: Status) -> Any:
    """Return the context that `_keep_trace` kept; None where it is not known (any more)."""
    try:
        key = status.callback_data  # the outbox entry's, where the API brings it back
        if not key:
            sent = await store.ledger.get(status.message_id)
            if sent is None:
                return None
            key = sent.key
        return await MessageNotes(store.values).trace(key)
    except StoreError:
        return None  # whoever notes the status hears of it
