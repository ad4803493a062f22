"""The store that is forgotten when the process ends: for trying out and for tests."""

from __future__ import annotations

import time

from rasa_whatsapp_channel.store.base import Clock, Retention, Store
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.ledger import MemoryLedger
from rasa_whatsapp_channel.store.memory.queue import MemoryQueue
from rasa_whatsapp_channel.store.memory.values import MemoryValues


class MemoryStore(Store):
    def __init__(self, *, clock: Clock = time.time, retention: Retention | None = None) -> None:
        retention = retention or Retention()
        self._door = Door()
        self.inbox = inbox = MemoryQueue(self._door, clock=clock, retention=retention)
        self.outbox = outbox = MemoryQueue(self._door, clock=clock, retention=retention)
        self.ledger = ledger = MemoryLedger(self._door, clock=clock, retention=retention)
        self.values = values = MemoryValues(self._door, clock=clock)
        self._queues = inbox, outbox
        self._parts = inbox, outbox, ledger, values

    async def open(self) -> None:
        self._door.is_open = True

    async def close(self) -> None:
        self._door.is_open = False
        for queue in self._queues:
            queue.line.close()

    async def ping(self) -> None:
        self._door.check()

    async def purge(self) -> None:
        self._door.check()
        for part in self._parts:
            part.forget_old()
