"""Turns of Mantle whose process is killed: each message goes once, in order."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.cloud_api import cloud_api
from support.mantle import Bot
from support.processes import PROJECT, Process, free_port
from support.webhooks import texts

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    pytest.mark.needs("rasa.shared.project_structure:validate_mantle_project_structure"),
]

MOMENTS = ("said", "save")  # between two messages of a tool, and before Rasa saves the turn
SAID = ["One moment", "The lake", "The guide", "Anything else?"]


@pytest.mark.slow
async def test_a_turn_that_is_killed_twice_is_said_once_and_in_order(
    mantle_bot: Bot, tmp_path: Path
) -> None:
    kills = tmp_path / "kills"
    shutil.copy(mantle_bot.folder / "integrations.yml", tmp_path)
    async with cloud_api() as platform, aiohttp.ClientSession() as session:
        settings = {
            "base_url": platform.url,
            "phone_number_id": "106540352242922",
            "access_token": "a-token",
            "allow_unsigned_webhooks": True,
            "verify_token": "a-verify-token",
            "wait_for_delivered": "none",
        }
        port = free_port()
        args = [str(port), json.dumps(settings), mantle_bot.model, str(kills)]
        server = Process(
            "mantle",
            [sys.executable, "-m", "support.mantle_server", *args],
            folder=tmp_path,
            env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
        )
        url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        kills.write_text("\n".join(MOMENTS))
        try:
            server.start()
            await server.ready(f"{url}/")
            async with session.post(f"{url}/webhook", json=texts("go on")) as answer:
                assert answer.status == 200
            for _ in MOMENTS:
                assert await server.ends() == -9, server.tail()
                server.start()
            await server.ready(f"{url}/")
            health = await idle(session, f"{url}/")
        finally:
            server.kill()

    assert kills.read_text() == ""
    assert platform.texts == SAID
    assert platform.accepted[1].body["image"]["link"] == "https://shop.example/lake.jpg"
    assert health["inbox"]["dead_letters"] == health["outbox"]["dead_letters"] == 0


async def idle(session: aiohttp.ClientSession, url: str) -> Any:
    """Return what the health page tells as soon as nothing waits."""
    while True:
        async with session.get(url) as answer:
            health = await answer.json()
        if not health["inbox"]["waiting"] and not health["outbox"]["waiting"]:
            return health
        await asyncio.sleep(0.1)
