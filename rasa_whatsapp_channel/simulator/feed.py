"""Event feed: passes every event to its listeners, the page's sockets and waiting tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]


class Feed:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    def publish(self, event: str, **data: Any) -> None:
        for queue in self._listeners:
            queue.put_nowait({"event": event, **data})

    def close(self) -> None:
        """End the feed for every listener."""
        for queue in self._listeners:
            queue.put_nowait(None)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event | None]]:
        """Yield a queue of the events from now on; None is its end."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)


def describe(event: Mapping[str, Any]) -> str | None:
    """Return a line for the terminal about *event*; None if it reports no problem."""
    if event["event"] == "refused" and event["by"] == "channel":
        return f"dead letter of the channel: {event['rule']}"
    if event["event"] == "refused":
        request = event["request"]
        return f"refused {request['method']} {request['path']}: {event['rule']}"
    if event["event"] == "weather":
        return f"weather: {event['words']} ({event['kind']} {event['n']})"
    if event["event"] == "webhook":
        return _describe_webhook(event)
    return None


def _describe_webhook(attempt: Mapping[str, Any]) -> str | None:
    if attempt["status"] == 200:
        return None
    what = f"HTTP {attempt['status']}" if attempt["status"] else attempt["error"]
    if attempt["retry_after"] is None:
        return f"webhook not accepted: {what}; no further attempt"
    if attempt["attempt"] > 1:
        return None
    return f"webhook not accepted: {what}; retried until it is"
