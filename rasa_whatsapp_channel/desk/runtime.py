"""Desk runtime: puts the parts of the desk together."""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.handoffs import DESK
from rasa_whatsapp_channel.desk.chatwoot_client import ChatwootDesk
from rasa_whatsapp_channel.desk.delivery import DeskDelivery, WebhookDesk
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint
from rasa_whatsapp_channel.desk.parts import DeskParts
from rasa_whatsapp_channel.desk.speaker import DeskSpeaker
from rasa_whatsapp_channel.store.base import Outcome, QueueItem


class DeskRuntime:
    """What tells the desk, and what answers it."""

    def __init__(self, parts: DeskParts) -> None:
        speaker = DeskSpeaker(parts)
        is_chatwoot = parts.settings.desk == "chatwoot"
        chatwoot = ChatwootDesk(parts, speaker) if is_chatwoot else None
        self.delivery = DeskDelivery(chatwoot or WebhookDesk(parts), parts, polls=is_chatwoot)
        self.endpoint = DeskEndpoint(parts, speaker, chatwoot)

    async def handle(self, item: QueueItem) -> Outcome:
        if item.body["kind"] == DESK:
            return await self.delivery.handle(item)
        return await self.delivery.watch(item)
