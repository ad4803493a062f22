"""Door of notifications: ``/webhooks/whatsapp/notify``, for your own servers."""

from __future__ import annotations

import hmac
import json
import logging
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.inbound.body_limits import read_length
from rasa_whatsapp_channel.inbound.body_reader import BodyReader, Read
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.notify.notification import (
    NotificationError,
    check_key,
    read_notification,
)
from rasa_whatsapp_channel.notify.notifications import (
    CANCELLED,
    SCHEDULED,
    KeyTaken,
    Notifications,
    to_json,
)
from rasa_whatsapp_channel.store.base import Store, StoreError
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024
RATE: Final = Limit("notify", 50.0, 500.0)  # requests a second, of all servers


@dataclass(frozen=True)
class Reply:
    """An answer; *body* None: the body of the request was not read."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    was_read: bool = False


def reply(status: int, body: Mapping[str, Any] | str, **headers: str) -> Reply:
    told = {"error": body} if isinstance(body, str) else body
    return Reply(status, told, {name.replace("_", "-"): each for name, each in headers.items()})


class NotifyDoor:
    """*token* lets a caller in; *names* returns the bot's responses, None where not known."""

    def __init__(
        self,
        store: Store,
        notifications: Notifications,
        *,
        token: str,
        bodies: BodyReader,
        names: Callable[[], Collection[str] | None] = lambda: None,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._values = store.values
        self._notifications = notifications
        self._token = token
        self._bodies = bodies
        self._names = names
        self._metrics = metrics
        self._clock = clock

    async def answer(self, method: str, key: str, headers: Mapping[str, str], read: Read) -> Reply:
        """Answer a request about *key*, or one that brings a notification."""
        try:
            if refused := await self._refuse(headers):
                return refused
            if method == "POST":
                return await self._post(headers, read)
            return await (self._delete if method == "DELETE" else self._get)(key)
        except WebhookRefused as error:
            return reply(error.status, str(error))
        except StoreError as error:
            logger.error("whatsapp.store_failed: a notification was answered 503: %s", error)
            return reply(503, "cannot be kept now, send again", Retry_After="5")

    async def _refuse(self, headers: Mapping[str, str]) -> Reply | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given, expected = (each.encode("utf-8", "replace") for each in (token, self._token))
        if not hmac.compare_digest(given.strip(), expected) or scheme.lower() != "bearer":
            self._metrics.refused("token")
            logger.warning("whatsapp.refused: a notification without the token of `notify_token`")
            return reply(401, "the token is missing or wrong", WWW_Authenticate="Bearer")
        (wait,) = await self._values.take(RATE)
        if wait:
            return reply(429, "too many requests", Retry_After=str(int(wait) + 1))
        return None

    async def _post(self, headers: Mapping[str, str], read: Read) -> Reply:
        length = read_length(headers.get("content-length"))
        if length > MOST_BYTES:
            return reply(413, f"a notification has at most {MOST_BYTES} bytes")
        raw = await self._bodies.read(read, length)
        return replace(await self._keep(headers, raw), was_read=True)

    async def _keep(self, headers: Mapping[str, str], raw: bytes) -> Reply:
        if len(raw) > MOST_BYTES:
            return reply(413, f"a notification has at most {MOST_BYTES} bytes")
        try:
            key = check_key(headers.get("idempotency-key", "").strip('" ') or uuid.uuid4().hex)
            wish = read_notification(_load(raw), now=self._clock())
            names = self._names()
            if isinstance(wish.response, str) and names is not None and wish.response not in names:
                raise NotificationError(f"the bot has no response {wish.response}")
            record, is_new = await self._notifications.add(key, wish)
        except KeyTaken as error:
            return reply(409, str(error))
        except NotificationError as error:
            return reply(422, str(error))
        if is_new:
            logger.info("whatsapp.notification: %s is kept until it is due", key)
        return reply(202, to_json(key, record))

    async def _get(self, key: str) -> Reply:
        record = await self._notifications.get(key)
        if record is None:
            return reply(404, "there is no notification with this key")
        return reply(200, to_json(key, record))

    async def _delete(self, key: str) -> Reply:
        before = await self._notifications.cancel(key)
        if before is None:
            return reply(404, "there is no notification with this key")
        if before.state not in (SCHEDULED, CANCELLED):
            return reply(409, f"it is too late: {before.overall}")
        return reply(200, to_json(key, replace(before, state=CANCELLED)))


def _load(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotificationError(f"the body is no JSON: {error}") from error
