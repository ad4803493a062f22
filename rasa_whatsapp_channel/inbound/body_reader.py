"""Body reader: reads the bodies of webhooks, within limits of memory and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.inbound.body_limits import (
    BODY_SECONDS,
    Body,
    UnverifiedBodies,
    no_room,
    too_slow,
)
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

DISCARDED_AT_ONCE: Final = 8  # bodies at the same time
DISCARD_SECONDS: Final = 1.0  # for each of them
Read = Callable[[], Awaitable["bytes | None"]]  # the next bytes; None: that was all


class BodyReader:
    """One per server process, since the limit of memory is that of the process."""

    def __init__(
        self, unverified: UnverifiedBodies | None = None, *, seconds: float = BODY_SECONDS
    ) -> None:
        self._unverified = unverified or UnverifiedBodies()
        self._seconds = seconds
        self._aborts: dict[Body, _Abort] = {}
        self._discarding = 0

    async def read(self, read: Read, length: int = 0) -> bytes:
        """
        Return a whole body; *length* is its ``Content-Length``, 0 without one.

        Raises `WebhookRefused` if it takes too much memory or time.
        """
        loop = asyncio.get_running_loop()
        body, dropped = self._unverified.begin(loop.time(), length)
        self._drop_all(dropped, body)
        abort = self._aborts[body] = _Abort()
        timer = loop.call_later(self._seconds, lambda: abort(too_slow(self._seconds)))
        try:
            return await self._collect(read, body)
        except asyncio.CancelledError:
            if abort.reason is None:
                raise  # the caller closed the connection, or the server stops
            abort.forget_cancellation()
            raise abort.reason from None
        finally:
            timer.cancel()
            self._unverified.end(body)
            del self._aborts[body]

    async def discard(self, read: Read) -> None:
        """
        Read and discard the body of a refused caller for a moment, if few others do that now.

        A caller that is still sending when the connection is closed does not see the answer.
        """
        if self._discarding >= DISCARDED_AT_ONCE:
            return
        self._discarding += 1
        try:
            await asyncio.wait_for(_discard(read), DISCARD_SECONDS)
        except asyncio.TimeoutError:
            pass
        finally:
            self._discarding -= 1

    async def _collect(self, read: Read, body: Body) -> bytes:
        chunks: list[bytes] = []
        try:
            await self._fill(chunks, read, body)
            return b"".join(chunks)
        finally:
            chunks.clear()  # the traceback of a refusal would keep them in memory

    async def _fill(self, chunks: list[bytes], read: Read, body: Body) -> None:
        while (chunk := await read()) is not None:
            if not chunk:
                continue
            chunks.append(chunk)
            now = asyncio.get_running_loop().time()
            self._drop_all(self._unverified.grow(body, len(chunk), now), body)

    def _drop_all(self, bodies: Sequence[Body], current: Body) -> None:
        for body in bodies:
            if body is not current:
                self._aborts[body](no_room())
        if current in bodies:
            raise no_room()


async def _discard(read: Read) -> None:
    while await read() is not None:
        pass


class _Abort:
    """
    Ends the reading of a body, for *reason*.

    It cancels the task that reads: a task of its own for each reading would cost more than that.
    """

    def __init__(self) -> None:
        self.reason: WebhookRefused | None = None
        self._task: asyncio.Task[Any] | None = asyncio.current_task()

    def __call__(self, reason: WebhookRefused) -> None:
        if self.reason is None and self._task is not None:
            self.reason = reason
            self._task.cancel()

    def forget_cancellation(self) -> None:
        """Let the task continue as one that was not cancelled; Python counts that since 3.11."""
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None:
            uncancel()
