"""Account gate: keeps messages that the account cannot send now, and sends other templates."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from rasa_whatsapp_channel.account import AccountState, Trouble
from rasa_whatsapp_channel.conversation.identity import Person
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.outbound import policy
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.window import WindowGate
from rasa_whatsapp_channel.store.base import (
    ACCOUNT,
    DONE,
    DeadLetter,
    Done,
    QueueItem,
    Retry,
    Store,
    template_of,
)

logger = logging.getLogger(__name__)

LATER: Final = ":later"  # in a key: a template that waits apart from its conversation


class AccountGate:
    """Messages are kept for *keep* seconds. All methods raise `StoreError`."""

    def __init__(
        self,
        store: Store,
        account: AccountState,
        window: WindowGate,
        *,
        keep: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._account = account
        self._window = window
        self._keep = keep
        self._clock = clock

    async def hold(
        self, item: QueueItem, entry: OutboxMessage, person: Person
    ) -> tuple[Retry | Done | DeadLetter, int] | None:
        """
        Return what happens to *entry* while the account cannot send it; None if it can.

        Beside it stands WhatsApp's code, 0 where no error told of the obstacle.
        """
        obstacle = await self._account.obstacle(entry.template_subject)
        if obstacle is None:
            return None
        now = self._clock()
        decision = policy.hold(
            obstacle,
            stands_in=entry.stands_in,
            is_needed=await self._window.is_closed(entry, person, since=item.put_at),
            has_other=entry.stands_in and await self._has_other(entry),
            left=(entry.failing_since or item.put_at) + self._keep - now,
            now=now,
        )
        return await self._follow(decision, item, entry, person, obstacle), obstacle.code

    async def _follow(
        self,
        decision: policy.Held,
        item: QueueItem,
        entry: OutboxMessage,
        person: Person,
        obstacle: Trouble,
    ) -> Retry | Done | DeadLetter:
        if isinstance(decision, DeadLetter):
            return decision
        if isinstance(decision, policy.NotNeeded):
            logger.info(
                "whatsapp.held: the template of %s does not go, as the person wrote: %s",
                entry.called(item.key),
                obstacle,
            )
            return DONE
        if isinstance(decision, policy.SendOther):
            await self._window.reengage(item, entry, person)
            logger.warning(
                "whatsapp.held: `reengagement_template` goes instead of the template of %s: %s",
                entry.called(item.key),
                obstacle,
            )
            return DONE
        conversation = template_conversation(entry.recipient_id, entry.template_name)
        if obstacle.is_about_template and item.conversation != conversation:
            await self._store.outbox.put(f"{item.key}{LATER}", conversation, entry.body())
            return DONE
        logger.warning("whatsapp.held: %s waits: %s", entry.called(item.key), obstacle)
        cause = template_of(entry.template_name) if obstacle.is_about_template else ACCOUNT
        recheck = partial(self._recheck, item, entry, cause)
        return Retry(decision.wait, cause=cause, counted=False, then=recheck)

    async def _has_other(self, entry: OutboxMessage) -> bool:
        if self._window.reengagement is None:
            return False
        other = OutboxMessage(entry.recipient_id, self._window.reengagement).template_subject
        return other != entry.template_subject and await self._account.obstacle(other) is None

    async def _recheck(self, item: QueueItem, entry: OutboxMessage, cause: str) -> None:
        """End the wait if the obstacle ended while the entry was still claimed."""
        if await self._account.obstacle(entry.template_subject) is None:
            await self._store.outbox.end_wait(item.conversation, cause)
