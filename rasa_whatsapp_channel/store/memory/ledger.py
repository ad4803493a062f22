"""What was sent, in memory."""

from __future__ import annotations

from dataclasses import replace

from rasa_whatsapp_channel.store.base import Clock, Ledger, Retention, Sent, is_news
from rasa_whatsapp_channel.store.memory.door import Door
from rasa_whatsapp_channel.store.memory.fading import Fading


class MemoryLedger(Ledger):
    def __init__(self, door: Door, *, clock: Clock, retention: Retention) -> None:
        self._door = door
        self._clock = clock
        self._life = retention.ledger
        self._sent: Fading[Sent] = Fading(clock)
        self._early: Fading[Sent] = Fading(clock)  # only a status came so far
        self._by_key: Fading[str] = Fading(clock)

    async def note_sent(
        self, message_id: str, *, key: str, recipient_id: str, response: str | None = None
    ) -> Sent:
        self._door.check()
        sent = Sent(message_id, key, recipient_id, response, "accepted", self._clock())
        before = self._early.pop(message_id) or self._sent.get(message_id)
        if before is not None:
            sent = replace(sent, status=before.status, at=before.at, reason=before.reason)
        self._sent.set(message_id, sent, sent.at + self._life)
        self._by_key.set(key, message_id, sent.at + self._life)
        return sent

    async def note_status(
        self, message_id: str, status: str, *, reason: str | None = None
    ) -> Sent | None:
        self._door.check()
        sent = self._sent.get(message_id)
        before = sent or self._early.get(message_id)
        if not is_news(status, before=before.status if before else None):
            return None
        now = self._clock()
        if sent is None:
            early = Sent(message_id, "", "", None, status, now, reason)
            self._early.set(message_id, early, now + self._life)
            return None
        news = replace(sent, status=status, at=now, reason=reason)
        self._sent.set(message_id, news, now + self._life)
        if self._by_key.get(news.key) == message_id:
            self._by_key.set(news.key, message_id, now + self._life)
        return news

    async def get(self, message_id: str) -> Sent | None:
        self._door.check()
        return self._sent.get(message_id)

    async def by_key(self, key: str) -> Sent | None:
        self._door.check()
        message_id = self._by_key.get(key)
        sent = self._sent.get(message_id) if message_id else None
        # The id may have been noted for another key since.
        return sent if sent and sent.key == key else None

    async def purge(self, recipient_id: str) -> int:
        self._door.check()
        gone = self._sent.pop_where(lambda _, sent: sent.recipient_id == recipient_id)
        self._by_key.pop_where(lambda _, message_id: message_id in gone)
        return len(gone)

    def forget_old(self) -> None:
        for kept in (self._sent, self._early, self._by_key):
            kept.purge()
