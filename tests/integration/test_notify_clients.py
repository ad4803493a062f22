"""Who asks for notifications: the shop of examples/, and `remind` in an action."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.eventually import eventually
from support.ports import free_port
from support.processes import PROJECT

from rasa_whatsapp_channel import remind
from rasa_whatsapp_channel.reminders import NotReminded

MAYA = "4915112345678"
TOKEN = "a-token-of-the-shop"


async def silent(message: Any) -> None:
    pass


@contextmanager
def shop(url: str, *args: str):
    """Run the shop; Sanic's event loop cannot wait for processes, so threads do."""
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "examples" / "shop" / "shop.py"), *args],
        env={**os.environ, "WHATSAPP_NOTIFY_TOKEN": TOKEN, "WHATSAPP_NOTIFY_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def asks(url: str, *args: str) -> Any:
    with shop(url, *args) as process:
        out, told = await asyncio.to_thread(process.communicate)
        return json.loads(out) if process.returncode == 0 else told.decode()


async def test_the_shop_of_the_examples_writes_once_and_hears_how_far_it_came(serve, platform):
    port = free_port()
    settings = {"notify_token": TOKEN, "notify_webhook": f"http://127.0.0.1:{port}/"}
    async with serve(silent, **settings) as running:
        url = f"{running.url}/notify"
        with shop(url, "serve", str(port)) as server:
            for _ in range(2):
                asked = await asks(url, "shipped", "4711", "+49 151 12345678")
            [sent] = await platform[0].sends(1)

            async def state() -> bool:
                return (await asks(url, "status", "4711"))["state"] == "sent"

            await eventually(state)
            line = b""
            while b"sent" not in line:
                line = await asyncio.to_thread(server.stdout.readline)
        unknown = await asks(url, "status", "0815")

    assert asked["key"] == "order-4711-shipped"
    parameters = [{"type": "text", "text": "4711"}]
    assert sent["to"] == MAYA
    assert sent["template"]["name"] == "order_shipped"
    assert sent["template"]["components"] == [{"type": "body", "parameters": parameters}]
    assert line.split() == [b"order-4711-shipped", b"sent"]
    assert unknown.startswith("404: ")


@pytest.mark.parametrize(
    "at",
    [timedelta(seconds=1), datetime.now(timezone.utc), "2026-01-01T00:00", 1_700_000_000.0],
    ids=["after a time", "a moment", "a text", "a number"],
)
async def test_an_action_reminds_once_however_often_its_turn_is_repeated(
    serve, platform, monkeypatch, at
):
    monkeypatch.setenv("WHATSAPP_NOTIFY_TOKEN", TOKEN)
    async with serve(silent, notify_token=TOKEN) as running:
        monkeypatch.setenv("WHATSAPP_NOTIFY_URL", f"{running.url}/notify")
        soon = {"text": "Your appointment is soon"}
        first = await remind(MAYA, soon, key="appointment-7", at=at)
        other = await remind(MAYA, {"text": "Another one"}, key="appointment-7", at=at)
        await remind(MAYA, {"text": "The last one"}, key="appointment-8", at=timedelta(seconds=2))
        sent = await platform[0].sends(2)

    assert (first, other) == (True, False)
    assert [each["text"]["body"] for each in sent] == [soon["text"], "The last one"]


async def test_a_reminder_that_is_not_taken_is_an_error_with_the_reason(
    serve, platform, monkeypatch
):
    monkeypatch.setenv("WHATSAPP_NOTIFY_TOKEN", TOKEN)
    async with serve(silent, notify_token=TOKEN) as running:
        monkeypatch.setenv("WHATSAPP_NOTIFY_URL", f"{running.url}/notify")
        with pytest.raises(NotReminded, match=r"422: .*'at' must be a time"):
            await remind(MAYA, "utter_soon", key="a", at="soon")
