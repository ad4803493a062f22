"""Owner gate: what the bot wanted to say is not sent once a person, or another app, took over."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from rasa_whatsapp_channel.conversation.handoffs import MESSAGE_SENT, EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import ANY_OWNER, Owner
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnerGate:
    """
    Every method raises `StoreError`. Without *handoffs*, and for what is said with the version
    `ANY_OWNER`, it is open, and reads nothing.
    """

    handoffs: Handoffs | None
    clock: Clock = time.time

    async def version(self, conversation: str) -> int:
        """Return the version for what no turn asked for."""
        if self.handoffs is None:
            return ANY_OWNER
        return (await self.handoffs.of(conversation)).version

    async def ask(self, conversation: str, reason: str, *, by: str = "bot") -> None:
        """Ask for a person."""
        if self.handoffs is None:
            logger.warning(
                "whatsapp.no_handoff: the bot asks for a person, but nobody can take over: write "
                "`handoff: {}` into the channel's block"
            )
            return
        await self.handoffs.apply(conversation, Owner.WAITING, by=by, reason=reason)

    async def said(self, key: str, entry: OutboxMessage, conversation: str) -> None:
        """Tell the desk what the bot says while somebody waits, and before in the same turn."""
        if self.handoffs is None or entry.turn_version == ANY_OWNER:
            return
        if not self.handoffs.settings.desk:
            return
        said = self._message(key, entry)
        facts = {"message": {**said.told(), "raw": entry.message.get(said.type)}}
        if (await self.handoffs.of(conversation)).owner is not Owner.BOT:
            await self.handoffs.report(conversation, MESSAGE_SENT, key, facts)
        elif turn := self.handoffs.turns.get(conversation):
            turn.said.append((key, facts))

    async def withholds(self, key: str, entry: OutboxMessage, conversation: str) -> bool:
        """
        Return whether *entry* must not be sent; then the episode tells what it was.

        A message whose first part was sent is sent whole. What an earlier attempt at the turn had
        sent is no news.
        """
        if self.handoffs is None or entry.turn_version == ANY_OWNER or entry.part > 1:
            return False
        owner = await self.handoffs.of(conversation)
        if owner.may_say(entry.turn_version, self.handoffs.settings):
            return False
        sent = await self.handoffs.store.ledger.by_key(key)
        if sent is not None and sent.status != "failed":
            return True
        await self.handoffs.note(conversation, self._message(key, entry))
        logger.info(
            "whatsapp.not_said: %s is not sent: its turn began before a person, or another app, "
            "took the conversation",
            entry.called(key),
        )
        return True

    def _message(self, key: str, entry: OutboxMessage) -> EpisodeMessage:
        kind = str(entry.message.get("type"))
        return EpisodeMessage(key, "bot", self.clock(), kind, entry.words)
