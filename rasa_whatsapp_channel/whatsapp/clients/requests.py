"""Requests as values; what they carry to prove who sends them is added by `Exchange`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.clients.urls import join, origin
from rasa_whatsapp_channel.whatsapp.transport import File, Form, Request

# seconds for 100 MB, the largest document, over a slow line
MEDIA_TIMEOUT: Final = 300.0
# what a simulator is told of a message
NOTE: Final = "X-Rasa-Response"
NOTE_TIMEOUT: Final = 2.0
_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(body: Mapping[str, Any]) -> bytes:
    # Half a character, which some sources cut an emoji into, becomes "?" instead of an exception.
    return _encoder.encode(body).encode(errors="replace")


def json_request(method: str, url: str, body: Mapping[str, Any]) -> Request:
    return Request(method, url, {"Content-Type": "application/json"}, encode(body))


def with_note(request: Request, note: str) -> Request:
    """Return *request* and *note* in a header."""
    return replace(request, headers={**request.headers, NOTE: note})


def given_up_request(base_url: str, told: Mapping[str, Any]) -> Request:
    """Return what tells a simulator at *base_url* of a message that is not sent."""
    url = join(origin(base_url) or base_url, "simulator", "given-up")
    return replace(json_request("POST", url, told), timeout=NOTE_TIMEOUT)


def form_upload_request(url: str, file: File) -> Request:
    # The file part's own type is what counts: "(#100) Param file must be a file with …" without it.
    fields = {"messaging_product": "whatsapp", "type": file.mime_type}
    return Request("POST", url, body=Form(fields, file), timeout=MEDIA_TIMEOUT)


def raw_upload_request(url: str, file: File) -> Request:
    return Request("POST", url, body=file, timeout=MEDIA_TIMEOUT)


def download_request(url: str) -> Request:
    return Request("GET", url, timeout=MEDIA_TIMEOUT)
