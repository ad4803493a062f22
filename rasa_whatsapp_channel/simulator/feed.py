"""What happens, told to everyone who listens: the page's sockets and waiting tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
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
