"""
Handoff of the inbox: what the bot does not hear, as a person or another app answers.

It is kept in the episode of the conversation. The timer of an episode is an item of the inbox, in a
conversation of its own, so that it survives a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership, Sign
from rasa_whatsapp_channel.inbound.turn import Turn, written
from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.store.base import DONE, Clock, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, to_body


class InboxHandoff:
    """Every method raises `StoreError`."""

    def __init__(self, handoffs: Handoffs, *, clock: Clock) -> None:
        self._handoffs = handoffs
        self._clock = clock

    async def owner(self, conversation: str) -> Ownership:
        return await self._handoffs.of(conversation)

    def hears(self, owner: Ownership) -> bool:
        """Return whether the bot gets messages of the person."""
        return owner.may_hear(self._handoffs.settings)

    def is_over(self, owner: Ownership, event: InboundMessage) -> Sign | None:
        """Return the sign by which *event* gives the conversation back to the bot, if it does."""
        if owner.owner is Owner.BOT:
            return None
        if owner.until <= self._clock():
            return Sign.TIME
        return Sign.HEARD if owner.owner is Owner.APP else None

    async def give_back(
        self, conversation: str, sign: Sign, *, by: str, reason: str = "", at: float | None = None
    ) -> Ownership:
        """Let the bot own the conversation; return the owner then, as *sign* may be too late."""
        decision = await self._handoffs.apply(conversation, sign, by=by, reason=reason, at=at)
        return decision.after

    async def keep_unanswered(
        self, conversation: str, events: Sequence[InboundMessage], version: int
    ) -> None:
        """Keep the messages of a turn in which the owner changed: the next one has to see them."""
        if (await self.owner(conversation)).version != version:
            for event in events:
                await self.keep(conversation, event, None, heard=True)

    async def keep(
        self,
        conversation: str,
        event: InboundMessage,
        file: StoredFile | None,
        *,
        heard: bool = False,
    ) -> None:
        """Keep a message of the person; *heard* by the bot, whose answer was too late."""
        message = EpisodeMessage(
            event.key,
            "user",
            event.timestamp or self._clock(),
            event.type,
            written(event),
            media=asdict(file) if file else None,
            event=None if heard else to_body(event),
        )
        await self._handoffs.note(conversation, message)

    async def keep_turn(self, conversation: str, turn: Turn) -> None:
        """Keep what the bot would have heard of something else than a message."""
        kind = str(turn.metadata["whatsapp"]["type"])
        message = EpisodeMessage(turn.message_id, "user", self._clock(), kind, turn.text)
        await self._handoffs.note(conversation, message)

    async def tick(self, item: QueueItem) -> Outcome:
        """Give the conversation of a timer back when its time is over, and wait until then."""
        conversation, episode = str(item.body["conversation"]), str(item.body["episode"])
        owner = await self._handoffs.of(conversation)
        if owner.owner is Owner.BOT or owner.episode != episode:
            return DONE
        if (left := owner.until - self._clock()) > 0:
            return Retry(left, counted=False)
        await self._handoffs.give_back(conversation, by="clock")
        # It is over when the inbox comes to it; a person may take the conversation before.
        return Retry(60.0, counted=False)
