"""
Desk endpoint: what a desk asks for, under ``/webhooks/whatsapp/handoff/``.

What it says goes through the outbox like everything else; the statuses come back to it as events.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.conversation.handoffs import (
    Handoffs,
    desk_conversation,
)
from rasa_whatsapp_channel.desk.chatwoot_client import ChatwootDesk
from rasa_whatsapp_channel.desk.contract import (
    Link,
    Refused,
    envelope,
    iso,
    read_json,
    read_say,
    verify,
    verify_link,
)
from rasa_whatsapp_channel.desk.speaker import DeskSpeaker, facts_of
from rasa_whatsapp_channel.inbound.endpoint import HttpRequest, HttpResponse
from rasa_whatsapp_channel.media.kept import Kept, KeptFile, is_ours
from rasa_whatsapp_channel.settings.handoff import ADDRESS, HandoffSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError
from rasa_whatsapp_channel.whatsapp.identity import to_recipient

logger = logging.getLogger(__name__)

REMEMBERED: Final = 7 * DAY  # a client_id
BY: Final = "desk"
SHOWN: Final = 50  # events of the state, without ``after``

# Marks a message of the person as read, and shows that somebody types: conversation, its id.
ShowTyping = Callable[[str, str, bool], Awaitable[None]]


class DeskEndpoint:
    """Answers by the contract. *kept* opens the files that people sent."""

    def __init__(
        self,
        settings: HandoffSettings,
        speaker: DeskSpeaker,
        handoffs: Handoffs,
        store: Store,
        *,
        kept: Callable[[], Kept],
        show_typing: ShowTyping,
        number: str,
        clock: Clock,
        chatwoot: ChatwootDesk | None = None,
    ) -> None:
        self._settings = settings
        self._chatwoot = chatwoot
        self._speaker = speaker
        self._handoffs = handoffs
        self._values = store.values
        self._kept = kept
        self._show_typing = show_typing
        self._number = number
        self._clock = clock

    async def __call__(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        conversation, _, what = request.path.removeprefix(ADDRESS).partition("/")
        try:
            if conversation == "media" and request.method == "GET":
                return await self._file(unquote(what), request.query)
            body = await read() if request.method == "POST" else b""
            if conversation == "chatwoot" and self._chatwoot is not None:
                await self._chatwoot.receive(request.headers, request.query, body)
                return HttpResponse(b"", body_read=True)
            secrets = self._settings.secrets
            verify(secrets, request.headers, body, self._clock())
            try:
                conversation = to_recipient(unquote(conversation))
            except InvalidMessage as error:
                raise Refused(
                    404, "not_found", f"there is no such conversation: {error}"
                ) from error
            return await self._answer(conversation, what.strip("/"), request, body)
        except Refused as refused:
            return _json(refused.answer, refused.status)

    async def _answer(
        self, conversation: str, what: str, request: HttpRequest, body: bytes
    ) -> HttpResponse:
        match (request.method, what):
            case ("GET", ""):
                return _json(await self._state(conversation, request.query.get("after")))
            case ("POST", "messages"):
                return _json(await self._speaker.say(conversation, read_say(read_json(body))), 202)
            case ("POST", "owner"):
                return _json(await self._speaker.own(conversation, read_json(body)))
            case ("POST", "typing" | "read"):
                events = await self._events(conversation)
                wrote = [each["message"]["id"] for each in events if each["type"] == _RECEIVED]
                if wrote:
                    await self._show_typing(conversation, wrote[-1], what == "typing")
                return HttpResponse(b"", 204)
        raise Refused(404, "not_found", "there is nothing at this address")

    async def _events(self, conversation: str) -> list[dict[str, Any]]:
        state = await self._values.get(desk_conversation(conversation))
        return list(state["events"]) if state else []

    async def _state(self, conversation: str, after: str | None) -> Mapping[str, Any]:
        events = await self._events(conversation)
        if after is not None and after.isdecimal():
            events = [event for event in events if event["sequence"] > int(after)]
        else:
            events = events[-SHOWN:]
        link = Link(self._settings.secrets[0], self._settings.public_url, self._clock())
        closes_at = await self._speaker.closes_at(conversation)
        return {
            **facts_of(await self._handoffs.of(conversation)),
            "window_closes_at": iso(closes_at) if closes_at else None,
            "events": [
                envelope(conversation, event, number=self._number, link=link) for event in events
            ],
        }

    async def _file(self, name: str, query: Mapping[str, str]) -> HttpResponse:
        verify_link(self._settings.secrets, name, query, self._clock())
        file = KeptFile(name, 0)
        try:
            content = await asyncio.to_thread(self._read, file) if is_ours(name) else None
        except MediaError:
            content = None
        if content is None:
            raise Refused(404, "not_found", "the file is not here any more")
        # Whatever a person sent must not run in the browser of who looks at it.
        safe = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(content, content_type=file.mime_type, headers=safe)

    def _read(self, file: KeptFile) -> bytes:
        with self._kept().open(file) as opened:
            return opened.read()


_RECEIVED: Final = "message.received"


def _json(value: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value).encode(), status, "application/json", body_read=True)
