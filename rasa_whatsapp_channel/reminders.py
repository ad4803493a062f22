"""Reminders for custom actions: kept by the channel, so that they survive every restart."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.transport import Request

URL: Final = "http://localhost:5005/webhooks/whatsapp/notify"
# Answers of the channel.
KEPT: Final = 202
OTHER: Final = 409  # another notification has this key


class NotReminded(ChannelError):
    """The channel did not take a reminder; the text is what it answered."""


async def remind(
    to: str,
    response: str | Mapping[str, Any] | None = None,
    *,
    key: str,
    at: datetime | timedelta | str | float,
    **more: Any,
) -> bool:
    """
    Let the bot say *response* to *to*, the conversation's `sender_id`, at a time or after one.

    ``await remind(tracker.sender_id, "utter_soon", at=timedelta(hours=2), key="appointment-7")``

    *key* names the reminder: a turn that is repeated reminds once. False: there is another one with
    this key already, and it stays. *more* are further keys of a notification: `intent`, `slots`,
    `category` (here ``utility`` by default, as the person asked for it), `urgent`.
    The action server asks the channel at ``WHATSAPP_NOTIFY_URL`` with ``WHATSAPP_NOTIFY_TOKEN``.
    Raises `NotReminded`, and `TransportError` if the channel cannot be reached.
    """
    moment: Any = time.time() + at.total_seconds() if isinstance(at, timedelta) else at
    moment = moment.isoformat() if isinstance(moment, datetime) else moment
    wish = {"category": "utility", "to": to, "response": response, "at": moment, **more}
    headers = {
        "Authorization": f"Bearer {os.environ.get('WHATSAPP_NOTIFY_TOKEN', '')}",
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    url = os.environ.get("WHATSAPP_NOTIFY_URL", URL)
    transport = AiohttpTransport()
    try:
        answer = await transport.send(Request("POST", url, headers, json.dumps(wish).encode()))
    finally:
        await transport.close()
    if answer.status not in (KEPT, OTHER):
        raise NotReminded(f"HTTP {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer.status == KEPT
