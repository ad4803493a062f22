"""Reads the bodies of webhooks within the memory and the time that there is for them."""

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

DROPPED: Final = 8  # bodies at the same time
DROP_SECONDS: Final = 1.0
Read = Callable[[], Awaitable["bytes | None"]]  # the next bytes; None: that was all


class BodyReader:
    """One per server process, since the room is that of the process."""

    def __init__(
        self, unverified: UnverifiedBodies | None = None, *, seconds: float = BODY_SECONDS
    ) -> None:
        self._unverified = unverified or UnverifiedBodies()
        self._seconds = seconds
        self._cuts: dict[Body, _Cut] = {}
        self._dropping = 0

    async def read(self, read: Read, length: int = 0) -> bytes:
        """
        Return a whole body; *length* is what its head says, 0 where it does not.

        Raises `WebhookRefused` when there is no room or time for it.
        """
        loop = asyncio.get_running_loop()
        body, let_go = self._unverified.begin(loop.time(), length)
        self._let_go(let_go, body)
        cut = self._cuts[body] = _Cut()
        timer = loop.call_later(self._seconds, cut, too_slow(self._seconds))
        try:
            return await self._collect(read, body)
        except asyncio.CancelledError:
            if cut.reason is None:
                raise  # the caller has gone, or the server ends
            cut.taken()
            raise cut.reason from None
        finally:
            timer.cancel()
            self._unverified.end(body)
            del self._cuts[body]

    async def drop(self, read: Read) -> None:
        """
        Let the body of a refused caller go by for a moment, if few others do that now.

        Whoever is still sending when a connection is closed does not get to see the answer.
        """
        if self._dropping >= DROPPED:
            return
        self._dropping += 1
        try:
            await asyncio.wait_for(_drop(read), DROP_SECONDS)
        except asyncio.TimeoutError:
            pass
        finally:
            self._dropping -= 1

    async def _collect(self, read: Read, body: Body) -> bytes:
        chunks: list[bytes] = []
        try:
            await self._fill(chunks, read, body)
            return b"".join(chunks)
        finally:
            chunks.clear()  # or the traceback of a refusal would hold them

    async def _fill(self, chunks: list[bytes], read: Read, body: Body) -> None:
        while (chunk := await read()) is not None:
            if not chunk:
                continue
            chunks.append(chunk)
            now = asyncio.get_running_loop().time()
            self._let_go(self._unverified.grow(body, len(chunk), now), body)

    def _let_go(self, bodies: Sequence[Body], current: Body) -> None:
        for body in bodies:
            if body is not current:
                self._cuts[body](no_room())
        if current in bodies:
            raise no_room()


async def _drop(read: Read) -> None:
    while await read() is not None:
        pass


class _Cut:
    """
    Ends the reading of a body from outside, for *reason*.

    A task for each reading, which could be cancelled as usual, would cost more than the reading.
    """

    def __init__(self) -> None:
        self.reason: WebhookRefused | None = None
        self._task: asyncio.Task[Any] | None = asyncio.current_task()

    def __call__(self, reason: WebhookRefused) -> None:
        if self.reason is None and self._task is not None:
            self.reason = reason
            self._task.cancel()

    def taken(self) -> None:
        """Let the task go on as one that nobody wants to end; Python counts that since 3.11."""
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None:
            uncancel()
