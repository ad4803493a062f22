"""
Forty people and a desk, where every connection is bad.

The desk takes an event and says that it did not, refuses it, or breaks off; it asks twice, and so
does WhatsApp. Whoever is at the desk sees each message once and in order, and each of their words
stands once on the phone.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from support import webhooks
from support.desk_server import SECRET, DeskServer, Door, desk_server
from support.eventually import eventually
from support.webhooks import envelope

PEOPLE = [f"49151{number:08}" for number in range(40)]
SAID = ("my order is late", "number 4711", "hello?")


async def bot(message: Any) -> None:
    says: dict[str, Any] = {"text": f"the bot to {message.text}"}
    if message.text == "a person":
        says["metadata"] = {"whatsapp": {"handoff": True}}
    await message.output_channel.send_response(message.sender_id, says)


class BadDesk(DeskServer):
    """Keeps each event once, whatever it answers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.seen: dict[str, list[dict[str, Any]]] = defaultdict(list)

    async def event(self, request: web.Request) -> web.Response:
        trouble = self.random.random()
        if trouble < 0.1:
            return web.Response(status=self.random.choice([404, 429, 500, 503]))
        answer = await super().event(request)
        if answer.status == 200:
            told = self.told[-1]
            if told["id"] not in {each["id"] for each in self.seen[told["conversation"]]}:
                self.seen[told["conversation"]].append(told)
        if trouble < 0.15:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=500) if trouble < 0.2 else answer

    def texts_of(self, person: str, kind: str = "message.received") -> list[str]:
        return [each["message"]["text"] for each in self.seen[person] if each["type"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_everybody_is_heard_and_answered_once(
    serve, platform, store, request, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/weather.db"
    if store == "redis":
        url = f"{request.getfixturevalue('redis').url}?name={uuid4().hex}"
    desk = BadDesk(seed := int(time.time()))
    chance = random.Random(seed)

    async def talk(running: Any, person: str) -> None:
        async def says(number: int, text: str) -> None:
            wrote = envelope([webhooks.text(person, f"wamid.{person}.{number}", text)])
            for _ in range(chance.choice([1, 1, 2])):
                assert await running.deliver(wrote) == 200

        def hears(text: str) -> bool:
            return text in desk.texts_of(person)

        door = Door(running.url, person)
        await says(0, "a person")
        for number, text in enumerate(SAID, 1):
            await says(number, text)
            await eventually(partial(hears, text))
            answer = {"client_id": str(number), "text": f"to {text}"}
            for _ in range(chance.choice([1, 2, 3])):
                status, _ = await door.asks("messages", answer)
                assert status == 202
        back = {"owner": "bot", "note": "done"}
        assert (await door.asks("owner", back))[0] == 200
        await says(9, "thanks")

    async with desk_server(desk):
        handoff = {"desk": "webhook", "url": desk.url, "secret": SECRET, "triggers": []}
        async with serve(bot, store=url, handoff=handoff, mark_read=False) as running:
            await asyncio.gather(*(talk(running, person) for person in PEOPLE))
            await platform[0].sends(5 * len(PEOPLE))

            async def is_told() -> bool:
                return all(desk.seen[each][-1].get("to") == "bot" for each in PEOPLE)

            await eventually(is_told, told=lambda: f"seed {seed}")

    phones = defaultdict(list)
    for body in platform[0].sent:
        phones[body["to"]].append(body["text"]["body"])
    for person in PEOPLE:
        said = [f"to {text}" for text in SAID]
        assert phones[person] == ["the bot to a person", *said, "the bot to thanks"], seed
        assert desk.texts_of(person) == ["a person", *SAID], seed
        sequences = [each["sequence"] for each in desk.seen[person]]
        assert sequences == list(range(1, len(sequences) + 1)), seed
