"""
The part of Meta's Cloud API that takes messages and files, with whatever trouble a test wants.

Written from Meta's pages and apart from the package's simulator, so that both are judges. What the
people see of it, and when, is in `phones`; trouble by a seed is in `weather`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from support.eventually import eventually
from support.processes import PROJECT
from support.webhooks import NUMBER

Trouble = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What people send.
PICTURE = (PROJECT / "examples/quickstart/media/lake.jpg").read_bytes()
PICTURE_SHA256 = hashlib.sha256(PICTURE).hexdigest()


@dataclass(frozen=True)
class Accepted:
    """A message that WhatsApp has taken: its recipient will see it, whatever the sender learns."""

    id: str
    at: float  # time.monotonic()
    to: str
    text: str  # or caption
    token: str  # of the sender
    body: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request to send something, whatever came of it."""

    at: float  # time.monotonic()
    to: str
    text: str
    body: dict[str, Any]


class CloudApi:
    """
    *taken*, if it is set, is told of each message before the request is answered.

    *weather*, if it is set, says for each message which trouble meets it, if any.
    """

    def __init__(self, *, pause: float = 0.0) -> None:
        self.number = NUMBER
        self.port = 0
        self.asked: list[Asked] = []
        self.accepted: list[Accepted] = []
        self.refused: list[float] = []  # when
        self.uploads: list[str] = []  # ids of files
        self.trouble: Trouble | None = None  # meets every message, as long as it is set
        self.next: deque[Trouble] = deque()  # each meets one message
        self.weather: Callable[[Asked], Trouble | None] | None = None
        self.taken: Callable[[Accepted], Awaitable[None]] | None = None
        self._pause = pause  # between accepting and answering, in seconds
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.accepted]

    async def open(self) -> None:
        """Listen; after `close`, at the same address as before."""
        app = web.Application()
        self._add_routes(app.router)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        sock = socket.create_server(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        await web.SockSite(self._runner, sock).start()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"/v26.0/{self.number}/messages", self._messages)
        router.add_post(f"/v26.0/{self.number}/media", self._upload)
        router.add_get("/v26.0/{media_id}", self._media)
        router.add_get("/files/{media_id}", self._file)

    async def close(self) -> None:
        """Be gone: connections break, new ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def takes(self, count: int, *, within: float = 60.0) -> list[str]:
        """
        Return the texts of all messages as soon as there are *count* of them.

        Each has to come *within* seconds of the one before.
        """
        for expected in range(min(len(self.accepted), count) + 1, count + 1):
            await eventually(
                lambda expected=expected: len(self.accepted) >= expected,
                within=within,
                told=lambda: f"only {self.texts}",
            )
        return self.texts

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ConnectionError:  # the sender died before all of it was here
            return web.Response()
        if body.get("status") == "read":
            return web.json_response({"success": True})
        if not body:
            return await self._no_message(request)
        asked = Asked(time.monotonic(), body["to"], words_of(body), body)
        self.asked.append(asked)
        trouble = self._trouble_for(asked)
        if trouble is not None:
            self.refused.append(time.monotonic())
            return await trouble(request)
        answer = await self.take(request)
        await asyncio.sleep(self._pause)
        return web.json_response(answer)

    async def _no_message(self, request: web.Request) -> web.StreamResponse:
        """Refuse what is no message; where every connection breaks, this one does too."""
        refuses = fails(400, 100, "(#100) Invalid parameter")
        return await (hangs_up if self.trouble is hangs_up else refuses)(request)

    def _trouble_for(self, asked: Asked) -> Trouble | None:
        if self.next:
            return self.next.popleft()
        if self.trouble is None and self.weather is not None:
            return self.weather(asked)
        return self.trouble

    async def take(self, request: web.Request) -> dict[str, Any]:
        """Take the message, let the phones know, and return what the API answers then."""
        answer = self.accept(request, await request.json())
        if self.taken is not None:
            await self.taken(self.accepted[-1])
        return answer

    def accept(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        """Take the message, and return what the API answers then."""
        message_id = f"wamid.out{len(self.accepted)}"
        token = request.headers["Authorization"].removeprefix("Bearer ")
        taken = Accepted(message_id, time.monotonic(), body["to"], words_of(body), token, body)
        self.accepted.append(taken)
        return self._answer_to(taken)

    def _answer_to(self, taken: Accepted) -> dict[str, Any]:
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": taken.to, "wa_id": taken.to}],
            "messages": [{"id": taken.id}],
        }

    async def _upload(self, request: web.Request) -> web.Response:
        await request.read()
        self.uploads.append(f"70000{len(self.uploads)}")
        return web.json_response({"id": self.uploads[-1]})

    async def _media(self, request: web.Request) -> web.Response:
        media_id = request.match_info["media_id"]
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "id": media_id,
                "url": f"{self.url}/files/{media_id}",
                "mime_type": "image/jpeg",
                "sha256": PICTURE_SHA256,
                "file_size": len(PICTURE),
            }
        )

    async def _file(self, _request: web.Request) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/jpeg")


class OnPremisesApi(CloudApi):
    """The same for the on-premises client, whose statuses do not name what they are of."""

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/users/login", self._login)
        router.add_post("/v1/messages", self._messages)

    async def _login(self, _request: web.Request) -> web.Response:
        user = {"token": "a-token", "expires_after": "2036-01-01 00:00:00+00:00"}
        return web.json_response({"users": [user]})

    def _answer_to(self, taken: Accepted) -> dict[str, Any]:
        return {"messages": [{"id": taken.id}]}


def words_of(body: dict[str, Any]) -> str:
    """Return the text of a message's body, or its caption."""
    content = body.get(body.get("type", "text"), {})
    words = content.get("body", content.get("caption", ""))
    return str(words["text"] if isinstance(words, dict) else words)


@asynccontextmanager
async def cloud_api(api: CloudApi | None = None, **options: Any) -> AsyncIterator[CloudApi]:
    api = api or CloudApi(**options)
    await api.open()
    try:
        yield api
    finally:
        await api.close()


def answers(status: int, content: Any, **headers: str) -> Trouble:
    """Answer *content*: bytes as they are, anything else as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def trouble(_request: web.Request) -> web.Response:
        if isinstance(content, bytes):
            return web.Response(status=status, body=content, headers=named)
        return web.json_response(content, status=status, headers=named)

    return trouble


def fails(status: int, code: int, message: str, **headers: str) -> Trouble:
    """Refuse with an error object of the Graph API."""
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    return answers(status, {"error": {**error, "fbtrace_id": "AzPQ6DMwnKqyp"}}, **headers)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Break the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def answers_half(request: web.Request) -> web.StreamResponse:
    """Promise a body and break off in its middle."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 200
    await response.prepare(request)
    await response.write(b'{"messaging_product": "whatsapp", "contacts": [{"inp')
    assert request.transport is not None
    request.transport.close()
    return response


def hangs(gate: asyncio.Event) -> Trouble:
    """Say nothing until *gate* opens, then break the connection."""

    async def trouble(request: web.Request) -> web.StreamResponse:
        with contextlib.suppress(asyncio.CancelledError):
            await gate.wait()
        return await hangs_up(request)

    return trouble
