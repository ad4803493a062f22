"""The channel beside a simulator, which is asked by its control API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from support.ports import free_port

from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.server import create_app

MAYA = "4915112345678"


class WhatsApp:
    """The simulator, by its control API."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, path: str, body: Any) -> None:
        async with self._session.post(f"{self.url}/simulator{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def get(self, path: str) -> Any:
        async with self._session.get(f"{self.url}/simulator{path}") as answer:
            return await answer.json()

    async def set_template(self, status: str, name: str = "order") -> None:
        await self.post(f"/templates/{name}/en_US", {"status": status})

    async def shown(self) -> list[str]:
        """Return what stands on Maya's phone of the bot: texts, and names of templates."""
        chat = await self.get(f"/people/{MAYA}/messages")
        return [
            message["content"].get("body") or message["content"]["name"]
            for message in chat
            if message["direction"] == "outbound" and message["status"] != "failed"
        ]

    async def refused(self) -> list[str]:
        """Return the templates that were sent and refused."""
        return [
            each["body"]["template"]["name"]
            for each in await self.get("/requests")
            if each["status"] >= 400 and each["path"].endswith("/messages")
        ]

    async def charges(self) -> list[str]:
        """Return the categories that are billed for what stands on Maya's phone."""
        chat = await self.get(f"/people/{MAYA}/messages")
        prices = [
            message["pricing"] or {} for message in chat if message["direction"] == "outbound"
        ]
        return [each["category"] for each in prices if each.get("billable")]


@asynccontextmanager
async def beside_whatsapp(
    serve: Any, folder: Path, templates: str, config: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Any, WhatsApp]]:
    """Serve a channel that says what it hears, beside a simulator that knows *templates*."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "all.yml").write_text(templates)

    async def echo(message: Any) -> None:
        await message.output_channel.send_response(message.sender_id, {"text": message.text})

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"base_url": url, "access_token": "simulator-token"}
    async with serve(echo, **given, app_secret="simulator-secret", **settings) as running:
        simulated = Config(
            webhook=f"{running.url}/webhook",
            port=port,
            templates=folder / "templates",
            retry_pauses=(0.2,),
            **(config or {}),
        )
        (folder / "credentials.yml").write_text(credentials_block(simulated, url))
        runner = web.AppRunner(create_app(simulated), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with aiohttp.ClientSession() as session:
                yield running, WhatsApp(url, session)
        finally:
            await runner.cleanup()
