"""What the bot asked of the APIs, and what it was told."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

KEPT: Final = 2000


class RequestLog:
    """Requests with their answers, without the headers, which hold the token."""

    def __init__(self) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, entry: dict[str, Any]) -> None:
        self.entries.append(entry)

    def clear(self) -> None:
        self.entries.clear()
