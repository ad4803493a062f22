"""
What a run of the channel tells OpenTelemetry, kept in memory.

A process can set its provider only once. So the tests set one that can be switched: outside of
`listening` it is as if nobody listened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rasa_whatsapp_channel import instrumentation


class Spans:
    """The spans that have ended, as a tree."""

    def __init__(self, **options: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def all(self) -> Sequence[ReadableSpan]:
        """In the order of their beginnings."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.all]

    def named(self, name: str) -> ReadableSpan:
        """Return the only span of this name."""
        (span,) = (span for span in self.all if span.name == name)
        return span

    def parent_of(self, span: ReadableSpan) -> str | None:
        """Return the name of the span above *span*; None where none of ours is."""
        above = [each for each in self.all if span.parent and key(each) == span.parent.span_id]
        return above[0].name if above else None

    def path(self, span: ReadableSpan) -> str:
        """Return the names from the top down to *span*: ``a > b > c``."""
        names = [span.name]
        ids = {key(each): each for each in self.all}
        while span.parent and span.parent.span_id in ids:
            span = ids[span.parent.span_id]
            names.append(span.name)
        return " > ".join(reversed(names))

    @property
    def paths(self) -> list[str]:
        return [self.path(span) for span in self.all]

    def of_trace(self, span: ReadableSpan) -> list[str]:
        """Return the names of all spans in the trace of *span*."""
        return [each.name for each in self.all if trace_id(each) == trace_id(span)]

    def text(self) -> str:
        """
        Return what would leave the process of names, attributes and failures.

        Ids and times are left out: among random digits there is any number, some day.
        """
        return "\n".join(json.dumps(_words(json.loads(span.to_json()))) for span in self.all)


def _words(exported: Mapping[str, Any]) -> Sequence[object]:
    noted = (*exported["events"], *exported["links"])
    return (
        exported["name"],
        exported["status"],
        exported["attributes"],
        [(note.get("name"), note["attributes"]) for note in noted],
    )


def key(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


def told(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


class _Switch(trace.TracerProvider):
    """The provider of this process: that of *spans*, or none."""

    spans: Spans | None = None

    def get_tracer(self, *args: Any, **options: Any) -> trace.Tracer:
        provider = self.spans.provider if self.spans else trace.NoOpTracerProvider()
        return provider.get_tracer(*args, **options)


_switch = _Switch()


@contextmanager
def listening(**options: Any) -> Iterator[Spans]:
    """Collect what servers tell that start in here; *options* are those of the SDK's provider."""
    if trace.get_tracer_provider() is not _switch:
        trace.set_tracer_provider(_switch)
    _switch.spans = Spans(**options)
    try:
        yield _switch.spans
    finally:
        _switch.spans = None
        instrumentation.use(None)


@contextmanager
def recording() -> Iterator[Spans]:
    """Collect the spans of parts that are used in here, without a server."""
    spans = Spans()
    instrumentation.use(spans.provider.get_tracer("test"))
    try:
        yield spans
    finally:
        instrumentation.use(None)
