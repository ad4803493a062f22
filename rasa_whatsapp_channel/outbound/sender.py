"""Outbox → WhatsApp: one recipient at a time, in order."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from rasa_whatsapp_channel.outbound import retry
from rasa_whatsapp_channel.outbound.media import MediaUploads
from rasa_whatsapp_channel.store.base import Item, Ledger
from rasa_whatsapp_channel.store.consumer import DONE, Outcome, Release, SetAside
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError, SendError
from rasa_whatsapp_channel.whatsapp.messages import parse_outgoing

logger = logging.getLogger(__name__)


class Sender:
    def __init__(
        self,
        client: Client,
        uploads: MediaUploads,
        ledger: Ledger,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._ledger = ledger
        self._jitter = jitter

    async def handle(self, item: Item) -> Outcome:
        if item.attempts > 1 and await self._ledger.by_key(item.key):
            return DONE  # sent and noted, but the process died before it could say so here
        response = item.body.get("response")
        try:
            message_id = await self._send(item)
        except (InvalidMessage, MediaError) as error:
            return SetAside(f"{response or 'a response without a name'}: {error}")
        except SendError as error:
            return self._after_failure(item, error)
        await self._ledger.note_sent(
            message_id,
            key=item.key,
            recipient_id=item.body["recipient_id"],
            response=response,
        )
        logger.debug("whatsapp.sent", extra={"key": item.key, "message_id": message_id})
        return DONE

    async def _send(self, item: Item) -> str:
        outgoing = parse_outgoing(item.body["message"])
        message = await self._uploads.prepare(outgoing.message)
        return await self._client.send(
            item.body["recipient_id"], message, reply_to=outgoing.reply_to
        )

    def _after_failure(self, item: Item, error: SendError) -> Outcome:
        decision = retry.decide(error, item.attempts, jitter=self._jitter())
        if isinstance(decision, retry.GiveUp):
            return SetAside(decision.reason)
        logger.warning(
            "whatsapp.send_again",
            extra={"key": item.key, "attempt": item.attempts, "reason": str(error)},
        )
        return Release(decision.wait)
