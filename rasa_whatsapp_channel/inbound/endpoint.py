"""
HTTP endpoint of the channel: a request as a value in, the response as a value out.

Every server in front of it (Rasa's Sanic, the one of the test fixtures) only turns its own requests
and responses into these. No body is read before its headers were verified, and no event is stored
before its signature was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.inbound.body_limits import read_length
from rasa_whatsapp_channel.inbound.body_reader import BodyReader, Read
from rasa_whatsapp_channel.metrics import CONTENT_TYPE, Metrics
from rasa_whatsapp_channel.settings.handoff import ADDRESS
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.events import Event
from rasa_whatsapp_channel.whatsapp.networks import Networks
from rasa_whatsapp_channel.whatsapp.webhook import WebhookAuth

logger = logging.getLogger(__name__)

PREFIX: Final = "/webhooks/whatsapp"  # where Rasa puts what belongs to a channel of this name
HEALTH: Final = f"{PREFIX}/"
METRICS: Final = f"{PREFIX}/metrics"
NOTIFY: Final = f"{PREFIX}/notify"
WEBHOOK: Final = f"{PREFIX}/webhook"

_RETRY_AFTER: Final = MappingProxyType({"Retry-After": "5"})
# Nothing more is read from a caller that was refused for one of these.
_CLOSED_AT_ONCE: Final = frozenset({"length", "slow", "busy", "malformed"})


async def _no_body() -> bytes | None:
    return None


@dataclass(frozen=True)
class HttpRequest:
    """A request to one of the addresses above."""

    method: str
    path: str
    #: names are looked up in lower case
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    #: IP address of the other end of the connection
    client: str = ""
    #: all values of ``X-Forwarded-For``, joined by commas
    forwarded_for: str = ""
    scheme: str = "http"
    #: returns the next bytes of the body, None at its end
    read: Read = _no_body
    #: the caller waits for ``100 Continue`` before it sends the body
    expects_continue: bool = False


@dataclass(frozen=True)
class HttpResponse:
    body: bytes
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    #: False: the rest of the body is not to be read, and the connection is to be closed
    body_read: bool = False


Answer = Callable[[HttpRequest], Awaitable[HttpResponse]]
# Answers servers of the company; the second argument reads the body of the request.
AnswerServer = Callable[[HttpRequest, Callable[[], Awaitable[bytes]]], Awaitable[HttpResponse]]


class Endpoint:
    """
    One per server process.

    *receive* stores the events of a webhook and may raise `StoreError`, as may *health*, which
    returns the health page's JSON. *metrics_page* returns Prometheus' text. *desk* and *notify* may
    raise `WebhookRefused`, too. What is no door answers health and metrics only.
    """

    def __init__(
        self,
        *,
        auth: WebhookAuth,
        networks: Networks,
        verify_token: str,
        receive: Callable[[Iterable[Event]], Awaitable[None]],
        health: Callable[[], Awaitable[Mapping[str, Any]]],
        metrics_page: Callable[[], Awaitable[bytes]],
        metrics: Metrics,
        desk: AnswerServer | None = None,
        is_door: bool = True,
        notify: AnswerServer | None = None,
        bodies: BodyReader | None = None,
    ) -> None:
        self._auth = auth
        self._is_door = is_door
        self._networks = networks
        self._verify_token = verify_token
        self._receive = receive
        self._health = health
        self._metrics_page = metrics_page
        self._metrics = metrics
        self._bodies = bodies or BodyReader()
        self._answers: Mapping[tuple[str, str], Answer] = {
            ("GET", HEALTH): self._answer_health,
            ("GET", METRICS): self._answer_metrics,
            ("GET", WEBHOOK): self._answer_challenge,
            ("POST", WEBHOOK): self._answer_webhook,
        }
        self._servers = {path: door for path, door in ((ADDRESS, desk), (NOTIFY, notify)) if door}

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if not self._is_door and request.path not in (HEALTH, METRICS):
            return self._answer_elsewhere()
        for path, server in self._servers.items():
            if request.path.startswith(path):
                return await self._answer_server(server, request)
        answer = self._answers.get((request.method, request.path))
        if answer is None:
            return _text("there is nothing at this address", status=404)
        return await answer(request)

    async def _answer_health(self, _request: HttpRequest) -> HttpResponse:
        try:
            return _json(await self._health())
        except StoreError as error:
            return _json({"status": "store failed", "reason": str(error)}, status=503)

    async def _answer_metrics(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(await self._metrics_page(), content_type=CONTENT_TYPE)

    def _answer_elsewhere(self) -> HttpResponse:
        return self._refuse(
            WebhookRefused(
                "`roles` has no `door`, so this process takes no webhooks; let WhatsApp call "
                "`rasa-whatsapp serve`",
                kind="role",
                status=404,
            )
        )

    async def _answer_challenge(self, request: HttpRequest) -> HttpResponse:
        try:
            self._networks.verify(request.client, request.forwarded_for)
            return _text(webhook.verify_challenge(request.query, verify_token=self._verify_token))
        except WebhookRefused as error:
            return self._refuse(error)

    async def _answer_server(self, answer: AnswerServer, request: HttpRequest) -> HttpResponse:
        async def body() -> bytes:
            length = read_length(request.headers.get("content-length"))
            return await self._bodies.read(request.read, length)

        try:
            response = await answer(request, body)
        except WebhookRefused as error:
            return self._refuse(error)
        except StoreError as error:
            return self._store_failed(error)
        if not response.body_read and not request.expects_continue:
            await self._bodies.discard(request.read)
        return response

    async def _answer_webhook(self, request: HttpRequest) -> HttpResponse:
        with instrumentation.request_span(
            request.method, request.path, request.scheme, request.headers
        ) as span:
            response = await self._receive_webhook(request)
            span.end_exchange(response.status)
            return response

    async def _receive_webhook(self, request: HttpRequest) -> HttpResponse:
        try:
            body = await self._read(request)
        except WebhookRefused as error:
            if error.kind not in _CLOSED_AT_ONCE and not request.expects_continue:
                await self._bodies.discard(request.read)
            return self._refuse(error)
        with self._metrics.webhook_timer():
            try:
                webhook.verify_body(self._auth, body=body, headers=request.headers)
                await self._receive(webhook.read(body))
            except WebhookRefused as error:
                return self._refuse(error, body_read=True)
            except StoreError as error:
                return self._store_failed(error)
        return _text("ok", body_read=True)

    async def _read(self, request: HttpRequest) -> bytes:
        """Return the body if its headers may call; raises `WebhookRefused`."""
        length = read_length(request.headers.get("content-length"))
        self._networks.verify(request.client, request.forwarded_for)
        webhook.verify_head(self._auth, headers=request.headers, query=request.query)
        return await self._bodies.read(request.read, length)

    def _refuse(self, error: WebhookRefused, *, body_read: bool = False) -> HttpResponse:
        self._metrics.refused(error.kind)
        logger.warning("whatsapp.refused: %s", error)
        again = error.status == 503
        return _text("refused", status=error.status, body_read=body_read, again=again)

    def _store_failed(self, error: StoreError) -> HttpResponse:
        self._metrics.refused("store_failed")
        logger.error("whatsapp.store_failed: a webhook was answered 503: %s", error)
        return _text("cannot be kept now, send again", status=503, body_read=True, again=True)


def _text(
    text: str, *, status: int = 200, body_read: bool = False, again: bool = False
) -> HttpResponse:
    return HttpResponse(
        text.encode(), status, headers=_RETRY_AFTER if again else {}, body_read=body_read
    )


def _json(value: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    body = json.dumps(value, default=str).encode()
    return HttpResponse(body, status, content_type="application/json")
