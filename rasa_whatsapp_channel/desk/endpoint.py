"""
Desk endpoint: what a desk asks for, under ``/webhooks/whatsapp/handoff/``.

What it says goes through the outbox like everything else; the statuses come back to it as events.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from rasa_whatsapp_channel.compose.combine import alone
from rasa_whatsapp_channel.conversation.handoffs import (
    DESK,
    LOOK,
    EpisodeMessage,
    Handoffs,
    beside,
    said_key,
)
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import ANY_OWNER, Owner, Ownership
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.desk import chatwoot, contract
from rasa_whatsapp_channel.desk.contract import Link, Refused, Say, digest_of
from rasa_whatsapp_channel.inbound.endpoint import HttpRequest, HttpResponse
from rasa_whatsapp_channel.media.kept import Kept, KeptFile, is_ours
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import ADDRESS, HandoffSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.unix_time import DAY, time_of
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError, WebhookRefused
from rasa_whatsapp_channel.whatsapp.identity import to_recipient
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.limits import WINDOW

REMEMBERED: Final = 7 * DAY  # a client_id
BY: Final = "desk"

# Marks a message as read and, if told so, shows that somebody types: conversation, message id.
ShowTyping = Callable[[str, str, bool], Awaitable[None]]


@dataclass(frozen=True)
class DeskEndpoint:
    """
    Does what a desk asks for by the contract, and what webhooks of Chatwoot say, if that is it.

    *writer* makes the writer of one message; *template* is the one for closed windows, if any.
    *kept* opens the files that people sent, *number* is the id of the first number. Every method
    raises `StoreError`.
    """

    handoffs: Handoffs
    store: Store
    people: People
    number: str
    clock: Clock
    writer: Callable[[str, int], OutboxWriter]
    template: Mapping[str, Any] | None
    kept: Callable[[], Kept]
    show_typing: ShowTyping

    @property
    def settings(self) -> HandoffSettings:
        return self.handoffs.settings

    async def __call__(
        self, request: HttpRequest, read: Callable[[], Awaitable[bytes]]
    ) -> HttpResponse:
        """Answer *request*, whose body *read* returns; raises `WebhookRefused`."""
        name, _, what = request.path.removeprefix(ADDRESS).partition("/")
        is_chatwoot = (name, self.settings.desk) == ("chatwoot", "chatwoot")
        try:
            if name == "media" and request.method == "GET":
                return await self._file(unquote(what), request.query)
            mark = "x-chatwoot-signature" if is_chatwoot else "webhook-signature"
            if not request.headers.get(mark) and not (is_chatwoot and request.query.get("token")):
                raise WebhookRefused("the call of a desk is not signed", kind="signature")
            body, now = await read() if request.method == "POST" else b"", self.clock()
            if is_chatwoot:
                chatwoot.verify(self.settings.secret, request.headers, request.query, body, now)
                await self._hear(contract.read_json(body))
                return HttpResponse(b"", body_read=True)
            contract.verify(self.settings.secret, request.headers, body, now)
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
                return _json(await self._state(conversation, request.query.get("after", "")))
            case ("POST", "messages"):
                say = contract.read_say(contract.read_json(body))
                return _json(await self.say(conversation, say), 202)
            case ("POST", "owner"):
                return _json(await self.own(conversation, contract.read_json(body)))
            case ("POST", "typing" | "read"):
                events = await self._events(conversation)
                if wrote := [each for each in events if each["type"] == "message.received"]:
                    last = wrote[-1]["message"]["id"]
                    await self.show_typing(conversation, last, what == "typing")
                return HttpResponse(b"", 204)
        raise Refused(404, "not_found", "there is nothing at this address")

    async def _events(self, conversation: str) -> list[dict[str, Any]]:
        state = await self.store.values.get(beside(DESK, conversation))
        return list(state["events"]) if state else []

    async def _state(self, conversation: str, after: str) -> Mapping[str, Any]:
        events, seen = await self._events(conversation), contract.whole(after)
        closes_at = await self.closes_at(conversation)
        return {
            **(await self.handoffs.of(conversation)).told(),
            "window_closes_at": time_of(closes_at) if closes_at else None,
            "outbox": (await self.store.outbox.depth()).waiting,
            "events": [self.with_links(each) for each in events if each["sequence"] > seen],
        }

    def with_links(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return *event*, as it is kept, as the desk gets it."""
        link = Link(self.settings.secret[0], self.settings.public_url, self.clock())
        return contract.with_links(event, link)

    async def closes_at(self, conversation: str) -> float | None:
        """Return when the 24-hour window closes; None where that is not known."""
        person = await self.people.of(conversation)
        windows = Windows(self.store.values)
        wrote_at = await windows.last_wrote(person.conversations(conversation))
        return None if wrote_at is None else wrote_at + WINDOW

    async def _file(self, name: str, query: Mapping[str, str]) -> HttpResponse:
        contract.verify_link(self.settings.secret, name, query, self.clock())
        file = KeptFile(name, 0)

        def content() -> bytes:
            with self.kept().open(file) as opened:
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

    async def _hear(self, body: Mapping[str, Any]) -> None:
        """Do what Chatwoot's webhook *body* asks for, if it is of one of our conversations."""
        number, say = chatwoot.read_webhook(body, self.settings)
        conversation = await self.store.values.get(chatwoot.key_of(number))
        if conversation is None:  # others may use the inbox as well
            return
        if say:
            await self.say_for(conversation, say)
        # A webhook may be late: only the conversation itself shows whether it is resolved.
        await self.look(conversation)

    async def look(self, conversation: str) -> None:
        """Have Chatwoot asked, after the looks that go on, for what it could not tell."""
        body = {"kind": LOOK, "conversation": conversation}
        await self.store.desk.put(f"{LOOK}:{uuid.uuid4().hex}", beside(LOOK, conversation), body)

    async def say_for(self, conversation: str, say: Say) -> None:
        """Write what an agent said; tell the desk if it cannot be sent."""
        try:
            await self.say(conversation, say)
        except Refused as refused:
            if refused.answer["error"] == "client_id_used":
                return  # it was changed after it was sent
            facts = {"client_id": say.client_id, "status": "failed", "reason": str(refused)}
            key = f"{conversation}:{say.client_id}:refused"
            await self.handoffs.report(conversation, "message.status", key, facts)

    async def say(
        self, conversation: str, say: Say, *, at_return: bool = False
    ) -> Mapping[str, Any]:
        """
        Write to the person, once for each client id; raises `Refused`.

        Outside the 24-hour window nobody chooses a template for words *at_return*, so they go as
        the bot's would.
        """
        digest = digest_of(conversation, say.client_id)
        key, values = f"{DESK}:{digest}", self.store.values
        record = {"client_id": say.client_id, "conversation": conversation}
        record["said"] = digest_of(repr(say))
        known = await values.get(said_key(digest))
        writer = self.writer(key, ANY_OWNER)
        said = writer.compose(conversation, say.response())
        if known is None:
            if not at_return:
                await self._check(conversation, say)
            lost = "; ".join(change.text for change in said.composed.changes if change.lost)
            if lost or not said.composed.messages:
                raise Refused(422, "does_not_fit", lost or "nothing is left of it")
            # Both before it is known, so that a process that died does them again, and no later
            # repetition takes a conversation that was given back.
            await self.handoffs.apply(conversation, Owner.HUMAN, by=BY, reason=say.agent)
            await self.handoffs.note(conversation, self._note_of(say, key), reports=False)
            if not await values.add(said_key(digest), record, REMEMBERED):
                known = await values.get(said_key(digest))
        if known is not None and known != record:
            raise Refused(409, "client_id_used", "this client_id was another message's")
        await writer.put(conversation, [said], alone([said.composed]))
        return {"key": key, "client_id": say.client_id}

    def _note_of(self, say: Say, key: str) -> EpisodeMessage:
        media = say.files[0] if say.files else None
        kind = media["type"] if media else "template" if say.template else "text"
        return EpisodeMessage(key, "human", self.clock(), kind, say.text, media)

    async def _check(self, conversation: str, say: Say) -> None:
        owner = await self.handoffs.of(conversation)
        if not say.take and owner.owner is not Owner.HUMAN:
            text = "the conversation is not a person's; `take: true` takes it"
            raise Refused(409, "not_owner", text, **owner.told())
        closes_at = await self.closes_at(conversation)
        if not say.template and is_closed(closes_at and closes_at - WINDOW, self.clock()):
            templates = [self.template] if self.template else []
            text = "the person wrote more than 24 hours ago: only a template can be sent"
            raise Refused(409, "window_closed", text, templates=templates)

    async def own(self, conversation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change the owner as *body* asks; raises `Refused`."""
        owner, wanted = await self.handoffs.of(conversation), body.get("owner")
        version, say = body.get("if"), text_of(body.get("say"))
        if wanted not in ("human", "bot"):
            raise Refused(422, "does_not_fit", "owner must be human or bot")
        if version is not None and str(version) != str(owner.version):
            raise _stale(owner)
        note = text_of(body.get("note")) or text_of(object_of(body.get("agent")).get("name")) or ""
        if wanted == "bot":
            if say and owner.owner is not Owner.BOT:
                words = Say(f"return:{owner.episode}:{owner.version}", say)
                await self.say(conversation, words, at_return=True)
            await self.handoffs.give_back(conversation, by=BY, reason=note)
        else:
            await self.handoffs.apply(conversation, Owner.HUMAN, by=BY, reason=note, seen=owner)
        owner = await self.handoffs.of(conversation)
        if wanted == "human" and owner.owner is not Owner.HUMAN:
            raise _stale(owner)
        return owner.told()


def _stale(owner: Ownership) -> Refused:
    return Refused(409, "stale", "the owner changed meanwhile", **owner.told())


def _json(value: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value).encode(), status, "application/json", body_read=True)
