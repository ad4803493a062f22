"""
The part of Meta's Cloud API that takes messages, as cheap as can be, with a latency.

`support.cloud_api` judges what is sent; this one only counts it, since it must not be what limits
the measured. It speaks HTTP through httptools, which comes with Sanic.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import httptools

# to, text
Taken = Callable[[str, str], None]


class WhatsApp:
    """*latency* is the time from a request to its answer, in seconds. It may be set at any time."""

    def __init__(self, *, latency: float) -> None:
        self.latency = latency
        self.taken = 0  # messages
        self.taken_by: Counter[str] = Counter()  # by the access token of the sender
        self.receipts = 0  # read marks
        self.on_message: Taken = lambda to, text: None
        self.port = 0
        self._server: asyncio.AbstractServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=2048
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def has_taken(self, count: int, *, within: float = 60.0) -> None:
        """Return when *count* messages have come, counted from the beginning."""
        end = time.monotonic() + within
        while self.taken < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{count - self.taken} messages did not come")
            await asyncio.sleep(0.02)

    def take(self, body: dict[str, Any], token: str) -> dict[str, Any]:
        if body.get("status") == "read":
            self.receipts += 1
            return {"success": True}
        self.taken += 1
        self.taken_by[token] += 1
        to = body["to"]
        content = body.get("text") or body.get("interactive", {}).get("body") or {}
        self.on_message(to, content.get("body", content.get("text", "")))
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": f"wamid.out{self.taken}"}],
        }


class _Connection(asyncio.Protocol):
    def __init__(self, whatsapp: WhatsApp) -> None:
        self._whatsapp = whatsapp
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._token = ""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self._token = value.decode().removeprefix("Bearer ")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        answer = json.dumps(self._whatsapp.take(json.loads(body), self._token)).encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(answer)}\r\n\r\n"
        )
        loop = asyncio.get_running_loop()
        loop.call_later(self._whatsapp.latency, self._answer, head.encode() + answer)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
