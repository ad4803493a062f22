"""
Desk delivery: tells the desk what happens, in the order of each conversation.

Each event is an item of the inbox, in a conversation of its own, so that a desk that is away holds
up nobody. The last events of a conversation are kept, for a desk that finds a gap.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.conversation.handoffs import DESK, LIFE, beside
from rasa_whatsapp_channel.conversation.owner import Ownership
from rasa_whatsapp_channel.desk import chatwoot
from rasa_whatsapp_channel.desk.contract import digest_of, iso
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.media.names import with_ending
from rasa_whatsapp_channel.media.object_store import is_url, read_object
from rasa_whatsapp_channel.standard_webhooks import NotTold, OwnServer, Telling
from rasa_whatsapp_channel.store.base import Outcome, QueueItem, Retry
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.transport import File, Transport

logger = logging.getLogger(__name__)

MOST: Final = 200  # events that are kept of a conversation
CLOSING: Final = 7200.0  # seconds before the end of the 24-hour window
LOOK: Final = 60.0  # seconds between two looks at what Chatwoot could not tell

# Returns what was said before a time, as the bot's tracker has it.
History = Callable[[str, float], Awaitable[Sequence[Mapping[str, Any]]]]


class DeskDelivery:
    """
    *root* is the bot's folder, where the files that people sent are kept.

    Every method raises `StoreError`.
    """

    def __init__(
        self, desk: DeskEndpoint, transport: Transport, *, history: History | None, root: Path
    ) -> None:
        self._desk = desk
        self._settings = desk.settings
        self._values = desk.store.values
        self._transport = transport
        self._history = history
        self._root = root
        self._telling = Telling("the desk", clock=desk.clock)

    async def handle(self, item: QueueItem) -> Outcome:
        """Tell the desk the event of *item*; again for a day if it cannot be told now."""
        tell = partial(self._tell, item, str(item.body["conversation"]))
        return await self._telling.run(item, item.body["type"], tell)

    async def _tell(self, item: QueueItem, conversation: str) -> None:
        """Tell the desk the event of *item*; raises as `Telling.run` says."""
        key = beside(DESK, conversation)
        state = await self._values.get(key) or {"events": [], "ids": {}}
        event = next((each for each in state["events"] if each["key"] == item.key), None)
        if event is None:
            event = await self._event(item, conversation, state["events"])
            if event is None:
                return
            state["events"] = [*state["events"], event][-MOST:]
            await self._values.set(key, state, LIFE)
        told, ids = self._desk.envelope(conversation, event), state["ids"]
        if self._settings.desk == "webhook":
            server = OwnServer(
                self._settings.url, self._settings.secrets, self._transport, self._desk.clock
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
            said = await self._history(conversation, at) if self._history and size else ()
            facts["history"] = [each for each in said if each.get("id") not in told][-size:]
            closes_at = await self._desk.closes_at(conversation)
            facts["window_closes_at"] = iso(closes_at) if closes_at else None
        last = before[-1] if before else {"sequence": 0}
        name = facts.pop("name", None) or last.get("name")
        always = {"key": item.key, "id": f"evt_{digest_of(item.key)}", "type": item.body["type"]}
        return {**always, "sequence": last["sequence"] + 1, "at": at, "name": name, **facts}

    async def watch(self, conversation: str, owner: Ownership) -> Retry:
        """
        Look after an episode; return when to do it again.

        The desk is told in time when the window closes, and Chatwoot asked for what it could not
        tell.
        """
        closes_at, now = await self._desk.closes_at(conversation) or 0.0, self._desk.clock()
        if closes_at - CLOSING <= now < closes_at:
            facts = {"window_closes_at": iso(closes_at), "episode": owner.episode}
            key = f"{owner.episode}:{closes_at}"
            await self._desk.handoffs.report(conversation, "window.closing", key, facts)
        if self._settings.desk == "webhook":
            return Retry(max(LOOK, closes_at - CLOSING - now), counted=False)
        seen = await self._desk.last_call(conversation)
        try:
            await self._look(conversation, owner)
        except (NotTold, TransportError) as error:
            logger.info("whatsapp.desk_not_asked: again in a minute: %s", in_one_line(error))
        recheck = partial(self._desk.recheck, conversation, seen)
        return Retry(LOOK, cause=DESK, counted=False, then=recheck)

    async def _look(self, conversation: str, owner: Ownership) -> None:
        state = await self._values.get(beside(DESK, conversation))
        if not state or not (ids := state["ids"]):
            return
        key = f"chatwoot_seen:{conversation}"
        after = await self._values.get(key) or ids.get("first", 0)
        said, last, is_resolved = await self._run(chatwoot.look(ids, self._settings, after=after))
        for say in said:
            await self._desk.say_for(conversation, say)
        # An episode that Chatwoot does not show yet cannot have been resolved there.
        if is_resolved and ids.get("episode") == owner.episode:
            await self._desk.own(conversation, {"owner": "bot"})
        await self._values.set(key, last, LIFE)

    async def _file(self, message: Mapping[str, Any]) -> File | None:
        """Return the file of a person's message, if it is still there."""
        media = object_of(message.get("media"))
        path = str(media.get("path") or "")
        if not path or message.get("from") != "user":
            return None
        content: bytes | Path = self._root / path
        if is_url(path):
            content = await asyncio.to_thread(read_object, path)
        elif not await asyncio.to_thread((self._root / path).is_file):
            return None
        kind = media["mime_type"]
        return File(content, kind, media.get("filename") or with_ending(message["type"], kind))

    async def _run(self, talk: chatwoot.Exchange) -> Any:
        """Return what comes of *talk*; raises `NotTold`, `MediaError` or `TransportError`."""
        try:
            request = next(talk)
            while True:
                response = await self._transport.send(request)
                try:
                    answer = json.loads(response.body)
                except (ValueError, RecursionError):
                    answer = {}
                request = talk.send((response.status, answer))
        except StopIteration as end:
            return end.value
        except (AttributeError, LookupError, TypeError) as error:
            raise NotTold(f"the desk's answer is not understood: {error!r}") from error
