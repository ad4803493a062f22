"""Unsent: ends what is not sent, as a dead letter or withheld, and tells who should know."""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.outbound.marketing import OPTED_OUT
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.simulator_header import DEAD_LETTERS, write_dead_letter
from rasa_whatsapp_channel.store.base import DONE, DeadLetter, Done, QueueItem
from rasa_whatsapp_channel.whatsapp.clients.base import Client


@dataclass(frozen=True)
class Unsent:
    """Every method raises `StoreError`."""

    client: Client
    failures: Failures
    limits: LimitGate | None
    metrics: Metrics

    async def uncount(self, item: QueueItem, entry: OutboxMessage) -> None:
        """Count the message no more towards the limits, unless an attempt may have succeeded."""
        if self.limits is not None and not entry.unconfirmed:
            await self.limits.uncount(item.key)

    async def withhold(self, item: QueueItem, entry: OutboxMessage, reason: str) -> Done:
        """End *item* without a dead letter: to send it later would be no better."""
        await self.uncount(item, entry)
        await self.failures.withhold(item.key, entry, reason)
        self.metrics.withheld()
        told = write_dead_letter(entry, code=OPTED_OUT, reason=reason)
        await self.client.post_local(DEAD_LETTERS, told)
        return DONE

    async def dead_letter(
        self, item: QueueItem, entry: OutboxMessage, reason: str, *, code: int = 0, title: str = ""
    ) -> DeadLetter:
        await self.uncount(item, entry)
        await self.failures.tell(item.key, entry, code=code, reason=reason, title=title)
        told = write_dead_letter(entry, code=code, reason=reason)
        await self.client.post_local(DEAD_LETTERS, told)
        return DeadLetter(f"{entry.called(item.key)}: {reason}")
