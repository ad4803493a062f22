"""A transport without a network: it answers what it was told to, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rasa_whatsapp_channel.whatsapp.transport import Request, Response


def answer(
    body: Any = None, *, status: int = 200, headers: Mapping[str, str] = {}
) -> Response:  # never changed
    """Return an answer; *body* is bytes as they are, or anything JSON can hold."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers or {}, raw)


class FakeTransport:
    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        return self._next(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[FakeStream]:
        yield FakeStream(self._next(request))

    async def close(self) -> None:
        self.closed = True

    @property
    def bodies(self) -> list[Any]:
        """What the JSON of the requests said, in order."""
        return [json.loads(request.body) for request in self.requests if _is_json(request)]

    def _next(self, request: Request) -> Response:
        self.requests.append(request)
        following = self.answers.pop(0)
        if isinstance(following, Exception):
            raise following
        return following


class FakeStream:
    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self._body = response.body

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 4):
            yield self._body[start : start + 4]


def _is_json(request: Request) -> bool:
    return request.headers.get("Content-Type") == "application/json"
