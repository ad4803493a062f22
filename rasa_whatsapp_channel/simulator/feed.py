"""What happens, told to everyone who listens: the page's sockets and waiting tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Happening = dict[str, Any]


class Feed:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Happening | None]] = set()

    def publish(self, event: str, **data: Any) -> None:
        for queue in self._listeners:
            queue.put_nowait({"event": event, **data})

    def close(self) -> None:
        """Tell everyone that nothing more will come."""
        for queue in self._listeners:
            queue.put_nowait(None)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Happening | None]]:
        """Yield a queue of what happens from now on; None is its end."""
        queue: asyncio.Queue[Happening | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)


def describe(happening: Mapping[str, Any]) -> str | None:
    """Return a line about *happening*, if a person should see one."""
    if happening["event"] == "refused" and happening["by"] == "channel":
        return f"a dead letter of the channel: {happening['rule']}"
    if happening["event"] == "refused":
        request = happening["request"]
        return f"refused {request['method']} {request['path']}: {happening['rule']}"
    if happening["event"] == "weather":
        return f"weather: {happening['words']} ({happening['kind']} {happening['n']})"
    if happening["event"] == "webhook":
        return _describe_webhook(happening)
    return None


def _describe_webhook(attempt: Mapping[str, Any]) -> str | None:
    if attempt["status"] == 200:
        return None
    what = f"HTTP {attempt['status']}" if attempt["status"] else attempt["error"]
    if attempt["retry_after"] is None:
        return f"webhook not taken: {what}; not tried again"
    if attempt["attempt"] > 1:
        return None
    return f"webhook not taken: {what}; tried again until it is"
