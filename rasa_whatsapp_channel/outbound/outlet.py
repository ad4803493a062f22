"""A Rasa response → composed messages → the outbox. What `WhatsAppOutput` speaks through."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.compose import compose
from rasa_whatsapp_channel.store.base import DAY, Store
from rasa_whatsapp_channel.store.keys import payload_key
from rasa_whatsapp_channel.whatsapp.apis import Api

logger = logging.getLogger(__name__)

PAYLOAD_LIFE: Final = 90 * DAY  # people tap old buttons


class Outlet:
    """
    Everything the bot says in one turn, or at one other occasion.

    The keys of the outbox entries are (*turn_id*, position): a turn that is repeated after a crash
    continues behind what was already put out.
    """

    def __init__(
        self,
        store: Store,
        api: Api,
        *,
        captions: str,
        turn_id: str | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._api = api
        self._captions = captions
        self._turn_id = turn_id or f"out:{uuid.uuid4().hex}"
        self._position = 0
        self._metrics = metrics or Metrics()

    async def say(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        """Compose *response* and put its messages into the outbox. Raises `StoreError` only."""
        composed = compose(response, api=self._api, captions=self._captions)
        for change in composed.changes:
            self._metrics.changed(change.code)
            logger.log(
                logging.ERROR if change.lost else logging.WARNING,
                "whatsapp.changed: %s",
                change,
                extra={"code": change.code, "response": change.response},
            )
        for short, payload in composed.payloads.items():
            await self._store.values.set(payload_key(short), payload, PAYLOAD_LIFE)
        named = response.get("utter_action")
        name = named if isinstance(named, str) else None  # a custom action may pass anything
        for outgoing in composed.messages:
            body = {"recipient_id": recipient_id, "message": outgoing.body(), "response": name}
            await self._store.outbox.put(f"{self._turn_id}:{self._position}", recipient_id, body)
            self._position += 1
