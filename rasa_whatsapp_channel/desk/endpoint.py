"""
Desk endpoint: what a desk asks for, under ``/webhooks/whatsapp/handoff/``.

What it says goes through the outbox like everything else; the statuses come back to it as events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from rasa_whatsapp_channel.conversation.handoffs import desk_conversation
from rasa_whatsapp_channel.desk.chatwoot_client import ChatwootDesk
from rasa_whatsapp_channel.desk.contract import (
    Refused,
    iso,
    read_json,
    read_say,
    verify,
    verify_link,
    whole,
)
from rasa_whatsapp_channel.desk.parts import DeskParts
from rasa_whatsapp_channel.desk.speaker import DeskSpeaker, facts_of
from rasa_whatsapp_channel.inbound.endpoint import HttpRequest, HttpResponse
from rasa_whatsapp_channel.media.kept import KeptFile, is_ours
from rasa_whatsapp_channel.settings.handoff import ADDRESS
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError, WebhookRefused
from rasa_whatsapp_channel.whatsapp.identity import to_recipient

_SIGNATURES: Final = ("webhook-signature", "x-chatwoot-signature")
SHOWN: Final = 50  # events of the state, without ``after``


class DeskEndpoint:
    """Answers by the contract, and webhooks of *chatwoot*, if that is the desk."""

    def __init__(
        self, parts: DeskParts, speaker: DeskSpeaker, chatwoot: ChatwootDesk | None = None
    ) -> None:
        self._parts = parts
        self._secrets = parts.settings.secrets
        self._speaker = speaker
        self._chatwoot = chatwoot

    async def __call__(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        conversation, _, what = request.path.removeprefix(ADDRESS).partition("/")
        try:
            if conversation == "media" and request.method == "GET":
                return await self._file(unquote(what), request.query)
            shown = (request.headers.get(name) for name in _SIGNATURES)
            if not any(shown) and not request.query.get("token"):
                raise WebhookRefused("the call of a desk is not signed", kind="signature")
            body = await read() if request.method == "POST" else b""
            if conversation == "chatwoot" and self._chatwoot is not None:
                await self._chatwoot.receive(request.headers, request.query, body)
                return HttpResponse(b"", body_read=True)
            verify(self._secrets, request.headers, body, self._parts.clock())
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
                wrote = [
                    each["message"]["id"] for each in events if each["type"] == "message.received"
                ]
                if wrote:
                    await self._parts.show_typing(conversation, wrote[-1], what == "typing")
                return HttpResponse(b"", 204)
        raise Refused(404, "not_found", "there is nothing at this address")

    async def _events(self, conversation: str) -> list[dict[str, Any]]:
        state = await self._parts.store.values.get(desk_conversation(conversation))
        return list(state["events"]) if state else []

    async def _state(self, conversation: str, after: str | None) -> Mapping[str, Any]:
        events = await self._events(conversation)
        if after is not None:
            events = [event for event in events if event["sequence"] > whole(after)]
        else:
            events = events[-SHOWN:]
        closes_at = await self._parts.closes_at(conversation)
        return {
            **facts_of(await self._parts.handoffs.of(conversation)),
            "window_closes_at": iso(closes_at) if closes_at else None,
            "events": [self._parts.envelope(conversation, event) for event in events],
        }

    async def _file(self, name: str, query: Mapping[str, str]) -> HttpResponse:
        verify_link(self._secrets, name, query, self._parts.clock())
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
        with self._parts.kept().open(file) as opened:
            content: bytes = opened.read()
        return content


def _json(value: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value).encode(), status, "application/json", body_read=True)
