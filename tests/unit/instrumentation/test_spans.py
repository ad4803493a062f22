"""What spans tell, and how a trace is kept in an entry: tables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry import trace
from support.spans import Spans

from rasa_whatsapp_channel.instrumentation import spans
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage, to_body

PHONE = "4915112345678"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (to_body(InboundMessage("wamid.1", "image", phone=PHONE)), {"type": "image"}),
        (to_body(InboundMessage("wamid.1", "hologram", phone=PHONE)), {"type": "other"}),
        (to_body(DeliveryFailed("k", PHONE, 131026, "gone", "utter_hi")), {"response": "utter_hi"}),
        (
            {"recipient_id": PHONE, "message": {"type": "text", "text": {"body": "hi"}}},
            {"type": "text"},
        ),
        (
            {"recipient_id": PHONE, "message": {"type": "template"}, "response": "utter_bye"},
            {"type": "template", "response": "utter_bye"},
        ),
        # what an older or a newer version may have written, or nobody
        ({}, {}),
        ({"message": "hi", "type": 5, "response": ["utter_hi"]}, {}),
        ({"message": {"type": None}}, {}),
    ],
)
def test_of_an_entry_its_type_and_its_response_are_told(body: Any, told: dict[str, str]) -> None:
    names = {"type": "whatsapp.message.type", "response": "rasa.response"}

    assert spans.of_item("process", "inbox", body) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "inbox",
        **{names[name]: value for name, value in told.items()},
    }


@pytest.mark.parametrize(
    ("mime_type", "told"),
    [
        ("image/jpeg", "image/jpeg"),
        ("audio/ogg; codecs=opus", "audio/ogg"),
        ("APPLICATION/PDF", "application/pdf"),
        (f"text/{PHONE}", "other"),
        (None, "other"),
    ],
)
def test_of_a_file_its_type_is_told_where_it_is_one(mime_type: str | None, told: str) -> None:
    assert spans.of_file(mime_type) == {"whatsapp.media.mime_type": told}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            APIError(PlatformError(131047, PHONE), status=400, verdict=Verdict.FIX_AND_RETRY),
            "131047",
        ),
        (APIError(PlatformError(0, PHONE), status=502, verdict=Verdict.RETRY), "502"),
        (caused(TransportError(PHONE), ConnectionResetError(PHONE)), "ConnectionResetError"),
        (caused(TransportError(PHONE), asyncio.TimeoutError()), "TimeoutError"),
        (TransportError(PHONE), "rasa_whatsapp_channel.whatsapp.errors.TransportError"),
        (MediaError(PHONE), "rasa_whatsapp_channel.whatsapp.errors.MediaError"),
        (KeyError(PHONE), "KeyError"),
    ],
)
def test_of_an_error_its_code_or_its_class_is_told(error: Exception, told: str) -> None:
    assert spans.error_type(error).removeprefix("asyncio.exceptions.") == told


@pytest.mark.parametrize(
    "kept", [None, {}, "00-0af7", ["x"], {"traceparent": 5}, {"traceparent": ""}]
)
def test_what_is_no_context_is_the_beginning_of_a_trace(kept: Any) -> None:
    context = spans.context_of({"trace": kept})

    assert trace.get_current_span(context) is trace.INVALID_SPAN


def test_a_context_is_kept_as_the_standard_writes_it_with_its_state() -> None:
    carrier = {"traceparent": PARENT, "tracestate": "vendor=1"}

    collected = Spans()
    made = spans.Spans(collected.provider.get_tracer("test"))
    with made.span("below", parent=spans.context_of({"trace": carrier})):
        kept = spans.carry()

    (below,) = collected.all
    assert kept["traceparent"].startswith(PARENT[:36])
    assert kept["tracestate"] == "vendor=1"
    assert below.parent is not None
    assert f"{below.parent.span_id:016x}" == PARENT.split("-")[2]


def test_an_exception_is_told_by_its_class_and_goes_on() -> None:
    collected = Spans()
    made = spans.Spans(collected.provider.get_tracer("test"))

    with pytest.raises(ValueError, match=PHONE), made.span("turn"):
        raise ValueError(PHONE)

    (turn,) = collected.all
    assert turn.status.status_code is trace.StatusCode.ERROR
    assert turn.status.description is None
    assert dict(turn.attributes or {}) == {"error.type": "ValueError"}
    assert not turn.events
