"""
Desk delivery: tells the desk what happens, in the order of each conversation.

Each event is an item of the inbox, in a conversation of its own, so that a desk that is away holds
up nobody. The last events of a conversation are kept, for a desk that finds a gap.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.conversation.handoffs import LIFE, desk_conversation
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.desk.contract import DeskError, digest_of, iso, sign
from rasa_whatsapp_channel.desk.parts import DeskParts
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.store.base import (
    DONE,
    DeadLetter,
    Outcome,
    QueueItem,
    Retry,
)
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request

logger = logging.getLogger(__name__)

MOST: Final = 200  # events that are kept of a conversation
AT_ONCE: Final = 50  # requests to the desk; a slow one must not take the slots of the inbox
TIMEOUT: Final = 10.0
LONGEST: Final = 3600.0  # seconds between two attempts
CLOSING: Final = 7200.0  # seconds before the end of the 24-hour window
LOOK: Final = 60.0


class DeskClient(Protocol):
    """Raises `DeskError`, `MediaError` or `TransportError`."""

    async def tell(
        self, conversation: str, event: Mapping[str, Any], ids: Mapping[str, Any], *, again: bool
    ) -> Mapping[str, Any]:
        """Tell *event*; *ids* is what the last call of this conversation returned."""

    async def look(self, conversation: str, ids: Mapping[str, Any]) -> None:
        """Ask for what the desk could not tell, if it is one that loses something."""


class WebhookDesk:
    """Posts each event to the `url` of the settings."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts

    async def tell(
        self, conversation: str, event: Mapping[str, Any], ids: Mapping[str, Any], *, again: bool
    ) -> Mapping[str, Any]:
        parts, settings = self._parts, self._parts.settings
        body = json.dumps(parts.envelope(conversation, event)).encode()
        signed = sign(settings.secrets, event["id"], body, parts.clock())
        headers = {"Content-Type": "application/json", **signed}
        request = Request("POST", settings.url, headers, body, TIMEOUT)
        answer = await parts.transport.send(request)
        if not 200 <= answer.status < 300:
            raise DeskError(f"the desk answers HTTP {answer.status}")
        return ids

    async def look(self, conversation: str, ids: Mapping[str, Any]) -> None:
        pass


class DeskDelivery:
    """*polls*: the desk is asked for what it could not tell. Every method raises `StoreError`."""

    def __init__(self, desk: DeskClient, parts: DeskParts, *, polls: bool) -> None:
        self._desk = desk
        self._parts = parts
        self._values = parts.store.values
        self._polls = polls
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def handle(self, item: QueueItem) -> Outcome:
        """Tell the desk the event of *item*; again for a day if it cannot be told now."""
        if self._slots.locked():
            return Retry(1.0, counted=False)
        async with self._slots:
            return await self._handle(item)

    async def _handle(self, item: QueueItem) -> Outcome:
        conversation = str(item.body["conversation"])
        key = desk_conversation(conversation)
        state = await self._values.get(key) or {"events": [], "ids": {}}
        event = next((each for each in state["events"] if each["key"] == item.key), None)
        try:
            if event is None:
                event = await self._event(item, conversation, state["events"])
                if event is None:
                    return DONE
                state["events"] = [*state["events"], event][-MOST:]
                await self._values.set(key, state, LIFE)
            again = item.attempts > 1
            ids = await self._desk.tell(conversation, event, state["ids"], again=again)
        except (DeskError, MediaError, TransportError) as error:
            return self._failed(item, error)
        if ids != state["ids"]:
            await self._values.set(key, {**state, "ids": ids}, LIFE)
        return DONE

    async def _event(
        self, item: QueueItem, conversation: str, before: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any] | None:
        """Return the event of *item* as it is kept; None: the desk has it in a history."""
        facts, at = dict(item.body["facts"]), item.body["at"]
        had = {each["id"] for event in before for each in event.get("history", ()) if "id" in each}
        message = facts.get("message", {})
        if item.body["type"] == "message.received" and message.get("id") in had:
            return None
        if facts.pop("opens", False):
            told = {event["message"]["id"] for event in before if "message" in event}
            history, size = self._parts.history, self._parts.settings.history
            said = await history(conversation, at) if history and size else ()
            facts["history"] = [each for each in said if each.get("id") not in told][-size:]
            closes_at = await self._parts.closes_at(conversation)
            facts["window_closes_at"] = iso(closes_at) if closes_at else None
        last = before[-1]["sequence"] if before else 0
        name = facts.pop("name", None) or (before[-1].get("name") if before else None)
        always = {"key": item.key, "id": f"evt_{digest_of(item.key)}", "type": item.body["type"]}
        return {**always, "sequence": last + 1, "at": at, "name": name, **facts}

    async def watch(self, item: QueueItem) -> Outcome:
        """Tell the desk in time when the window closes, and ask it for what it could not tell."""
        conversation = str(item.body["conversation"])
        owner, now = await self._parts.handoffs.of(conversation), self._parts.clock()
        if owner.owner is Owner.BOT or owner.episode != item.body["episode"]:
            return DONE
        closes_at = await self._parts.closes_at(conversation) or 0.0
        if closes_at - CLOSING <= now < closes_at:
            facts = {"window_closes_at": iso(closes_at), "episode": owner.episode}
            key = f"{owner.episode}:{closes_at}"
            await self._parts.handoffs.report(conversation, "window.closing", key, facts)
        if not self._polls:
            return Retry(max(LOOK, closes_at - CLOSING - now), counted=False)
        state = await self._values.get(desk_conversation(conversation)) or {"ids": {}}
        try:
            await self._desk.look(conversation, state["ids"])
        except (DeskError, TransportError) as error:
            logger.info("whatsapp.desk_not_asked: again in a minute: %s", in_one_line(error))
        return Retry(LOOK, counted=False)

    def _failed(self, item: QueueItem, error: Exception) -> Outcome:
        since, what = item.failing_since, item.body["type"]
        lasting = 0.0 if since is None else self._parts.clock() - since
        if lasting > DAY:
            return DeadLetter(f"the desk was not told of {what} in a day: {error}")
        wait = min(2.0 ** (item.tries - 1), LONGEST)
        logger.log(
            logging.WARNING if item.tries == 1 else logging.DEBUG,
            "whatsapp.desk_not_told: %s, again in %g seconds: %s",
            what,
            wait,
            in_one_line(error),
        )
        return Retry(wait, error=str(error))
