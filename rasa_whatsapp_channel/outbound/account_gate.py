"""Account gate: keeps messages that the account cannot send now, and sends other templates."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from rasa_whatsapp_channel.account import AccountState, Trouble
from rasa_whatsapp_channel.compose.closed_window import Outside, Way
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.outbound import policy
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.unsent import Unsent
from rasa_whatsapp_channel.outbound.window import WindowGate
from rasa_whatsapp_channel.store.base import (
    ACCOUNT,
    DONE,
    DeadLetter,
    Done,
    Outcome,
    QueueItem,
    Retry,
    Store,
    template_cause,
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
        unsent: Unsent,
        *,
        keep: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._account = account
        self._window = window
        self._unsent = unsent
        self._keep = keep
        self._clock = clock

    async def hold(self, item: QueueItem, entry: OutboxMessage, person: Person) -> Outcome | None:
        """Return what happens to *entry* while the account cannot send it; None if it can."""
        obstacle = await self._account.obstacle(entry.template_subject)
        if obstacle is None:
            return None
        if entry.instead_of is not None and not entry.stands_in and obstacle.is_about_template:
            return Retry(0.0, counted=False, body=entry.without_template().body())
        now = self._clock()
        other = await self._other(entry) if entry.stands_in else None
        decision = policy.hold(
            obstacle,
            stands_in=entry.stands_in,
            is_needed=await self._window.is_closed(entry, person, since=item.put_at),
            has_other=other is not None,
            left=(entry.failing_since or item.put_at) + self._keep - now,
            now=now,
        )
        if isinstance(decision, policy.SendOther):
            return await self._send_other(item, entry, person, other, str(obstacle))
        if isinstance(decision, DeadLetter):
            return await self._unsent.dead_letter(item, entry, decision.reason, code=obstacle.code)
        return await self._follow(decision, item, entry, obstacle)

    async def after_refusal(
        self, item: QueueItem, entry: OutboxMessage, person: Person, reason: str
    ) -> Done | DeadLetter:
        """Send another template instead of *entry*, which stands in and was refused."""
        return await self._send_other(item, entry, person, await self._other(entry), reason)

    async def _send_other(
        self,
        item: QueueItem,
        entry: OutboxMessage,
        person: Person,
        other: Outside | None,
        reason: str,
    ) -> Done | DeadLetter:
        if other is None:
            return DeadLetter(reason)
        await self._window.send(item, entry, person, other)
        logger.warning(
            "whatsapp.held: `reengagement_template` goes instead of the template of %s: %s",
            entry.called(item.key),
            reason,
        )
        return DONE

    async def _follow(
        self,
        decision: policy.NotNeeded | policy.WaitForAccount,
        item: QueueItem,
        entry: OutboxMessage,
        obstacle: Trouble,
    ) -> Retry | Done:
        if isinstance(decision, policy.NotNeeded):
            logger.info(
                "whatsapp.held: the template of %s does not go, as the person wrote: %s",
                entry.called(item.key),
                obstacle,
            )
            return DONE
        conversation = template_conversation(entry.recipient_id, entry.template_name)
        if obstacle.is_about_template and item.conversation != conversation:
            await self._store.outbox.put(f"{item.key}{LATER}", conversation, entry.body())
            return DONE
        logger.warning("whatsapp.held: %s waits: %s", entry.called(item.key), obstacle)
        cause = template_cause(entry.template_name) if obstacle.is_about_template else ACCOUNT
        recheck = partial(self._recheck, item, entry, cause)
        return Retry(decision.wait, cause=cause, counted=False, then=recheck)

    async def _other(self, entry: OutboxMessage) -> Outside | None:
        """Return the template that may go instead of *entry*, which stands in, and can be sent."""
        other = await self._window.ways.of(entry, refused=(Way.DIRECT_SEND, Way.TEMPLATE))
        if other.subject in (None, entry.template_subject):
            return None
        return other if await self._account.obstacle(other.subject) is None else None

    async def _recheck(self, item: QueueItem, entry: OutboxMessage, cause: str) -> None:
        """End the wait if the obstacle ended while the entry was still claimed."""
        if await self._account.obstacle(entry.template_subject) is None:
            await self._store.outbox.end_wait(item.conversation, cause)
