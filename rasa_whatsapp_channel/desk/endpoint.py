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

from rasa_whatsapp_channel.conversation.handoffs import DESK, beside
from rasa_whatsapp_channel.desk import chatwoot
from rasa_whatsapp_channel.desk.commands import DeskCommands, facts_of
from rasa_whatsapp_channel.desk.contract import (
    Refused,
    iso,
    read_json,
    read_say,
    verify,
    verify_link,
    whole,
)
from rasa_whatsapp_channel.desk.delivery import DeskDelivery
from rasa_whatsapp_channel.inbound.endpoint import HttpRequest, HttpResponse
from rasa_whatsapp_channel.media.kept import Kept, KeptFile, is_ours
from rasa_whatsapp_channel.settings.handoff import ADDRESS
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError, WebhookRefused
from rasa_whatsapp_channel.whatsapp.identity import to_recipient

SHOWN: Final = 50  # events of the state, without ``after``

# Marks a message as read and, if told so, shows that somebody types: conversation, message id.
ShowTyping = Callable[[str, str, bool], Awaitable[None]]


class DeskEndpoint:
    """
    Answers by the contract, and takes webhooks of Chatwoot, if that is the desk.

    *kept* opens the files that people sent.
    """

    def __init__(
        self,
        desk: DeskCommands,
        delivery: DeskDelivery,
        *,
        kept: Callable[[], Kept],
        show_typing: ShowTyping,
    ) -> None:
        self._desk = desk
        self.delivery = delivery
        self._kept = kept
        self._show_typing = show_typing
        self._secrets = desk.settings.secrets

    async def __call__(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        """Answer *request*, whose body *read* returns; raises `WebhookRefused`, `StoreError`."""
        name, _, what = request.path.removeprefix(ADDRESS).partition("/")
        is_chatwoot = (name, self._desk.settings.desk) == ("chatwoot", "chatwoot")
        try:
            if name == "media" and request.method == "GET":
                return await self._file(unquote(what), request.query)
            mark = "x-chatwoot-signature" if is_chatwoot else "webhook-signature"
            if not request.headers.get(mark) and not (is_chatwoot and request.query.get("token")):
                raise WebhookRefused("the call of a desk is not signed", kind="signature")
            body, now = await read() if request.method == "POST" else b"", self._desk.clock()
            if is_chatwoot:
                chatwoot.verify(self._secrets, request.headers, request.query, body, now)
                await self.delivery.receive(read_json(body))
                return HttpResponse(b"", body_read=True)
            verify(self._secrets, request.headers, body, now)
            try:
                conversation = to_recipient(unquote(name))
            except InvalidMessage as error:
                problem = f"there is no such conversation: {error}"
                raise Refused(404, "not_found", problem) from error
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
                return _json(await self._desk.say(conversation, read_say(read_json(body))), 202)
            case ("POST", "owner"):
                return _json(await self._desk.own(conversation, read_json(body)))
            case ("POST", "typing" | "read"):
                for event in reversed(await self._events(conversation)):
                    if event["type"] == "message.received":
                        wrote = event["message"]["id"]
                        await self._show_typing(conversation, wrote, what == "typing")
                        break
                return HttpResponse(b"", 204)
        raise Refused(404, "not_found", "there is nothing at this address")

    async def _events(self, conversation: str) -> list[dict[str, Any]]:
        state = await self._desk.store.values.get(beside(DESK, conversation))
        return list(state["events"]) if state else []

    async def _state(self, conversation: str, after: str | None) -> Mapping[str, Any]:
        events = await self._events(conversation)
        if after is not None:
            events = [event for event in events if event["sequence"] > whole(after)]
        else:
            events = events[-SHOWN:]
        closes_at = await self._desk.closes_at(conversation)
        return {
            **facts_of(await self._desk.handoffs.of(conversation)),
            "window_closes_at": iso(closes_at) if closes_at else None,
            "outbox": (await self._desk.store.outbox.depth()).waiting,
            "events": [self._desk.envelope(conversation, event) for event in events],
        }

    async def _file(self, name: str, query: Mapping[str, str]) -> HttpResponse:
        verify_link(self._secrets, name, query, self._desk.clock())
        file = KeptFile(name, 0)

        def content() -> bytes:
            with self._kept().open(file) as opened:
                return opened.read()

        try:
            if not is_ours(name):
                raise MediaError(f"{name} is no kept file")
            found = await asyncio.to_thread(content)
        except MediaError as error:
            raise Refused(404, "not_found", "the file is not here any more") from error
        # Whatever a person sent must not run in the browser of who looks at it.
        safe = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(found, content_type=file.mime_type, headers=safe)


def _json(value: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value).encode(), status, "application/json", body_read=True)
