"""Chatwoot client: runs the exchanges of `chatwoot`, and does what agents want."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.conversation.handoffs import LIFE
from rasa_whatsapp_channel.desk import chatwoot
from rasa_whatsapp_channel.desk.contract import DeskError, Refused, Say, read_json
from rasa_whatsapp_channel.desk.parts import DeskParts
from rasa_whatsapp_channel.desk.speaker import DeskSpeaker
from rasa_whatsapp_channel.media.names import with_ending
from rasa_whatsapp_channel.media.object_store import is_url, read_object
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.transport import File

_CONVERSATION: Final = "chatwoot:"  # Chatwoot's number of a conversation → ours
_SEEN: Final = "chatwoot_seen:"  # our conversation → what was seen of Chatwoot's


class ChatwootDesk:
    """A `DeskClient` that also hears what agents do."""

    def __init__(self, parts: DeskParts, speaker: DeskSpeaker) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._values = parts.store.values
        self._speaker = speaker

    async def tell(
        self, conversation: str, event: Mapping[str, Any], ids: Mapping[str, Any], *, again: bool
    ) -> Mapping[str, Any]:
        talk = chatwoot.tell(
            conversation,
            event,
            ids,
            self._settings,
            link=self._parts.link(),
            file=await self._file(object_of(event.get("message"))),
            again=again,
        )
        told: Mapping[str, Any] = await self._run(talk)
        if told != ids:
            await self._values.set(f"{_CONVERSATION}{told['conversation']}", conversation, LIFE)
            await self._note_seen(conversation, told.get("at"))
        return told

    async def look(self, conversation: str, ids: Mapping[str, Any]) -> None:
        if not ids:
            return
        seen = await self._seen(conversation)
        after = seen.get("last") or ids.get("first") or 0
        heard, last = await self._run(chatwoot.look(ids, self._settings, after=after))
        await self._hear(conversation, heard)
        await self._values.set(
            f"{_SEEN}{conversation}", {**await self._seen(conversation), "last": last}, LIFE
        )

    async def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> None:
        """Do what a webhook asks for; raises `WebhookRefused` and `Refused`."""
        chatwoot.verify(self._settings.secrets, headers, query, body, self._parts.clock())
        heard = chatwoot.read_webhook(read_json(body), self._settings)
        if heard is None:
            return
        conversation = await self._values.get(f"{_CONVERSATION}{heard.conversation}")
        if conversation is not None:  # others may use the inbox as well
            await self._hear(conversation, heard)

    async def _hear(self, conversation: str, heard: chatwoot.Heard) -> None:
        for command in heard.commands:
            if isinstance(command, Say):
                await self._say(conversation, command)
            elif await self._is_news(conversation, heard.at):
                await self._speaker.own(conversation, {"owner": "bot"})
        await self._note_seen(conversation, heard.at)

    async def _say(self, conversation: str, say: Say) -> None:
        try:
            await self._speaker.say(conversation, say)
        except Refused as refused:
            if refused.answer["error"] == "client_id_used":
                return  # it was changed after it was sent
            facts = {"client_id": say.client_id, "status": "failed", "reason": str(refused)}
            key = f"{conversation}:{say.client_id}:refused"
            await self._parts.handoffs.report(conversation, "message.status", key, facts)

    async def _is_news(self, conversation: str, at: float | None) -> bool:
        """Return whether nothing of a conversation was seen that is newer than *at*."""
        return at is None or at >= (await self._seen(conversation)).get("at", 0.0)

    async def _note_seen(self, conversation: str, at: float | None) -> None:
        seen = await self._seen(conversation)
        if at is not None and at > seen.get("at", 0.0):
            await self._values.set(f"{_SEEN}{conversation}", {**seen, "at": at}, LIFE)

    async def _seen(self, conversation: str) -> dict[str, Any]:
        return object_of(await self._values.get(f"{_SEEN}{conversation}"))

    async def _file(self, message: Mapping[str, Any]) -> File | None:
        media = object_of(message.get("media"))
        path = str(media.get("path") or "")
        if not path or message.get("from") != "user":
            return None
        content: bytes | Path = self._parts.root / path
        if is_url(path):
            content = await asyncio.to_thread(read_object, path)
        elif not await asyncio.to_thread((self._parts.root / path).is_file):
            return None
        kind = media["mime_type"]
        name = media.get("filename") or with_ending(str(message["type"]), kind)
        return File(content, kind, name)

    async def _run(self, talk: chatwoot.Exchange) -> Any:
        try:
            request = next(talk)
            while True:
                response = await self._parts.transport.send(request)
                try:
                    answer = json.loads(response.body)
                except (ValueError, RecursionError):
                    answer = {}
                request = talk.send((response.status, answer))
        except StopIteration as end:
            return end.value
        except (AttributeError, LookupError, TypeError) as error:
            raise DeskError(f"Chatwoot's answer is not understood: {error!r}") from error
