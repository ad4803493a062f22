"""
What Rasa knows of a person, read from its HTTP API (`rasa run --enable-api`).

https://rasa.com/docs/rasa/pages/http-api
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp

EVENTS: Final = 30
TIMEOUT: Final = 10.0


class NoTracker(Exception):
    """The text says why Rasa tells nothing."""


async def read_tracker(
    session: aiohttp.ClientSession, rasa: str, sender_id: str, *, token: str | None
) -> dict[str, Any]:
    """Return ``{"sender_id", "intent", "slots", "events"}``; raise `NoTracker`."""
    url = f"{rasa.rstrip('/')}/conversations/{quote(sender_id, safe='')}/tracker"
    params = {"include_events": "AFTER_RESTART", **({"token": token} if token else {})}
    limit = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with session.get(url, params=params, timeout=limit) as response:
            if response.status in (401, 403):
                raise NoTracker("Rasa wants a token: start the simulator with --rasa-token.")
            if response.status == 404:
                raise NoTracker("Rasa has no HTTP API there: run it with --enable-api.")
            if response.status != 200:
                raise NoTracker(f"Rasa answers with HTTP {response.status}.")
            tracker = await response.json(content_type=None)
    except asyncio.TimeoutError as error:
        raise NoTracker(f"Rasa does not answer within {TIMEOUT:g} seconds.") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise NoTracker(f"Rasa at {rasa} cannot be read: {error}.") from error
    if not isinstance(tracker, Mapping):
        raise NoTracker("Rasa answers with something that is no tracker.")
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
