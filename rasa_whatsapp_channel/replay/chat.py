"""Chat of one person: performs what the person does and waits for the bot's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

import aiohttp

from rasa_whatsapp_channel.replay.simulator_client import Health, SimulatorClient
from rasa_whatsapp_channel.transcript.steps import TranscriptError
from rasa_whatsapp_channel.transcript.words import FILES

POLL: Final = 0.05  # seconds between two looks at the health page
REST: Final = 30.0  # seconds to wait for a bot to become idle


class Chat:
    """
    The chat of *person* at a simulator; earlier messages in it are ignored.

    *root* is the folder of files that the person sends.
    """

    def __init__(
        self, client: SimulatorClient, person: str, *, root: Path, webhook: str | None = None
    ) -> None:
        self._client = client
        self._root = root
        self._health = Health(webhook) if webhook else None
        self._before: str | None = None
        self._seen: str | None = None
        self.person = person

    async def open(self, name: str | None = None) -> Chat:
        await self._client.join(self.person, name or f"Person {self.person}")
        messages = await self._client.messages(self.person)
        self._before = self._seen = messages[-1]["id"] if messages else None
        return self

    async def does(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """Perform a step, *words* as in `transcript.steps.DOES`; return the message."""
        file = next((kind for kind in FILES if kind in words), None)
        if file is not None:
            return await self._sends_file(file, str(words[file]), words.get("text"))
        if "taps" in words:
            return await self._client.write(self.person, await self._tap(str(words["taps"])))
        return await self._client.write(self.person, await self._message(words))

    async def next(self, within: float) -> dict[str, Any] | None:
        """Return the bot's next message; None if none arrives *within* so many seconds."""
        end = monotonic() + within
        while True:
            wait = max(end - monotonic(), 0.0)
            for message in await self._client.messages(self.person, after=self._seen, wait=wait):
                self._seen = message["id"]
                if message["direction"] == "outbound" and message["status"] != "failed":
                    return message  # no phone shows what failed
            if monotonic() >= end:
                return None

    async def nothing(self, seconds: float) -> dict[str, Any] | None:
        """
        Wait until the bot is idle, and return its next message, if there is one.

        Where the bot does not tell whether it is idle, wait for *seconds*.
        """
        if not await self.rest():
            return await self.next(seconds)
        return await self.next(0.0)

    async def messages(self) -> list[dict[str, Any]]:
        return await self._client.messages(self.person)

    async def conversation(self) -> list[dict[str, Any]]:
        """Return the messages since `open`, once the bot is idle or does not tell whether it is."""
        await self.rest()
        return await self._client.messages(self.person, after=self._before)

    async def rest(self) -> bool:
        """Wait until all webhooks are accepted and both queues are empty; False if unknown."""
        if self._health is None:
            return False
        end = monotonic() + REST
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while monotonic() < end:
                taken = all(
                    message["status"] != "sent"
                    for message in await self.messages()
                    if message["direction"] == "inbound"
                )
                rests = await self._health.is_at_rest(session)
                if rests is None:
                    return False
                if taken and rests:
                    return True
                await asyncio.sleep(POLL)
        return False

    async def _sends_file(self, kind: str, name: str, caption: object) -> dict[str, Any]:
        path = self._root / name
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise TranscriptError(f"{path} cannot be read: {error.strerror or error}") from error
        text = str(caption) if caption is not None else None
        return await self._client.write_file(
            self.person, kind, content, filename=path.name, caption=text
        )

    async def _message(self, words: Mapping[str, Any]) -> dict[str, Any]:
        if "message" in words:
            return {**words["message"]}
        if "location" in words:
            return {"type": "location", "location": dict(words["location"])}
        if "contacts" in words:
            return {"type": "contacts", "contacts": list(map(_contact, words["contacts"]))}
        if "reaction" in words:
            last = await self._last_of_bot()
            reaction = {"message_id": last["id"], "emoji": str(words["reaction"])}
            return {"type": "reaction", "reaction": reaction}
        return {"type": "text", "text": {"body": str(words.get("text", ""))}}

    async def _last_of_bot(self) -> dict[str, Any]:
        said = [m for m in await self.messages() if m["direction"] == "outbound"]
        if not said:
            raise TranscriptError("the bot has said nothing yet that could be reacted to")
        return said[-1]

    async def _tap(self, title: str) -> dict[str, Any]:
        """Return the reply that a tap on *title* sends, in the newest message with this title."""
        seen: list[str] = []
        for message in reversed(await self.messages()):
            if message["direction"] != "outbound":
                continue
            for label, reply in _taps(message):
                if label == title:
                    context = {"message_id": message["id"]}
                    return {**reply, "context": context}
                seen.append(label)
        there = ", ".join(f'"{label}"' for label in seen) or "nothing"
        raise TranscriptError(f'there is no "{title}" to tap; there is {there}')


def _taps(message: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return what can be tapped on a message: its label, and what a phone sends for it."""
    content = message["content"]
    if message["type"] == "template":
        return [_template_tap(part) for part in content.get("components") or [] if _quick(part)]
    if message["type"] != "interactive":
        return []
    action = content.get("action") or {}
    buttons = [button["reply"] for button in action.get("buttons", []) if "reply" in button]
    for card in action.get("cards", []):
        replies = (card.get("action") or {}).get("buttons", [])
        buttons += [reply["quick_reply"] for reply in replies]
    rows = [row for section in action.get("sections", []) for row in section.get("rows", [])]
    return [
        *((button["title"], _reply("button_reply", button)) for button in buttons),
        *((row["title"], _reply("list_reply", row)) for row in rows),
    ]


def _reply(kind: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: dict(reply)}}


def _quick(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "button" and part.get("sub_type") == "quick_reply"


def _template_tap(part: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return label and reply; the payload is the label, which only the approved template has."""
    payload = str(part["parameters"][0].get("payload", ""))
    return payload, {"type": "button", "button": {"payload": payload, "text": payload}}


def _contact(contact: object) -> dict[str, Any]:
    if isinstance(contact, Mapping):
        return dict(contact)
    name = str(contact)
    return {"name": {"formatted_name": name, "first_name": name}}
