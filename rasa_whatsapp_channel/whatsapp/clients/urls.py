"""Addresses: which of them the token may be sent to."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import quote, urlsplit

# Nothing but a host and a port: what else may stand there, parsers read differently, and the token
# must not hang on that.
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
    """Tell whether *url* leads to this very machine."""
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
