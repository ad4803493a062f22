"""Simulator client: the control API of a simulator over HTTP, as its page uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from rasa_whatsapp_channel.simulator.bot import health_address
from rasa_whatsapp_channel.simulator.problems import SimulatorError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=150)  # above the longest wait of the simulator


class SimulatorClient:
    """A simulator at *url*. Every method raises `SimulatorError` when it cannot be done."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> SimulatorClient:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def state(self) -> dict[str, Any]:
        return dict(await self._call("GET", "state"))

    async def join(self, phone: str, name: str) -> None:
        """Add a person, unless there is one with this number already."""
        people = (await self.state())["people"]
        if not any(phone in (person["phone"], person["user_id"]) for person in people):
            await self._call("POST", "people", json={"name": name, "phone": phone})

    async def messages(
        self, person: str, *, after: str | None = None, wait: float = 0.0
    ) -> list[dict[str, Any]]:
        """Return a chat behind message *after*, waiting up to *wait* seconds for something."""
        query = {"wait": f"{wait:.3f}", **({"after": after} if after else {})}
        return list(await self._call("GET", f"people/{quote(person)}/messages", params=query))

    async def transcript(self, person: str) -> str:
        """Return the chat as a transcript, in YAML."""
        path = f"/simulator/people/{quote(person)}/transcript"
        return bytes(await self._call("GET", path, bare=True)).decode()

    async def write(self, person: str, message: Mapping[str, Any]) -> dict[str, Any]:
        path = f"people/{quote(person)}/messages"
        return dict(await self._call("POST", path, json=message))

    async def write_file(
        self, person: str, kind: str, content: bytes, *, filename: str, caption: str | None = None
    ) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("type", kind)
        if caption:
            form.add_field("caption", caption)
        form.add_field("file", content, filename=filename, content_type="application/octet-stream")
        return dict(await self._call("POST", f"people/{quote(person)}/messages", data=form))

    async def read(self, person: str) -> None:
        await self._call("POST", f"people/{quote(person)}/read", json={})

    async def file(self, address: str) -> bytes:
        """Return the bytes a phone shows; *address* is the ``url`` of a medium in a message."""
        return bytes(await self._call("GET", address, bare=True))

    async def clock(self) -> dict[str, Any]:
        return dict(await self._call("GET", "clock"))

    async def advance(self, seconds: float) -> dict[str, Any]:
        return dict(await self._call("POST", "clock", json={"advance": seconds}))

    async def set_offset(self, seconds: float) -> dict[str, Any]:
        return dict(await self._call("POST", "clock", json={"offset": seconds}))

    async def add_fault(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        return dict(await self._call("POST", "faults", json=rule))

    async def clear_faults(self) -> None:
        await self._call("DELETE", "faults")

    async def set_weather(self, weather: str, *, seed: int, lasting: bool) -> None:
        told = {"weather": weather, "seed": seed, "lasting": lasting}
        await self._call("POST", "weather", json=told)

    async def weather(self) -> dict[str, Any]:
        """Return what the weather is, its seed, and what it brought."""
        return dict(await self._call("GET", "weather"))

    async def refusals(self) -> list[dict[str, Any]]:
        return list(await self._call("GET", "refusals"))

    async def requests(self) -> list[dict[str, Any]]:
        return list(await self._call("GET", "requests"))

    async def webhooks(self) -> list[dict[str, Any]]:
        return list(await self._call("GET", "webhooks"))

    async def reset(self) -> None:
        await self._call("POST", "reset")

    async def _call(self, method: str, path: str, *, bare: bool = False, **options: Any) -> Any:
        if self._session is None:
            raise SimulatorError("the simulator client is not open; use it with `async with`")
        url = self.url + path if bare else f"{self.url}/simulator/{path}"
        try:
            async with self._session.request(method, url, **options) as answer:
                if bare and answer.status == 200:
                    return await answer.read()
                body = await answer.json(content_type=None)
                if answer.status != 200:
                    raise SimulatorError(_reason(body) or f"HTTP {answer.status} at {url}")
                return body
        except asyncio.TimeoutError as error:
            raise SimulatorError(f"the simulator at {self.url} does not answer") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise SimulatorError(f"no simulator answers at {self.url}: {error}") from error


class Health:
    """The health page of the channel whose webhook is at *webhook*."""

    def __init__(self, webhook: str) -> None:
        self.url = health_address(webhook)

    async def is_at_rest(self, session: aiohttp.ClientSession) -> bool | None:
        """Return whether both queues are empty, None where the bot does not tell."""
        try:
            async with session.get(self.url) as answer:
                body = await answer.json(content_type=None)
                return not body["inbox"]["waiting"] and not body["outbox"]["waiting"]
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, KeyError, TypeError):
            return None


def _reason(body: object) -> str | None:
    return str(body["error"]) if isinstance(body, Mapping) and "error" in body else None
