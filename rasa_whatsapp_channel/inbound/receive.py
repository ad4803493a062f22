"""Events of a webhook → the store, before WhatsApp gets its 200."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.envelopes import to_body
from rasa_whatsapp_channel.whatsapp.events import (
    Event,
    InboundMessage,
    PlatformNotice,
    Status,
    Unknown,
    UserIdChanged,
)

logger = logging.getLogger(__name__)


async def receive(store: Store, events: Iterable[Event], metrics: Metrics) -> None:
    """Keep every event. Raises `StoreError` when one could not be kept: WhatsApp sends it again."""
    for event in events:
        if isinstance(event, InboundMessage):
            await _receive_message(store, event, metrics)
        elif isinstance(event, Status):
            await _receive_status(store, event, metrics)
        elif isinstance(event, PlatformNotice):
            errors = [str(error) for error in event.errors]
            logger.error("whatsapp.platform_notice", extra={"errors": errors})
        elif isinstance(event, UserIdChanged):
            logger.info("whatsapp.user_id_changed")
        else:
            await _receive_unknown(store, event, metrics)


def conversation(event: InboundMessage) -> str:
    """Return what is kept in order: the chat with one person, or with one group."""
    return event.group_id or event.phone or event.user_id or ""


async def _receive_message(store: Store, event: InboundMessage, metrics: Metrics) -> None:
    if await store.inbox.put(event.key, conversation(event), to_body(event)):
        metrics.received(event.type)
        logger.debug("whatsapp.received", extra={"type": event.type, "key": event.key})
    else:
        metrics.duplicate()
        logger.info("whatsapp.duplicate", extra={"type": event.type, "key": event.key})


async def _receive_status(store: Store, event: Status, metrics: Metrics) -> None:
    reason = "; ".join(str(error) for error in event.errors) or None
    sent = await store.ledger.note_status(event.message_id, event.status, reason=reason)
    metrics.status(event.status)
    if event.status == "failed":
        logger.error(
            "whatsapp.failed_after_acceptance",
            extra={
                "message_id": event.message_id,
                "reason": reason,
                "response": sent.response if sent else None,
            },
        )


async def _receive_unknown(store: Store, event: Unknown, metrics: Metrics) -> None:
    if event.ignorable:
        logger.debug("whatsapp.ignored", extra={"reason": event.reason})
        return
    body = to_body(event)
    text = json.dumps(body, sort_keys=True, default=str)
    key = "unknown:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if await store.inbox.put_given_up(key, "", body, event.reason):
        metrics.given_up("inbox")
        logger.warning("whatsapp.not_understood", extra={"reason": event.reason, "key": key})
