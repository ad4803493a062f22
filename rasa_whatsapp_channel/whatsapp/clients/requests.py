"""
Requests of the clients as values, and URLs: joining them, and which may be sent the token.

`Exchange` adds the credentials.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

from rasa_whatsapp_channel.whatsapp.transport import File, Form, Request

# seconds for 100 MB, the largest document, over a slow line
MEDIA_TIMEOUT: Final = 300.0
# seconds for what only an API on this machine is told
LOCAL_TIMEOUT: Final = 2.0
_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def encode(body: Mapping[str, Any] | list[Any]) -> bytes:
    # A lone surrogate becomes "?" instead of an exception.
    return _encoder.encode(body).encode(errors="replace")


def json_request(method: str, url: str, body: Mapping[str, Any] | list[Any]) -> Request:
    return Request(method, url, {"Content-Type": "application/json"}, encode(body))


def local_request(base_url: str, path: str, body: Mapping[str, Any]) -> Request:
    """Return a request to *path* on the host of *base_url*."""
    request = json_request("POST", f"{origin(base_url) or base_url}{path}", body)
    return replace(request, timeout=LOCAL_TIMEOUT)


def form_upload_request(url: str, file: File) -> Request:
    # The file part's own type is what counts: "(#100) Param file must be a file with …" without it.
    fields = {"messaging_product": "whatsapp", "type": file.mime_type}
    return Request("POST", url, body=Form(fields, file), timeout=MEDIA_TIMEOUT)


def raw_upload_request(url: str, file: File) -> Request:
    return Request("POST", url, body=file, timeout=MEDIA_TIMEOUT)


def download_request(url: str) -> Request:
    return Request("GET", url, timeout=MEDIA_TIMEOUT)


# Nothing but a host and a port: parsers disagree on anything else, and the token is sent by this.
_ORIGIN: Final = re.compile(
    r"(https?)://((?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?)(?:[/?#]|\Z)", re.IGNORECASE
)
_PORTS: Final = {"http": ":80", "https": ":443"}
_META: Final = ("facebook.com", "fbsbx.com", "fbcdn.net")


def join(base_url: str, *parts: str) -> str:
    """Return *base_url* with *parts* behind it; empty ones are left out, odd characters quoted."""
    return "/".join((base_url.rstrip("/"), *(quote(part, safe="") for part in parts if part)))


def origin(url: str) -> str | None:
    """Return ``scheme://host[:port]``; None for what has no plain one."""
    found = _ORIGIN.match(url)
    if found is None:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    return f"{scheme}://{host.removesuffix(_PORTS[scheme])}"


def is_same_origin(url: str, base_url: str) -> bool:
    return origin(url) is not None and origin(url) == origin(base_url)


def is_loopback(url: str) -> bool:
    """Return whether *url* is on this machine."""
    host = urlsplit(origin(url) or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_at_meta(url: str) -> bool:
    """Meta keeps media at other hosts than the API, and asks for the token there too."""
    scheme, _, host = (origin(url) or "").partition("://")
    return scheme == "https" and any(host == meta or host.endswith(f".{meta}") for meta in _META)
