"""
The part of Chatwoot that an inbox of the kind API uses, strict where Chatwoot is.

Written from the pages of its API and from its own bodies: https://developers.chatwoot.com. It
refuses what Chatwoot refuses, answers with Chatwoot's bodies, and calls the webhook of the inbox
once, with its signature.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from support.eventually import eventually
from support.uploads import Part, form_of

TOKEN = "chatwoot-token"
SECRET = "chatwoot-made-this"
ACCOUNT, INBOX = 1, 5
STATUSES = ("open", "resolved", "pending", "snoozed")
TYPES = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
EVE = {"id": 3, "name": "Eve", "type": "user"}


class Chatwoot:
    """*hook* is where the inbox's webhooks go; *fails* are the next answers of the API."""

    def __init__(self) -> None:
        self.url = ""
        self.hook = ""
        self.contacts: dict[int, dict[str, Any]] = {}
        self.sources: dict[str, int] = {}  # source id → contact
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.files: dict[int, tuple[str, bytes]] = {}  # by message
        self.fails: list[tuple[int, bytes]] = []
        self.loses_answers = 0  # next posts of messages that are kept, and not answered
        self.gate = asyncio.Event()
        self.gate.set()
        self.hanging = 0  # requests before the gate
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None  # done once, in the next list
        self.asked: list[str] = []
        self.patches = True  # whether it is new enough for statuses
        self.kind = "Channel::Api"
        self.shown_secret = ""  # newer servers show it to administrators
        self._last = 100

    def routes(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        base = f"/api/v1/accounts/{ACCOUNT}"
        one = base + "/conversations/{id:\\d+}"
        for method, path, handler in (
            ("GET", f"{base}/inboxes/{INBOX}", self._inbox),
            ("POST", f"{base}/contacts", self._new_contact),
            ("GET", f"{base}/contacts/search", self._search),
            ("POST", base + "/contacts/{id:\\d+}/contact_inboxes", self._new_source),
            ("GET", base + "/contacts/{id:\\d+}/conversations", self._of_contact),
            ("POST", f"{base}/conversations", self._new_conversation),
            ("GET", one, self._conversation),
            ("POST", f"{one}/toggle_status", self._toggle),
            ("GET", f"{one}/messages", self._list),
            ("POST", f"{one}/messages", self._new_message),
            ("PATCH", one + "/messages/{message:\\d+}", self._status),
        ):
            app.router.add_route(method, path, handler)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        self.hanging += 1
        await self.gate.wait()
        self.hanging -= 1
        if self.fails:
            status, body = self.fails.pop(0)
            return web.Response(status=status, body=body)
        if request.headers.get("api_access_token") != TOKEN:
            return web.json_response({"error": "Invalid Access Token"}, status=401)
        return await handler(request)

    async def _inbox(self, request: web.Request) -> web.Response:
        found = {"id": INBOX, "name": "WhatsApp", "channel_type": self.kind}
        if self.shown_secret:
            found["secret"] = self.shown_secret
        return web.json_response(
            {**found, "webhook_url": self.hook, "hmac_token": "not-the-secret"}
        )

    async def _new_contact(self, request: web.Request) -> web.Response:
        body = await request.json()
        phone = body.get("phone_number")
        if phone is not None and not re.fullmatch(r"\+[1-9]\d{1,14}", phone):
            return _refuses("Phone number should be in e164 format", "phone_number")
        for each in self.contacts.values():
            for name in ("identifier", "phone_number"):
                if body.get(name) and each[name] == body[name]:
                    return _refuses(f"{name.capitalize()} has already been taken", name)
        if body["inbox_id"] != INBOX:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        number = len(self.contacts) + 9
        names = ("name", "identifier", "phone_number")
        self.contacts[number] = {"id": number, **{name: body.get(name) for name in names}}
        source = self._source(number)
        inbox = {"source_id": source, "inbox": {"id": INBOX, "channel_type": "Channel::Api"}}
        contact = {**self.contacts[number], "contact_inboxes": [inbox]}
        return web.json_response({"payload": {"contact": contact, "contact_inbox": inbox}})

    def _source(self, contact: int) -> str:
        source = str(uuid.uuid4())
        self.sources[source] = contact
        return source

    async def _search(self, request: web.Request) -> web.Response:
        wanted = request.query["q"]
        found = [each for each in self.contacts.values() if wanted in str(each.values())]
        return web.json_response({"meta": {"count": len(found)}, "payload": found})

    async def _new_source(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["inbox_id"] == INBOX
        source = self._source(int(request.match_info["id"]))
        return web.json_response({"source_id": source, "inbox": {"id": INBOX}})

    async def _of_contact(self, request: web.Request) -> web.Response:
        contact = int(request.match_info["id"])
        found = [each for each in self.conversations.values() if each["contact"] == contact]
        return web.json_response({"payload": [self._shown(each) for each in found]})

    async def _new_conversation(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.sources.get(body["source_id"]) != body["contact_id"]:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        assert body["status"] in STATUSES
        number = len(self.conversations) + 42
        self.conversations[number] = {
            "id": number,
            "contact": body["contact_id"],
            "inbox_id": body["inbox_id"],
            "source": body["source_id"],
            "status": body["status"],
            "assignee": None,
            "updated_at": time.time(),
        }
        return web.json_response(self._shown(self.conversations[number]))

    def _shown(self, conversation: dict[str, Any]) -> dict[str, Any]:
        contact = self.contacts[conversation["contact"]]
        return {
            "id": conversation["id"],
            "inbox_id": conversation["inbox_id"],
            "status": conversation["status"],
            "channel": "Channel::Api",
            "can_reply": True,
            "contact_inbox": {"source_id": conversation["source"], "hmac_verified": False},
            "meta": {"sender": contact, "assignee": conversation["assignee"], "team": None},
            "labels": [],
            "custom_attributes": {},
            "updated_at": conversation["updated_at"],
        }

    async def _conversation(self, request: web.Request) -> web.Response:
        found = self.conversations.get(int(request.match_info["id"]))
        if found is None:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        return web.json_response(self._shown(found))

    async def _toggle(self, request: web.Request) -> web.Response:
        number, status = int(request.match_info["id"]), (await request.json())["status"]
        assert status in STATUSES
        if number not in self.conversations:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        self.change(number, status=status)
        payload = {"success": True, "current_status": status, "conversation_id": number}
        return web.json_response({"meta": {}, "payload": payload})

    async def _list(self, request: web.Request) -> web.Response:
        number, after = int(request.match_info["id"]), request.query.get("after")
        found = [each for each in self.messages if each["conversation_id"] == number]
        if after is not None:
            found = [each for each in found if each["id"] > int(after)][:100]
        else:
            found = found[-20:]
        if self.meanwhile is not None:
            do, self.meanwhile = self.meanwhile, None
            await do()
        numbered = [{**each, "message_type": TYPES[each["message_type"]]} for each in found]
        return web.json_response({"meta": {}, "payload": numbered})

    async def _new_message(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["id"])
        if number not in self.conversations:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        files: list[Part] = []
        if request.content_type == "multipart/form-data":
            form = await form_of(request)
            body = {key: value for key, value in form.items() if isinstance(value, str)}
            files = [each for each in form.getall("attachments[]") if not isinstance(each, str)]
        else:
            body = await request.json()
        if body["message_type"] not in ("incoming", "outgoing") or len(files) > 15:
            return web.json_response({"error": "Invalid message"}, status=422)
        private = body.get("private") in (True, "true")
        contact = self.contacts[self.conversations[number]["contact"]]
        is_in = body["message_type"] == "incoming"
        sender = (
            {**contact, "type": "contact"} if is_in else {"id": 1, "name": "API", "type": "user"}
        )
        message = self._add(
            number,
            content=body.get("content"),
            message_type=body["message_type"],
            private=private,
            source_id=body.get("source_id"),
            sender=sender,
        )
        for file in files:
            self.files[message["id"]] = (file.filename, file.content)
        if self.loses_answers:
            self.loses_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        await self._call("message_created", message)
        return web.json_response({**message, "message_type": TYPES[message["message_type"]]})

    async def _status(self, request: web.Request) -> web.Response:
        if not self.patches:
            return web.json_response({"error": "Not found"}, status=404)
        body = await request.json()
        assert body["status"] in ("sent", "delivered", "read", "failed")
        message = self.message(int(request.match_info["message"]))
        message["status"] = body["status"]
        message["content_attributes"]["external_error"] = body.get("external_error")
        return web.json_response(message)

    def _add(self, conversation: int, **facts: Any) -> dict[str, Any]:
        self._last += 1
        always = {"content_type": "text", "content_attributes": {}, "attachments": []}
        message = {"id": self._last, "conversation_id": conversation, **always, **facts}
        self.messages.append(message)
        self.conversations[conversation]["updated_at"] = time.time()
        return message

    def message(self, number: int) -> dict[str, Any]:
        return next(each for each in self.messages if each["id"] == number)

    def change(self, conversation: int, **facts: Any) -> None:
        self.conversations[conversation].update(facts, updated_at=time.time())

    def shown(self, *, private: bool) -> list[str]:
        return [each["content"] for each in self.messages if each["private"] is private]

    # What agents do

    async def writes(
        self, content: str | None, *, calls: bool = True, number: int = 42, **facts: Any
    ) -> dict[str, Any]:
        """Let Eve write; *calls*: the webhook arrives."""
        given = {"private": False, "source_id": None, "sender": EVE, **facts}
        message = self._add(number, content=content, message_type="outgoing", **given)
        if calls:
            await self._call("message_created", message)
        return message

    async def resolves(
        self, *, number: int = 42, event: str = "conversation_status_changed"
    ) -> int:
        self.change(number, status="resolved")
        return await self.sends({"event": event, **self._shown(self.conversations[number])})

    async def _call(self, event: str, message: dict[str, Any]) -> int:
        return await self.sends(self.body_of(event, message))

    def body_of(self, event: str, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "event": event,
            **{key: value for key, value in message.items() if key != "conversation_id"},
            "inbox": {"id": INBOX, "name": "WhatsApp"},
            "account": {"id": ACCOUNT, "name": "Shop"},
            "conversation": self._shown(self.conversations[message["conversation_id"]]),
        }

    async def sends(self, body: dict[str, Any], **changed: Any) -> int:
        """Call the webhook once and return the status; *changed*: `at`, `secret`, `token`."""
        if not self.hook:
            return 0
        raw, at = json.dumps(body).encode(), str(int(changed.get("at", time.time())))
        key = changed.get("secret", SECRET).encode()
        signature = hmac.new(key, f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Chatwoot-Timestamp": at,
            "X-Chatwoot-Signature": f"sha256={signature}",
            "X-Chatwoot-Delivery": str(uuid.uuid4()),
        }
        query = ""
        if "token" in changed:  # a server from before 4.13
            headers, query = {"Content-Type": "application/json"}, f"?token={changed['token']}"
        timeout = aiohttp.ClientTimeout(total=5.0)
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(self.hook + query, data=raw, headers=headers) as answer,
        ):
            return answer.status

    async def shows(self, text: str, *, private: bool) -> None:
        """Wait until a message, or a private note, holds *text*."""
        await eventually(
            lambda: any(text in (each or "") for each in self.shown(private=private)),
            told=lambda: self.messages,
        )


def _refuses(message: str, attribute: str) -> web.Response:
    return web.json_response({"message": message, "attributes": [attribute]}, status=422)


@asynccontextmanager
async def chatwoot() -> AsyncIterator[Chatwoot]:
    server = Chatwoot()
    runner = web.AppRunner(server.routes(), shutdown_timeout=0.1)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    server.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    try:
        yield server
    finally:
        server.gate.set()
        await runner.cleanup()
