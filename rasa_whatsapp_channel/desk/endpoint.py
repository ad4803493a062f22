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
from rasa_whatsapp_channel.compose.combine import alone
from rasa_whatsapp_channel.conversation.handoffs import (
    DESK,
    EpisodeMessage,
    Handoffs,
    desk_conversation,
    said_key,
)
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership, Sign
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.desk.contract import (
    Link,
    Refused,
    Say,
    digest_of,
    envelope,
    iso,
    read_json,
    read_say,
    verify,
    verify_link,
)
from rasa_whatsapp_channel.inbound.endpoint import HttpRequest, HttpResponse
from rasa_whatsapp_channel.media.kept import Kept, KeptFile, is_ours
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import ADDRESS, HandoffSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError
from rasa_whatsapp_channel.whatsapp.identity import to_recipient
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.limits import WINDOW

logger = logging.getLogger(__name__)

REMEMBERED: Final = 7 * DAY  # a client_id
BY: Final = "desk"
SHOWN: Final = 50  # events of the state, without ``after``

# Marks a message of the person as read, and shows that somebody types: conversation, its id.
ShowTyping = Callable[[str, str, bool], Awaitable[None]]


class DeskSpeaker:
    """Does what a desk asks for; *template* is the one for closed windows, if any."""

    def __init__(
        self,
        handoffs: Handoffs,
        store: Store,
        people: People,
        *,
        writer: Callable[[str, int], OutboxWriter],
        template: Mapping[str, Any] | None,
        clock: Clock,
    ) -> None:
        self._handoffs = handoffs
        self._values = store.values
        self._windows = Windows(store.values)
        self._people = people
        self._writer = writer
        self._template = template
        self._clock = clock

    async def closes_at(self, conversation: str) -> float | None:
        """Return when the 24-hour window closes; None where that is not known."""
        person = await self._people.of(conversation)
        wrote_at = await self._windows.last_wrote(person.conversations(conversation))
        return None if wrote_at is None else wrote_at + WINDOW

    async def say(self, conversation: str, say: Say) -> Mapping[str, Any]:
        """Write to the person, once for each client id; raises `Refused`."""
        digest = digest_of(conversation, say.client_id)
        record = {"client_id": say.client_id, "conversation": conversation}
        record["said"] = digest_of(repr(say))
        known = await self._values.get(said_key(digest))
        writer = self._writer(f"{DESK}:{digest}", 0)
        said = writer.compose(conversation, say.response())
        if known is None:
            await self._check(conversation, say)
            lost = "; ".join(change.text for change in said.composed.changes if change.lost)
            if lost or not said.composed.messages:
                raise Refused(422, "does_not_fit", lost or "nothing is left of it")
            if not await self._values.add(said_key(digest), record, REMEMBERED):
                known = await self._values.get(said_key(digest))
        if known is not None and known != record:
            raise Refused(409, "client_id_used", "this client_id was another message's")
        decision = await self._handoffs.apply(conversation, Sign.TOOK, by=BY, reason=say.agent)
        # Also where it is known: the process may have died before it was in the outbox.
        await writer.put(conversation, [said], alone([said.composed]))
        kinds = [file.kind for file in say.files] or ["template" if say.template else "text"]
        media = {"link": say.files[0].link, "id": say.files[0].id} if say.files else None
        now, name = self._clock(), f"{DESK}:{digest}"
        message = EpisodeMessage(name, "human", now, kinds[0], say.text, media)
        await self._handoffs.note(conversation, message)
        return {"key": name, "client_id": say.client_id, "version": decision.after.version}

    async def _check(self, conversation: str, say: Say) -> None:
        owner = await self._handoffs.of(conversation)
        if not say.take and owner.owner is not Owner.HUMAN:
            text = "the conversation is not a person's; `take: true` takes it"
            raise Refused(409, "not_owner", text, **_facts(owner))
        closes_at = await self.closes_at(conversation)
        wrote_at = None if closes_at is None else closes_at - WINDOW
        if not say.template and is_closed(wrote_at, self._clock()):
            templates = [self._template] if self._template else []
            text = "the person wrote more than 24 hours ago: only a template can be sent"
            raise Refused(409, "window_closed", text, templates=templates)

    async def own(self, conversation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change the owner; raises `Refused`."""
        owner = await self._handoffs.of(conversation)
        version = body.get("if")
        if version is not None and str(version) != str(owner.version):
            raise Refused(409, "stale", "the owner changed meanwhile", **_facts(owner))
        note = text_of(body.get("note")) or text_of(object_of(body.get("agent")).get("name")) or ""
        if body.get("owner") == "human":
            decision = await self._handoffs.apply(
                conversation, Sign.TOOK, by=BY, reason=note, version=owner.version
            )
            if decision.after.owner is not Owner.HUMAN:
                owner = await self._handoffs.of(conversation)
                raise Refused(409, "stale", "the owner changed meanwhile", **_facts(owner))
            owner = decision.after
        elif body.get("owner") == "bot":
            say = text_of(body.get("say"))
            if say and owner.owner is not Owner.BOT:
                words = Say(f"return:{owner.episode}:{owner.version}", say)
                await self.say(conversation, words)
            await self._handoffs.give_back(conversation, by=BY, reason=note)
            owner = await self._handoffs.of(conversation)
        else:
            raise Refused(422, "does_not_fit", "owner must be human or bot")
        return _facts(owner)


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
    ) -> None:
        self._settings = settings
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
            **_facts(await self._handoffs.of(conversation)),
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


def _facts(owner: Ownership) -> dict[str, Any]:
    return {
        "owner": owner.owner.value,
        "version": owner.version,
        "since": iso(owner.since),
        "until": iso(owner.until) if owner.until else None,
        "by": owner.by,
        "episode": owner.episode,
    }


def _json(value: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value).encode(), status, "application/json", body_read=True)
