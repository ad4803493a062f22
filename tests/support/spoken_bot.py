"""A bot for the simulator whose words the tests put into its mouth."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from support.eventually import PATIENCE

MEDIA = Path(__file__).parents[2] / "examples" / "quickstart" / "media"
MAYA = "4915112345678"
TOKEN = {"Authorization": "Bearer simulator-token"}
NUMBER = "106540352242922"


@dataclass
class Bot:
    """What the bot has heard, and its way to speak."""

    session: aiohttp.ClientSession
    simulator: str = ""
    heard: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    overheard: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)  # echoes
    status: int = 200  # what it answers webhooks with
    health: dict[str, Any] | None = None  # what its health page says; without, there is none
    health_asked: int = 0  # how often that was asked for

    async def webhook(self, request: web.Request) -> web.Response:
        body = await request.json()
        value = body["entry"][0]["changes"][0]["value"]
        if self.status == 200:
            for message in value.get("messages", []):
                self.heard.put_nowait(message)
            for echo in value.get("message_echoes", []):
                self.overheard.put_nowait(echo)
        return web.Response(status=self.status)

    async def tell_health(self, request: web.Request) -> web.Response:
        self.health_asked += 1
        return web.json_response(self.health or {}, status=200 if self.health else 404)

    async def tracker(self, request: web.Request) -> web.Response:
        """What Rasa's server answers with --enable-api, in short."""
        parsed = {"intent": {"name": "book_boat", "confidence": 0.97}, "entities": []}
        return web.json_response(
            {
                "sender_id": request.match_info["sender_id"],
                "slots": {
                    **{"boat": "Anna", "guests": 2, "date": None},
                    "session_started_metadata": {
                        "whatsapp": {"type": "text", "phone": MAYA, "profile_name": "Maya"},
                        "more": list(range(20)),
                    },
                },
                "latest_message": {**parsed, "text": "two of us on the Anna"},
                "events": [
                    {"event": "action", "timestamp": 1.0, "name": "action_listen"},
                    {
                        "event": "user",
                        "timestamp": 2.0,
                        "text": "two of us on the Anna",
                        "parse_data": parsed,
                    },
                    {"event": "slot", "timestamp": 3.0, "name": "boat", "value": "Anna"},
                    {"event": "bot", "timestamp": 4.0, "text": "For which day?"},
                ],
            }
        )

    async def hears(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.heard.get(), PATIENCE)

    async def overhears(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.overheard.get(), PATIENCE)

    async def says(self, message: dict[str, Any]) -> str:
        """Send *message* to Maya; return its id, or "" if the simulator refused it."""
        body = {"messaging_product": "whatsapp", "to": f"+{MAYA}", **message}
        answer = await self.posts("messages", json=body)
        return answer["messages"][0]["id"] if "messages" in answer else ""

    async def uploads(self, name: str, mime_type: str) -> str:
        form = aiohttp.FormData({"messaging_product": "whatsapp"})
        content = (MEDIA / name).read_bytes()
        form.add_field("file", content, filename=name, content_type=mime_type)
        media_id: str = (await self.posts("media", data=form))["id"]
        return media_id

    async def reads(self, message_id: str) -> None:
        typing = {"typing_indicator": {"type": "text"}}
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        await self.posts("messages", json={**body, **typing})

    async def posts(self, path: str, *, headers: Mapping[str, str] = TOKEN, **content: Any) -> Any:
        address = f"{self.simulator}/v26.0/{NUMBER}/{path}"
        async with self.session.post(address, headers=headers, **content) as answer:
            return await answer.json()

    async def simulates(self, path: str, content: Any) -> Any:
        """Post *content* to the simulator, as its page does, and return the answer."""
        async with self.session.post(f"{self.simulator}/simulator/{path}", json=content) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()
