"""
Desk delivery: tells the desk what happens, in the order of each conversation.

Each event is an item in a line of its own, so that a desk that is away holds up nobody. The last
events of a conversation are kept, for a desk that finds a gap.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.conversation.handoffs import DESK, HISTORY, LIFE, beside
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership
from rasa_whatsapp_channel.desk import chatwoot
from rasa_whatsapp_channel.desk.contract import digest_of
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.media.names import with_ending
from rasa_whatsapp_channel.media.object_store import is_url, read_object
from rasa_whatsapp_channel.standard_webhooks import NotTold, OwnServer, Telling
from rasa_whatsapp_channel.store.base import DONE, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.unix_time import DAY, time_of
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.identity import is_user_id, split_number
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.transport import File, Transport

logger = logging.getLogger(__name__)

MOST: Final = 200  # events that are kept of a conversation
CLOSING: Final = 7200.0  # seconds before the end of the 24-hour window
AGAIN: Final = 60.0  # seconds between two looks after an episode
# Seconds in which the bot's process tells what was said before an episode, and between two looks.
HISTORY_WAIT: Final = 10.0
HISTORY_LOOK: Final = 0.25

# Returns what was said before a time and a turn, as the bot's tracker has it: conversation, time,
# id of the turn, None for none.
History = Callable[[str, float, str | None], Awaitable[Sequence[Mapping[str, Any]]]]


@dataclass
class DeskDelivery:
    """
    *root* is the bot's folder, where the files that people sent are kept.

    Every method raises `StoreError`.
    """

    desk: DeskEndpoint
    transport: Transport
    history: History | None
    root: Path

    def __post_init__(self) -> None:
        self._settings = self.desk.settings
        self._values = self.desk.store.values
        self._telling = Telling("the desk", clock=self.desk.clock)

    async def handle(self, item: QueueItem) -> Outcome:
        """Tell the desk the event of *item*; again for a day if it cannot be told now."""
        if await self._awaits_history(item):
            return Retry(HISTORY_LOOK, counted=False)
        tell = partial(self._tell, item, str(item.body["conversation"]))
        return await self._telling.run(item, item.body["type"], tell)

    async def _awaits_history(self, item: QueueItem) -> bool:
        """Return whether the bot's process may still tell what was said before this episode."""
        facts, age = item.body["facts"], self.desk.clock() - item.body["at"]
        if not facts.get("opens") or not self._settings.history or age > HISTORY_WAIT:
            return False
        return await self._values.get(_history_key(item.body["conversation"], facts)) is None

    async def look_back(self, item: QueueItem) -> Outcome:
        """Keep what was said before an episode, where the bot runs."""
        conversation = str(item.body["conversation"])
        at, turn = item.body["at"], item.body.get("turn")
        said = await self.history(conversation, at, turn) if self.history else ()
        await self._values.set(_history_key(conversation, item.body), [*said][-MOST:], DAY)
        return DONE

    async def _tell(self, item: QueueItem, conversation: str) -> None:
        """Tell the desk the event of *item*; raises as `Telling.run` says."""
        key = beside(DESK, conversation)
        state = await self._values.get(key) or {"events": [], "ids": {}}
        known = _id_of(item)
        event = next((each for each in state["events"] if each["id"] == known), None)
        if event is None:
            event = await self._event(item, conversation, state["events"])
            if event is None:
                return
            state["events"] = [*state["events"], event][-MOST:]
            await self._values.set(key, state, LIFE)
        told, ids = self.desk.with_links(event), state["ids"]
        if self._settings.desk == "webhook":
            server = OwnServer(
                self._settings.url, self._settings.secret, self.transport, self.desk.clock
            )
            await server.post(event["id"], told)
            return
        file, again = await self._file(object_of(event.get("message"))), item.attempts > 1
        ids = await self._run(chatwoot.tell(told, ids, self._settings, file=file, again=again))
        if ids != state["ids"]:
            await self._values.set(key, {**state, "ids": ids}, LIFE)
            await self._values.set(chatwoot.key_of(ids["conversation"]), conversation, LIFE)

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
            size = self._settings.history
            said = await self._values.get(_history_key(conversation, facts)) or ()
            facts["history"] = [each for each in said if each.get("id") not in told][-size:]
            closes_at = await self.desk.closes_at(conversation)
            facts["window_closes_at"] = time_of(closes_at) if closes_at else None
        last = before[-1] if before else {"sequence": 0}
        who, number = split_number(conversation)
        name = facts.pop("name", None) or object_of(last.get("contact")).get("name")
        return {
            "id": _id_of(item),
            "type": item.body["type"],
            "sequence": last["sequence"] + 1,
            "time": time_of(at),
            "conversation": conversation,
            "contact": {"user_id" if is_user_id(who) else "phone": who, "name": name},
            "number": {"phone_number_id": number or self.desk.number},
            **facts,
        }

    async def watch(self, conversation: str, owner: Ownership) -> float:
        """
        Look after an episode; return in how many seconds to do it again.

        The desk is told in time when the window closes, and Chatwoot asked for what it could not
        tell.
        """
        closes_at, now = await self.desk.closes_at(conversation) or 0.0, self.desk.clock()
        if closes_at - CLOSING <= now < closes_at:
            facts = {"window_closes_at": time_of(closes_at), "episode": owner.episode}
            key = f"{owner.episode}:{closes_at}"
            await self.desk.handoffs.report(conversation, "window.closing", key, facts)
        if self._settings.desk == "webhook":
            return max(AGAIN, closes_at - CLOSING - now)
        await self.desk.look(conversation)
        return AGAIN

    async def look(self, item: QueueItem) -> Outcome:
        """Do what agents said and did in Chatwoot; what fails is asked again by the timer."""
        conversation = str(item.body["conversation"])
        owner = await self.desk.handoffs.of(conversation)
        state = await self._values.get(beside(DESK, conversation)) or {"ids": {}}
        if owner.owner is Owner.BOT or not (ids := state["ids"]):
            return DONE
        key = f"chatwoot_seen:{conversation}"
        after = await self._values.get(key) or ids.get("first", 0)
        try:
            seen = await self._run(chatwoot.look(ids, self._settings, after=after))
        except (NotTold, TransportError) as error:
            logger.info("whatsapp.desk_not_asked: again in a minute: %s", in_one_line(error))
            return DONE
        said, last, is_resolved = seen
        for say in said:
            await self.desk.say_for(conversation, say)
        # An episode that Chatwoot does not show yet cannot have been resolved there.
        if is_resolved and ids.get("episode") == owner.episode:
            await self.desk.own(conversation, {"owner": "bot"})
        await self._values.set(key, last, LIFE)
        return DONE

    async def _file(self, message: Mapping[str, Any]) -> File | None:
        """Return the file of a person's message, if it is still there."""
        media = object_of(message.get("media"))
        path = str(media.get("path") or "")
        if not path or message.get("from") != "user":
            return None
        content: bytes | Path = self.root / path
        if is_url(path):
            content = await asyncio.to_thread(read_object, path)
        elif not await asyncio.to_thread((self.root / path).is_file):
            return None
        kind = media["mime_type"]
        return File(content, kind, media.get("filename") or with_ending(message["type"], kind))

    async def _run(self, talk: chatwoot.Exchange) -> Any:
        """Return what comes of *talk*; raises `NotTold`, `MediaError` or `TransportError`."""
        try:
            request = next(talk)
            while True:
                response = await self.transport.send(request)
                try:
                    answer = json.loads(response.body)
                except (ValueError, RecursionError):
                    answer = {}
                request = talk.send((response.status, answer))
        except StopIteration as end:
            return end.value
        except (AttributeError, LookupError, TypeError) as error:
            raise NotTold(f"the desk's answer is not understood: {error!r}") from error


def _history_key(conversation: str, facts: Mapping[str, Any]) -> str:
    return f"{HISTORY}:{conversation}:{facts['episode']}"


def _id_of(item: QueueItem) -> str:
    """Return the id of the event of *item*, the same each time it is told."""
    return f"evt_{digest_of(item.key)}"
