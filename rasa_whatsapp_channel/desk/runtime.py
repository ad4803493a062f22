"""Desk runtime: puts the parts of the desk together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.conversation.handoffs import DESK, Handoffs
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.desk.chatwoot_client import ChatwootDesk
from rasa_whatsapp_channel.desk.delivery import DeskDelivery, Exchange, History, WebhookDesk
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint, ShowTyping
from rasa_whatsapp_channel.desk.speaker import DeskSpeaker
from rasa_whatsapp_channel.inbound.endpoint import AnswerDesk
from rasa_whatsapp_channel.media.kept import Kept
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import Clock, Outcome, QueueItem, Store
from rasa_whatsapp_channel.whatsapp.transport import Transport


@dataclass(frozen=True)
class DeskRuntime:
    """What tells the desk, and what answers it."""

    delivery: DeskDelivery
    endpoint: AnswerDesk

    async def handle(self, item: QueueItem) -> Outcome:
        if item.body["kind"] == DESK:
            return await self.delivery.handle(item)
        return await self.delivery.watch(item)


async def _no_history(conversation: str, before: float) -> Sequence[Mapping[str, Any]]:
    return ()


def make_desk(
    handoffs: Handoffs,
    store: Store,
    people: People,
    *,
    transport: Transport,
    history: History | None,
    writer: Callable[[str, int], OutboxWriter],
    template: Mapping[str, Any] | None,
    kept: Callable[[], Kept],
    show_typing: ShowTyping,
    number: str,
    root: Path,
    clock: Clock,
) -> DeskRuntime:
    settings = handoffs.settings
    speaker = DeskSpeaker(handoffs, store, people, writer=writer, template=template, clock=clock)
    exchange = Exchange(transport)
    chatwoot = None
    if settings.desk == "chatwoot":
        chatwoot = ChatwootDesk(handoffs, store.values, speaker, exchange, root=root, clock=clock)
    desk = chatwoot or WebhookDesk(settings, exchange, number=number, clock=clock)
    endpoint = DeskEndpoint(
        settings,
        speaker,
        handoffs,
        store,
        kept=kept,
        show_typing=show_typing,
        number=number,
        clock=clock,
        chatwoot=chatwoot,
    )
    delivery = DeskDelivery(
        desk,
        handoffs,
        store,
        people,
        history=history or _no_history,
        size=settings.history,
        polls=chatwoot is not None,
        clock=clock,
    )
    return DeskRuntime(delivery, endpoint)
