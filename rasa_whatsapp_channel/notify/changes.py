"""Changes: tells your server of each state that a notification comes to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from rasa_whatsapp_channel.standard_webhooks import OwnServer, Telling
from rasa_whatsapp_channel.store.base import DONE, Clock, Outcome, Queue, QueueItem

#: Kind of an item in the inbox.
CHANGED: Final = "notification_changed"
TYPE: Final = "notification.changed"


class Changes:
    """Without *server* nobody is told, and nothing is kept for it."""

    def __init__(self, inbox: Queue, server: OwnServer | None, *, clock: Clock) -> None:
        self._inbox = inbox
        self._server = server
        self._telling = Telling("your server", clock=clock)
        self._clock = clock

    async def put(self, told: Mapping[str, Any]) -> None:
        """Keep what is to be told, once for each state; raises `StoreError`."""
        if self._server is not None:
            name = f"notify-changed:{told['key']}"
            body = {"kind": CHANGED, "type": TYPE, **told, "changed_at": self._clock()}
            await self._inbox.put(f"{name}:{told['state']}", name, body)

    async def handle(self, item: QueueItem) -> Outcome:
        if self._server is None:
            return DONE  # of a time in which the setting was there
        told = {name: each for name, each in item.body.items() if name not in ("kind", "trace")}
        what = f"{told['key']} is {told['state']}"
        return await self._telling.run(item, what, partial(self._server.post, item.key, told))
