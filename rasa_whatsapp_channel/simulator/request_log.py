"""What the bot asked of the APIs, and what it was told."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.simulator.feed import Feed
from rasa_whatsapp_channel.simulator.state import clean_phone

KEPT: Final = 2000


class RequestLog:
    """Requests with their answers, without the headers, which hold the token."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, entry: dict[str, Any], rule: str | None) -> None:
        self.entries.append(entry)
        if rule is None:
            return
        body = entry["body"]
        recipient = body.get("to") or body.get("recipient") if isinstance(body, Mapping) else None
        self._feed.publish(
            "refused",
            person=clean_phone(str(recipient)) if recipient else None,
            request={key: entry[key] for key in ("method", "path", "body")},
            answer=entry["answer"],
            rule=rule,
        )

    def clear(self) -> None:
        self.entries.clear()
