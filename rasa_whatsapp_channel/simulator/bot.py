"""
Bot and Rasa: read the health page beside the bot's webhook, and a person's tracker.

Any server may answer there, so only the documented form of the health page is passed on.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from rasa_whatsapp_channel.simulator.problems import SimulatorError

HEALTH_TIMEOUT: Final = 2.0  # seconds
TRACKER_TIMEOUT: Final = 10.0  # seconds
EVENTS: Final = 30  # of a tracker, the latest
MOST_BYTES: Final = 64 * 1024
_TROUBLE: Final = ("topic", "subject", "event", "detail", "severity")
SHOWN: Final = 500  # characters of a reason
MOST: Final = 2**53  # larger numbers are not exact in JavaScript


def health_address(webhook: str) -> str:
    """Return the URL of the health page for this webhook, without the query and its tokens."""
    parts = urlsplit(webhook)
    path = parts.path.rpartition("/")[0] + "/"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))


async def ask_bot(session: aiohttp.ClientSession, webhook: str) -> dict[str, Any]:
    """Return ``{"answers": True, "health"}``, see `parse_health`; or the error."""
    limit = aiohttp.ClientTimeout(total=HEALTH_TIMEOUT)
    try:
        url = health_address(webhook)
        async with session.get(url, timeout=limit, allow_redirects=False) as response:
            raw = await _read(response.content)
            return {"answers": True, "health": parse_health(response.status, raw)}
    except aiohttp.ClientPayloadError:
        return {"answers": True, "health": None}
    except (asyncio.TimeoutError, aiohttp.ClientError, ValueError) as error:
        return {"answers": False, "error": _in_words(error)}


def parse_health(status: int, raw: bytes) -> dict[str, Any] | None:
    """
    Return the content of this package's health page; None for any other page.

    ``{"status", "inbox", "outbox", "desk"}``, with ``"away"``, ``"paused"`` and ``"account"`` as it
    says; ``{"status", "reason"}`` when its store fails.
    """
    try:
        page = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    match status, page:
        case 503, {"status": str(word), "reason": str(reason)}:
            return {"status": _cut(word), "reason": _cut(reason)}
        case 200, {"status": str(word), **given}:
            queues = {name: _queue(given.get(name)) for name in ("inbox", "outbox", "desk")}
            if None not in queues.values():
                return {"status": _cut(word), **_troubles(page), **queues}
    return None


def _queue(given: object) -> dict[str, Any] | None:
    if not isinstance(given, dict):
        return None
    counts = {name: given.get(name) for name in ("waiting", "dead_letters", "failing")}
    if not all(type(count) is int and 0 <= count <= MOST for count in counts.values()):
        return None
    error = given.get("last_error")
    return {**counts, "last_error": _cut(error) if isinstance(error, str) else None}


def _troubles(page: Mapping[str, Any]) -> dict[str, Any]:
    paused, away, account = page.get("paused"), page.get("away"), page.get("account")
    causes = paused.items() if isinstance(paused, dict) else ()
    outages = away if isinstance(away, list) else ()
    return {
        "paused": {key: _cut(cause) for key, cause in causes if isinstance(cause, str)},
        "away": [
            {"what": _cut(what), "reason": _cut(reason)}
            for outage in outages
            if isinstance(outage, dict)
            and isinstance(what := outage.get("what"), str)
            and isinstance(reason := outage.get("reason"), str)
        ],
        "account": [
            {name: _cut(text) for name in _TROUBLE if isinstance(text := each.get(name), str)}
            for each in (account if isinstance(account, list) else ())
            if isinstance(each, dict)
        ],
    }


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return the body, truncated (and thus invalid JSON) if it is too large."""
    try:
        return await content.readexactly(MOST_BYTES)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _in_words(error: Exception) -> str:
    match error:
        case asyncio.TimeoutError():
            return f"no response within {HEALTH_TIMEOUT:g} seconds"
        case aiohttp.ClientSSLError():
            return "TLS error: is the certificate valid?"
        case aiohttp.ClientConnectorError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case aiohttp.ClientConnectorError():
            return error.strerror or "no connection"
        case aiohttp.ClientResponseError():
            return "the server does not speak HTTP"
        case aiohttp.ClientConnectionError():
            return "the connection was closed without a response"
    return "the webhook is not an HTTP address"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


class TrackerError(SimulatorError):
    """Raised when Rasa's tracker cannot be read."""


async def read_tracker(
    session: aiohttp.ClientSession, rasa: str, sender_id: str, *, token: str | None
) -> dict[str, Any]:
    """
    Return ``{"sender_id", "intent", "slots", "events"}`` of a person, or raise `TrackerError`.

    https://rasa.com/docs/rasa/pages/http-api
    """
    url = f"{rasa.rstrip('/')}/conversations/{quote(sender_id, safe='')}/tracker"
    params = {"include_events": "AFTER_RESTART", **({"token": token} if token else {})}
    limit = aiohttp.ClientTimeout(total=TRACKER_TIMEOUT)
    try:
        async with session.get(url, params=params, timeout=limit) as response:
            if response.status in (401, 403):
                raise TrackerError("Rasa requires a token: start the simulator with --rasa-token.")
            if response.status == 404:
                raise TrackerError("Rasa's HTTP API is disabled: run it with --enable-api.")
            if response.status != 200:
                raise TrackerError(f"Rasa answers with HTTP {response.status}.")
            tracker = await response.json(content_type=None)
    except asyncio.TimeoutError as error:
        raise TrackerError(f"Rasa does not respond within {TRACKER_TIMEOUT:g} seconds.") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise TrackerError(f"Rasa at {rasa} cannot be read: {error}.") from error
    if not isinstance(tracker, Mapping):
        raise TrackerError("Rasa returns no tracker.")
    return _shorten(tracker, sender_id)


def _shorten(tracker: Mapping[str, Any], sender_id: str) -> dict[str, Any]:
    latest = tracker.get("latest_message")
    events = tracker.get("events")
    return {
        "sender_id": tracker.get("sender_id", sender_id),
        "intent": latest.get("intent") if isinstance(latest, Mapping) else None,
        "slots": tracker.get("slots") or {},
        "events": list(events)[-EVENTS:] if isinstance(events, list) else [],
    }
