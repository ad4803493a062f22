"""Door of notifications: ``/webhooks/whatsapp/notify``, for your own servers."""

from __future__ import annotations

import hmac
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.inbound.body_limits import read_length
from rasa_whatsapp_channel.inbound.endpoint import NOTIFY, HttpRequest, HttpResponse
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.notify.notification import (
    BotNames,
    NotificationError,
    check_key,
    read_notification,
)
from rasa_whatsapp_channel.notify.notifications import (
    CANCELLED,
    Notifications,
    Record,
    to_json,
)
from rasa_whatsapp_channel.store.base import Clock, StoreError, Values
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024
TOO_LARGE: Final = f"a notification has at most {MOST_BYTES} bytes"
RATE: Final = Limit("notify", 50.0, 500.0)  # requests a second, of all servers


@dataclass(frozen=True, kw_only=True)
class NotifyDoor:
    """*token* lets a caller in; *names* returns what the bot has, None where not known."""

    notifications: Notifications
    values: Values
    token: str
    names: Callable[[], BotNames | None]
    metrics: Metrics
    clock: Clock

    async def __call__(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        try:
            return await self._refuse(request) or await self._answer(request, read)
        except (WebhookRefused, NotificationError) as error:
            return _json(error.status, str(error))
        except StoreError as error:
            logger.error("whatsapp.store_failed: a notification was answered 503: %s", error)
            return _json(503, "cannot be kept now, send again", Retry_After="5")

    async def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        if not self.token:
            return _json(404, "`notify_token` is not set")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given, expected = (each.encode("utf-8", "replace") for each in (token, self.token))
        if not hmac.compare_digest(given.strip(), expected) or scheme.lower() != "bearer":
            self.metrics.refused("token")
            logger.warning("whatsapp.refused: a notification without the token of `notify_token`")
            return _json(401, "the token is missing or wrong", WWW_Authenticate="Bearer")
        (wait,) = await self.values.take(RATE)
        if wait:
            return _json(429, "too many requests", Retry_After=str(int(wait) + 1))
        if read_length(request.headers.get("content-length")) > MOST_BYTES:
            return _json(413, TOO_LARGE)
        return None

    async def _answer(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        key = request.path.removeprefix(NOTIFY).strip("/")
        match (request.method, bool(key)):
            case ("POST", False):
                response = await self._keep(request.headers, await read())
            case ("GET", True):
                response = self._tell(key, await self.notifications.get(key))
            case ("DELETE", True):
                response = self._tell(key, await self.notifications.cancel(key), CANCELLED)
            case _:
                response = _json(404, "there is nothing at this address")
        return replace(response, body_read=True)

    async def _keep(self, headers: Mapping[str, str], raw: bytes) -> HttpResponse:
        if len(raw) > MOST_BYTES:
            return _json(413, TOO_LARGE)
        key = check_key(headers.get("idempotency-key", "").strip('" ') or uuid.uuid4().hex)
        wish = read_notification(_load(raw), now=self.clock())
        if names := self.names():
            names.check(wish)
        record, is_new = await self.notifications.add(key, wish)
        if is_new:
            logger.info("whatsapp.notification: %s is kept until it is due", key)
        return _json(202, to_json(key, record))

    def _tell(self, key: str, record: Record | None, wanted: str | None = None) -> HttpResponse:
        if record is None:
            return _json(404, "there is no notification with this key")
        if wanted and record.state != wanted:
            return _json(409, f"it is too late: {record.overall}")
        return _json(200, to_json(key, record))


def _json(status: int, told: Mapping[str, Any] | str, **headers: str) -> HttpResponse:
    body = json.dumps({"error": told} if isinstance(told, str) else told).encode()
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    return HttpResponse(body, status, "application/json", named)


def _load(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotificationError(f"the body is no JSON: {error}") from error
