"""
Spans and their contexts, in OpenTelemetry's words.

Names and attributes are those of the semantic conventions, where they have one; the rest begins
with ``whatsapp.`` or ``rasa.``. No span holds a person or a text: no number, no name, no message id
(WhatsApp's holds the number), no address of a file, and of an exception its class alone.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rasa_whatsapp_channel.instrumentation import RESPONSE, TRACE
from rasa_whatsapp_channel.metrics import STATUSES, TYPES, known
from rasa_whatsapp_channel.whatsapp.errors import APIError, TransportError
from rasa_whatsapp_channel.whatsapp.mime import EXTENSIONS, base_type

ATTEMPT: Final = "whatsapp.attempt"  # to handle an item, from 1
API: Final = "whatsapp.api"
ERROR: Final = "error.type"
MIME_TYPE: Final = "whatsapp.media.mime_type"
STATUS: Final = "whatsapp.status"
STATUS_CODE: Final = "http.response.status_code"
TYPE: Final = "whatsapp.message.type"

NO_LINKS: Final[Sequence[Link]] = ()

_MIME_TYPES: Final = frozenset(EXTENSIONS.values())

_ENTRY: Final = TraceContextTextMapPropagator()  # whatever the process speaks to others


class OpenSpan:
    """A span while its work is done."""

    def __init__(self, made: Span) -> None:
        self._span = made

    def set_attribute(self, name: str, value: Any) -> None:
        self._span.set_attribute(name, value)

    def set_file(self, mime_type: str | None) -> None:
        self._span.set_attributes(of_file(mime_type))

    def end_exchange(self, status: int) -> None:
        """Note the HTTP *status* of the server's answer; the conventions fail it from 500."""
        self._span.set_attribute(STATUS_CODE, status)
        if status >= 500:
            self.fail(str(status))

    def fail(self, why: str) -> None:
        self._span.set_attribute(ERROR, why)
        self._span.set_status(StatusCode.ERROR)


class Spans:
    """The spans of a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        attributes: Mapping[str, Any] | None = None,
        parent: Context | None = None,
        links: Sequence[Link] = NO_LINKS,
    ) -> Iterator[OpenSpan]:
        """Open a span and make it the current one; below *parent*, by default the current one."""
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            attributes=attributes,
            links=links,
            # An exception's text may hold what somebody wrote.
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            opened = OpenSpan(made)
            try:
                yield opened
            except BaseException as error:  # also a turn that is cancelled by its timeout
                opened.fail(error_type(error))
                raise

    def file(self, name: str, mime_type: str | None) -> AbstractContextManager[OpenSpan]:
        return self.span(name, attributes=of_file(mime_type))

    def request(
        self, method: str, path: str, scheme: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[OpenSpan]:
        # A server that is instrumented itself has made a span of the caller's context already.
        parent = None if is_in_trace() else propagate.extract(headers)
        attributes = {
            "http.request.method": method,
            "http.route": path,  # it has no parameters
            "url.path": path,  # without the query, which may hold the token
            "url.scheme": scheme,
        }
        name = f"{method} {path}"
        return self.span(name, SpanKind.SERVER, attributes=attributes, parent=parent)

    def put(self, queue: str, body: Mapping[str, Any]) -> AbstractContextManager[OpenSpan]:
        return self.span(
            f"send {queue}", SpanKind.PRODUCER, attributes=of_item("send", queue, body)
        )

    def process(
        self, queue: str, body: Mapping[str, Any], attempt: int
    ) -> AbstractContextManager[OpenSpan]:
        put_in = context_of(body)
        return self.span(
            f"process {queue}",
            SpanKind.CONSUMER,
            attributes={**of_item("process", queue, body), ATTEMPT: attempt},
            parent=put_in,
            links=links_to(put_in),
        )

    def send(self, api: str, kind: str) -> AbstractContextManager[OpenSpan]:
        attributes = {**of_operation("send", "whatsapp"), API: api, TYPE: kind}
        return self.span("send whatsapp", SpanKind.CLIENT, attributes=attributes)

    def status(self, status: str, kept: Any) -> AbstractContextManager[OpenSpan]:
        """Join the trace of the message, and link the webhook, which may hold others' too."""
        parent, links = None, NO_LINKS
        if kept is not None:
            parent, links = context_of({TRACE: kept}), links_to(None)
        word = known(status, STATUSES)
        return self.span(f"status {word}", attributes={STATUS: word}, parent=parent, links=links)

    def carry(self) -> dict[str, str]:
        return carry()

    def trace_to_keep(self, body: Mapping[str, Any]) -> Any:
        current = trace.get_current_span().get_span_context()
        return (body.get(TRACE) or carry()) if current.trace_flags.sampled else None


def error_type(error: BaseException) -> str:
    """Return WhatsApp's code, or the class of what went wrong; never a text."""
    if isinstance(error, APIError):
        return str(error.code or error.status)
    kind = type(error.__cause__ or error) if isinstance(error, TransportError) else type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return module + kind.__qualname__


def of_file(mime_type: str | None) -> dict[str, Any]:
    """Return what a span tells of a file: who sent one may have written anything as its type."""
    return {MIME_TYPE: known(base_type(mime_type or ""), _MIME_TYPES)}


def of_item(operation: str, destination: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a span tells of *body*, which goes into a queue or comes out of it."""
    attributes: dict[str, Any] = of_operation(operation, destination)
    message = body.get("message")  # in the outbox; in the inbox the item is the message
    kind = (message if isinstance(message, Mapping) else body).get("type")
    if isinstance(kind, str):
        attributes[TYPE] = known(kind, TYPES)
    if isinstance(body.get("response"), str):
        attributes[RESPONSE] = body["response"]
    return attributes


def of_operation(operation: str, destination: str) -> dict[str, Any]:
    return {
        "messaging.system": "whatsapp",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
    }


def links_to(context: Context | None) -> Sequence[Link]:
    """Return a link to the span of *context*, the current one's if it is None; maybe none."""
    found = trace.get_current_span(context).get_span_context()
    return (Link(found),) if found.is_valid else NO_LINKS


def is_in_trace() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def carry() -> dict[str, str]:
    """Return the current context as an item keeps it: ``traceparent``, maybe ``tracestate``."""
    carrier: dict[str, str] = {}
    _ENTRY.inject(carrier)
    return carrier


def context_of(body: Mapping[str, Any]) -> Context:
    """Return the context that *body* carries; one without a span where it carries none."""
    kept = body.get(TRACE)
    carrier = kept if isinstance(kept, Mapping) else {}
    texts = {name: text for name, text in carrier.items() if isinstance(text, str)}
    return _ENTRY.extract(texts, context=Context())
