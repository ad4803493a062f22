"""Changes: tells your server of each state that a notification comes to."""

from __future__ import annotations

from functools import partial

from rasa_whatsapp_channel.standard_webhooks import OwnServer, Telling
from rasa_whatsapp_channel.store.base import DONE, Clock, Outcome, QueueItem


class Changes:
    """Handles the items of the inbox that are of the kind `CHANGED`."""

    def __init__(self, server: OwnServer | None, *, clock: Clock) -> None:
        self._server = server
        self._telling = Telling("your server", clock=clock)

    async def handle(self, item: QueueItem) -> Outcome:
        if self._server is None:
            return DONE  # of a command, or of a time in which the setting was there
        told = {name: each for name, each in item.body.items() if name not in ("kind", "trace")}
        what = f"{told['key']} is {told['state']}"
        return await self._telling.run(item, what, partial(self._server.post, item.key, told))
