"""
Instrumentation: the spans of a message, from the webhook that brings it to its last status.

The parts open spans where they work. They cost nothing until `start` finds a tracer provider of
OpenTelemetry. docs/monitoring.md lists the spans; `spans` has their names and attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from rasa_whatsapp_channel.distribution import PRODUCT, installed_version

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from rasa_whatsapp_channel.instrumentation.spans import Spans

# Attributes that the parts set themselves.
CONVERTED: Final = "whatsapp.media.converted"
DUPLICATE: Final = "whatsapp.duplicate"
OUTCOME: Final = "whatsapp.outcome"  # of handling an item: done, retry, wait, dead_letter
RESPONSE: Final = "rasa.response"

TRACE: Final = "trace"  # the key of a queue item that holds its context

_spans: Spans | None = None


class NoSpan(AbstractContextManager["NoSpan"]):
    """A span that records nothing."""

    def __exit__(self, *_: object) -> None:
        return

    def set_attribute(self, name: str, value: object) -> None:
        return

    def set_file(self, mime_type: str | None) -> None:
        return

    def end_exchange(self, status: int) -> None:
        return

    def fail(self, why: str) -> None:
        return


_NO_SPAN: Final = NoSpan()


def start() -> None:
    """
    Use the tracer provider of this process, if there is one.

    A provider comes from Rasa Pro's ``tracing:``, from ``opentelemetry-instrument``, or from the
    bot's own code, and has to be there when the server starts.
    """
    use(_find_tracer())


def use(tracer: Tracer | None) -> None:
    """Make spans with *tracer*; None: make none."""
    global _spans
    if tracer is None:
        _spans = None
        return
    from rasa_whatsapp_channel.instrumentation.spans import Spans

    _spans = Spans(tracer)


def is_on() -> bool:
    return _spans is not None


def _find_tracer() -> Tracer | None:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):  # stands in until somebody sets one
        return None
    tracer = provider.get_tracer(PRODUCT, installed_version())
    return None if isinstance(tracer, trace.NoOpTracer) else tracer  # OTEL_SDK_DISABLED=true


def span(name: str, attributes: Mapping[str, Any] | None = None) -> Any:
    """Return a context manager that opens a span below the current one."""
    return _spans.span(name, attributes=attributes) if _spans else _NO_SPAN


def file_span(name: str, mime_type: str | None) -> Any:
    """Return the span of work on a file."""
    return _spans.file(name, mime_type) if _spans else _NO_SPAN


def request_span(method: str, path: str, scheme: str, headers: Mapping[str, str]) -> Any:
    """Return the span of a request to the server; a trace that the caller began is continued."""
    return _spans.request(method, path, scheme, headers) if _spans else _NO_SPAN


def put_span(queue: str, body: Mapping[str, Any]) -> Any:
    """Return the span of putting *body* into *queue*."""
    return _spans.put(queue, body) if _spans else _NO_SPAN


def process_span(queue: str, body: Mapping[str, Any], attempt: int) -> Any:
    """Return the span of handling an item of *queue*, in the trace that it was put in."""
    return _spans.process(queue, body, attempt) if _spans else _NO_SPAN


def send_span(api: str, kind: str) -> Any:
    """Return the span of sending a message of type *kind*."""
    return _spans.send(api, kind) if _spans else _NO_SPAN


def status_span(status: str, trace: Any) -> Any:
    """Return the span of a status, in the *trace* of its message if that is known."""
    return _spans.status(status, trace) if _spans else _NO_SPAN


def with_trace(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *body* with the current context in it, so that its handling continues the trace."""
    return {**body, TRACE: _spans.carry()} if _spans else body


def trace_to_keep(body: Mapping[str, Any]) -> Any:
    """Return the context that the statuses of *body* belong to; None if it is not recorded."""
    return _spans.trace_to_keep(body) if _spans else None
