"""Exchange: sends the requests of one account, reads the answers, renews the login."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from rasa_whatsapp_channel.whatsapp.clients.answers import (
    is_success,
    lost_id,
    read_accepted,
    read_answer,
    read_size,
)
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Clock, Download
from rasa_whatsapp_channel.whatsapp.clients.credentials import Credentials, Headers
from rasa_whatsapp_channel.whatsapp.error_codes import ErrorCode, Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Response, StreamedResponse, Transport

T = TypeVar("T")

PING: Final = 10.0  # seconds for an answer
# An error is a few hundred bytes; a gateway may send a whole page.
_ERROR_BYTES: Final = 64 * 1024


class Exchange:
    """*codes* are the error codes of the API."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        codes: Mapping[int, ErrorCode],
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._codes = codes
        self._clock = clock

    async def ask(self, request: Request) -> Mapping[str, Any]:
        """Return the object in the answer to *request*; raises `SendError` without a success."""

        async def call(headers: Headers) -> Mapping[str, Any]:
            return self._read(await self._transport.send(_with(request, headers)))

        return await self._authorized(call)

    async def send_message(self, request: Request) -> Accepted:
        """Send the message in *request* and return its ids; raises `SendError`."""

        async def call(headers: Headers) -> Accepted:
            try:
                response = await self._transport.send(_with(request, headers))
            except TransportError as error:
                if is_success(error.status):
                    raise lost_id() from error
                raise
            return read_accepted(self._read(response))

        return await self._authorized(call)

    async def tell(self, request: Request) -> None:
        """Send *request* without the token, and ignore the answer or its absence."""
        with suppress(TransportError):
            await self._transport.send(request)

    @asynccontextmanager
    async def open(self, request: Request, *, authorized: bool = True) -> AsyncIterator[Download]:
        """Open a download; not *authorized* keeps the token from a host that is not the API's."""
        async with AsyncExitStack() as stack:

            async def call(headers: Headers) -> Download:
                return await stack.enter_async_context(self._stream(_with(request, headers)))

            yield await (self._authorized(call) if authorized else call({}))

    async def ping(self, request: Request) -> None:
        """Return when *request* is answered, whatever the answer is."""
        with suppress(APIError):
            await self.ask(dataclasses.replace(request, timeout=PING))

    async def close(self) -> None:
        await self._transport.close()

    async def _authorized(self, call: Callable[[Headers], Awaitable[T]]) -> T:
        headers = await self._credentials.headers()
        try:
            return await call(headers)
        except APIError as error:
            if error.verdict is not Verdict.REFRESH_TOKEN:
                raise
            renewed = await self._credentials.renew(headers)
            if renewed is None:
                raise
        return await call(renewed)

    @asynccontextmanager
    async def _stream(self, request: Request) -> AsyncIterator[Download]:
        async with self._transport.stream(request) as answer:
            headers = answer.headers
            if not is_success(answer.status):
                self._read(Response(answer.status, headers, await _beginning(answer)))  # raises
            packed = "content-encoding" in headers  # then the length is that of the packed bytes
            yield Download(
                mime_type=headers.get("content-type"),
                size=None if packed else read_size(headers.get("content-length")),
                chunks=answer.chunks(),
            )

    def _read(self, response: Response) -> Mapping[str, Any]:
        return read_answer(response, codes=self._codes, now=self._clock())


def _with(request: Request, headers: Headers) -> Request:
    headers = {**headers, **request.headers}
    return Request(request.method, request.url, headers, request.body, request.timeout)


async def _beginning(answer: StreamedResponse) -> bytes:
    body = b""
    async for chunk in answer.chunks():
        body += chunk
        if len(body) > _ERROR_BYTES:
            break
    return body
