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
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rasa_whatsapp_channel.metrics import TYPES, known
from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.mime import ENDINGS, base_type

ATTEMPT: Final = "whatsapp.attempt"  # to handle an entry, from 1
API: Final = "whatsapp.api"
CONVERTED: Final = "whatsapp.media.converted"
DUPLICATE: Final = "whatsapp.duplicate"
ERROR: Final = "error.type"
MIME_TYPE: Final = "whatsapp.media.mime_type"
OUTCOME: Final = "whatsapp.outcome"  # of handling an entry: done, retry, wait, dead_letter
RESPONSE: Final = "rasa.response"
STATUS: Final = "whatsapp.status"
STATUS_CODE: Final = "http.response.status_code"
TYPE: Final = "whatsapp.message.type"

NO_LINKS: Final[Sequence[Link]] = ()

_MIME_TYPES: Final = frozenset(ENDINGS.values())

TRACE: Final = "trace"  # where an entry of a queue holds its context
_ENTRY: Final = TraceContextTextMapPropagator()  # whatever the process speaks to others


class Spans:
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
    ) -> Iterator[Span]:
        """Make a span the current one. *parent* is the current one, where none is given."""
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            attributes=attributes,
            links=links,
            # An exception's text may hold what somebody wrote.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except (
                BaseException
            ) as error:  # also a turn that is cancelled because it takes too long
                fail(span, error_type(error))
                raise


def fail(span: Span, why: str) -> None:
    span.set_attribute(ERROR, why)
    span.set_status(StatusCode.ERROR)


def error_type(error: BaseException) -> str:
    """Return WhatsApp's code, or the class of what went wrong; never a text."""
    if isinstance(error, APIError):
        return str(error.code or error.status)
    kind = type(error.__cause__ or error) if isinstance(error, TransportError) else type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return module + kind.__qualname__


def code_of(error: PlatformError) -> str:
    return str(error.code or "_OTHER")  # the conventions' word


def end_exchange(span: Span, status: int, *, fails_from: int) -> None:
    """Note the HTTP *status*; the conventions count 4xx as an error of the client's span only."""
    span.set_attribute(STATUS_CODE, status)
    if status >= fails_from:
        fail(span, str(status))


def of_request(method: str, url: str) -> dict[str, Any]:
    """
    Return what a span tells of a request that we make.

    The conventions want ``url.full`` too; addresses of files hold their keys, so it is left away.
    """
    told: dict[str, Any] = {"http.request.method": method}
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # no address: whoever makes the request says so
        return told
    told["server.address"] = parts.hostname or ""
    if port:
        told["server.port"] = port
    return told


def of_file(mime_type: str | None) -> dict[str, Any]:
    """Return what a span tells of a file: who sent one may have written anything as its type."""
    told = known(base_type(mime_type or ""), _MIME_TYPES)
    return {MIME_TYPE: told}


def of_entry(operation: str, destination: str, body: Body) -> dict[str, Any]:
    """Return what a span tells of *body*, which goes into a queue or comes out of it."""
    told = of_operation(operation, destination)
    message = body.get("message")  # in the outbox; in the inbox the entry is the message
    kind = (message if isinstance(message, Mapping) else body).get("type")
    if isinstance(kind, str):
        told[TYPE] = known(kind, TYPES)
    if isinstance(body.get("response"), str):
        told[RESPONSE] = body["response"]
    return told


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
    """Return the current context as an entry keeps it: ``traceparent``, maybe ``tracestate``."""
    carrier: dict[str, str] = {}
    _ENTRY.inject(carrier)
    return carrier


def context_of(body: Body) -> Context:
    """Return the context that *body* carries; one without a span where it carries none."""
    kept = body.get(TRACE)
    carrier = kept if isinstance(kept, Mapping) else {}
    texts = {name: text for name, text in carrier.items() if isinstance(text, str)}
    return _ENTRY.extract(texts, context=Context())
