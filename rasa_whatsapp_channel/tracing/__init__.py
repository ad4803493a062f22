"""
One trace for a message: from the webhook that brings it to the last status of the answer.

    __init__   whether anybody listens; if not, nothing is put around anything
    seams      what is put around the parts of the channel
    spans      spans and contexts: what they are called, what they tell, how they are stored

The parts know nothing of it. `app` hands each of them to a `Tracing`, once, when the server
starts, and goes on with what it gets back. docs/monitoring.md lists the spans.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rasa_whatsapp_channel.common import PRODUCT, installed_version
from rasa_whatsapp_channel.inbound.worker import Bot
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import Handler, Store
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.transport import Transport

Receive = Callable[..., Awaitable[Any]]  # of a request of the server's, and more
NoteStatus = Callable[[Status], Awaitable[None]]


class Tracing:
    """Nobody listens: every part stays as it is, and costs what it costs."""

    def receive(self, receive: Receive) -> Receive:
        return receive

    def store(self, store: Store) -> Store:
        return store

    def handle(self, queue: str, handle: Handler, store: Store) -> Handler:
        return handle

    def bot(self, bot: Bot) -> Bot:
        return bot

    def writer(self, writer: OutboxWriter) -> OutboxWriter:
        return writer

    def client(self, client: Client) -> Client:
        return client

    def transport(self, transport: Transport) -> Transport:
        return transport

    def converter(self, converter: Converter) -> Converter:
        return converter

    def note_status(self, note: NoteStatus, store: Store) -> NoteStatus:
        return note


def find_tracing() -> Tracing:
    """
    Return what traces for the provider that this process has; OpenTelemetry's own word decides.

    A provider comes from Rasa Pro's ``tracing:``, from ``opentelemetry-instrument``, or from the
    bot's own code, and has to be there when the server starts.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        return Tracing()
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):  # stands in until somebody sets one
        return Tracing()
    tracer = provider.get_tracer(PRODUCT, installed_version())
    if isinstance(tracer, trace.NoOpTracer):  # OTEL_SDK_DISABLED=true
        return Tracing()

    from rasa_whatsapp_channel.tracing.seams import OpenTelemetry

    return OpenTelemetry(tracer)
