"""
Standard Webhooks: tells a server of the company, signed, and again for a day until it takes it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.store.base import DONE, Clock, DeadLetter, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50  # requests to one server; a slow one must not take the slots of the inbox
TIMEOUT: Final = 10.0  # seconds
LONGEST: Final = 3600.0  # seconds between two attempts


class NotTold(ChannelError):
    """The server cannot be reached, or does not answer as it should."""


@dataclass(frozen=True)
class OwnServer:
    """A server of the company at *url*; each of *secrets* signs what it is told."""

    url: str
    secrets: Sequence[str]
    transport: Transport
    clock: Clock

    async def post(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Tell it *body*, once for each id if it looks; raises `NotTold` and `TransportError`."""
        raw = json.dumps(body).encode()
        signed = sign(self.secrets, message_id, raw, self.clock())
        headers = {"Content-Type": "application/json", **signed}
        answer = await self.transport.send(Request("POST", self.url, headers, raw, TIMEOUT))
        if not 200 <= answer.status < 300:
            raise NotTold(f"it answers HTTP {answer.status}")


class Telling:
    """Tells one server, *whom* in words, what items of the inbox are about."""

    def __init__(self, whom: str, *, clock: Clock) -> None:
        self._whom = whom
        self._clock = clock
        self._running = 0

    async def run(self, item: QueueItem, what: str, tell: Callable[[], Awaitable[None]]) -> Outcome:
        """
        Tell *what* an item is about; again for a day if that cannot be told now.

        *tell* may raise `NotTold`, `MediaError` and `TransportError`.
        """
        if self._running >= AT_ONCE:
            return Retry(1.0, counted=False)
        self._running += 1
        try:
            await tell()
        except (NotTold, MediaError, TransportError) as error:
            return self._failed(item, what, error)
        finally:
            self._running -= 1
        return DONE

    def _failed(self, item: QueueItem, what: str, error: Exception) -> Outcome:
        since = item.failing_since
        if since is not None and self._clock() - since > DAY:
            return DeadLetter(f"{self._whom} was not told of {what} in a day: {error}")
        wait = min(2.0 ** (item.tries - 1), LONGEST)
        logger.log(
            logging.WARNING if item.tries == 1 else logging.DEBUG,
            "whatsapp.not_told: %s of %s, again in %g seconds: %s",
            self._whom,
            what,
            wait,
            in_one_line(error),
        )
        return Retry(wait, error=str(error))


def sign(secrets: Sequence[str], message_id: str, body: bytes, now: float) -> dict[str, str]:
    """Return the headers that sign *body*, with each of *secrets*."""
    at = str(int(now))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(signature(each, message_id, at, body) for each in secrets),
    }


def signature(secret: str, message_id: str, at: str, body: bytes) -> str:
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def key_of(secret: str) -> bytes:
    """Return the bytes of *secret*; what follows ``whsec_`` is base64."""
    encoded = secret.removeprefix("whsec_")
    try:
        return secret.encode() if encoded == secret else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return secret.encode()
