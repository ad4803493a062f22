"""The channel beside the simulator's colleagues and its other app: both say who answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.eventually import eventually


class Chat:
    """The chat of one person at the simulator, as its page sees and changes it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, person: str) -> None:
        self._session, self._url, self._person = session, url, person

    async def post(self, path: str, body: Any) -> None:
        address = f"{self._url}/simulator/people/{self._person}/{path}"
        async with self._session.post(address, json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def writes(self, text: str, by: str = "phone") -> None:
        await self.post("echoes", {"type": "text", "text": {"body": text}, "by": by})

    async def is_owned_by(self, owner: str) -> None:
        async def reported() -> bool:
            async with self._session.get(f"{self._url}/simulator/state") as answer:
                owners = (await answer.json())["owners"]
            return [(each["owner"], each["reported"]) for each in owners] == [(owner, True)]

        await eventually(reported)


@pytest.fixture
def whatsapp_settings() -> dict[str, Any]:
    return {"handoff": {"return_words": ["robot"], "on_return": "silent"}}


@pytest.fixture
async def ada(whatsapp_channel):
    @whatsapp_channel.bot
    async def bot(turn, say):
        await say(f"The bot heard: {turn.text}")

    return whatsapp_channel.user(name="Ada")


@pytest.fixture
async def chat(whatsapp_channel, ada) -> AsyncIterator[Chat]:
    async with aiohttp.ClientSession() as session:
        yield Chat(session, whatsapp_channel.url, ada.phone)


async def test_a_colleague_takes_a_chat_on_the_phone_and_gives_it_back(ada, chat):
    await ada.sends("hi").gets("The bot heard: hi")
    await chat.writes("Kim here, I take over")
    await chat.is_owned_by("human")
    await ada.gets("Kim here, I take over")
    ada.sends("are you a person?")

    await chat.writes("robot")
    await chat.is_owned_by("bot")
    await ada.gets("robot")

    await ada.sends("hello again").gets("The bot heard: hello again")


async def test_another_app_takes_a_chat_and_passes_it_back(ada, chat):
    await ada.sends("hi").gets("The bot heard: hi")
    await chat.post("thread", {"action": "take"})
    await chat.is_owned_by("app")
    ada.sends("is anybody there?")
    await chat.writes("I am another app", by="app")
    await ada.gets("I am another app")

    await chat.post("thread", {"action": "pass"})
    await chat.is_owned_by("bot")

    await ada.sends("hello again").gets("The bot heard: hello again")
