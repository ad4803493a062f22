"""Turn writer: keeps what a bot says in one turn, and puts it into the outbox together."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import plain
from rasa_whatsapp_channel.outbound.writer import OutboxWriter, Said
from rasa_whatsapp_channel.store.base import Retention, StoreError, Values

LIFE: Final = Retention.seen  # as long as the outbox knows the keys of the turn


class TurnWriter:
    """
    Writes what a bot says in one turn: at once, or with *wait* together.

    Together goes what is said until the turn ends, at most that of *wait* seconds; what the bot
    says after a longer pause goes apart, and so does what a task in the background says later.

    Rasa saves a turn before we hear of its end. So every response is kept in the store as soon as
    it is said. An attempt that follows a crash first puts into the outbox what was kept, under the
    same keys, and then passes over as many responses as were said before.
    """

    def __init__(
        self,
        writer: OutboxWriter,
        values: Values,
        turn_id: str,
        *,
        wait: float | None = None,
        skip: Collection[str] = (),
    ) -> None:
        self._writer = writer
        self._values = values
        self._key = f"said:{turn_id}"
        self._wait = wait
        self._skip = skip
        self._is_resumed = False
        self._has_ended = False
        self._recipient_id = ""
        self._responses: list[Mapping[str, Any]] = []  # that are kept, in the form of the store
        self._kept: list[Said] = []  # the same, composed
        self._put = 0  # responses that are in the outbox
        self._passed_over = 0  # responses that an earlier attempt said, yet to come
        self._is_noted = True  # the store has what is kept
        self._holds_words = False  # the store has it still
        self._due = float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None  # the loop keeps only weak references
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> TurnWriter:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End the turn: also what a bot said that failed goes out."""
        async with self._lock:
            await self._flush()
            if self._holds_words:
                await self._note()
            self._has_ended = True

    @property
    def position(self) -> int:
        """How many messages this turn has said."""
        return self._writer.position

    async def resume(self) -> None:
        """Put out what an earlier attempt at this turn has said, if there was one."""
        self._is_resumed = True
        said = await self._values.get(self._key)
        if not isinstance(said, Mapping):
            return
        self._put, self._writer.position = said["responses"], said["messages"]
        self._holds_words = bool(said["kept"])
        for response in said["kept"]:
            self._keep(said["to"], response)
        # Somebody may have taken the conversation since then, and given it back.
        version, self._writer.turn_version = self._writer.turn_version, said["version"]
        await self._flush()
        self._writer.turn_version = version
        self._passed_over = self._put

    async def write(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        """Raises `StoreError` only."""
        async with self._lock:
            if self._wait is not None and not self._is_resumed:
                await self.resume()
            if self._passed_over:
                self._passed_over -= 1
            elif self._wait is None:
                await self._writer.write(recipient_id, response)
            else:
                await self._add(recipient_id, response)

    async def _add(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        # A turn that blocks the loop blocks the timer, too.
        if loop.time() >= self._due or recipient_id != self._recipient_id:
            await self._flush()
        self._keep(recipient_id, response)
        await self._note()
        if self._timer is None and (self._has_ended or self._kept[-1].name not in self._skip):
            self._start_timer()

    def _keep(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        self._recipient_id = recipient_id
        self._kept.append(self._writer.compose(recipient_id, response))
        self._responses.append(plain(response))

    async def _note(self) -> None:
        """Store what was said and is not yet in the outbox, and how much is."""
        said = {
            "to": self._recipient_id,
            "responses": self._put,
            "messages": self._writer.position,
            "version": self._writer.turn_version,
            "kept": self._responses,
        }
        self._is_noted = False  # where the store fails, nobody knows
        await self._values.set(self._key, said, LIFE)
        self._is_noted, self._holds_words = True, bool(self._responses)

    def _start_timer(self) -> None:
        assert self._wait is not None
        loop = asyncio.get_running_loop()
        self._due = loop.time() + self._wait
        self._timer = loop.call_at(self._due, self._flush_soon)

    def _flush_soon(self) -> None:
        self._late = asyncio.ensure_future(self._flush_late())

    async def _flush_late(self) -> None:
        async with self._lock:
            try:
                await self._flush()
            except StoreError:
                if self._has_ended:  # before, the next response or the end tries it again
                    self._start_timer()

    async def _flush(self) -> None:
        """Put what is kept into the outbox; what was put only in part is put again."""
        if self._kept:
            if not self._is_noted:
                await self._note()
            await self._writer.put_together(self._recipient_id, self._kept, skip=self._skip)
        self._put += len(self._kept)
        self._kept, self._responses = [], []
        self._due = float("inf")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
