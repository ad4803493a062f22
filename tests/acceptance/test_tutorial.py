"""The tutorial from its first command to its last, as somebody follows it who has nothing yet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from support.documents import ROOT, blocks_of
from support.processes import PHONE, RASA_ENV, Person, Process, Simulator, free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")

TUTORIAL = blocks_of(ROOT / "docs" / "tutorial.md", "sh", "yaml")
SERVERS = ("rasa-whatsapp simulate", "rasa run")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def followed(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Simulator, Path]]:
    """The simulator and the bot's folder, once every step before "Talk to it" is done."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "rasa-whatsapp-channel").symlink_to(ROOT)
    port = free_port()
    simulator = Simulator(folder, api="cloud", bot_port=port)
    bot = follow(folder, simulator.url)
    args = [sys.executable, "-m", "rasa", "run", "--port", str(port), "--interface", "127.0.0.1"]
    rasa = Process("rasa", args, folder=bot, env=RASA_ENV)
    try:
        await simulator.start()
        rasa.start()
        await rasa.ready(f"http://127.0.0.1:{port}/webhooks/whatsapp/")
        yield simulator, bot
    finally:
        rasa.stop()
        simulator.process.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def maya(followed: tuple[Simulator, Path]) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as session:
        maya = Person(session, followed[0], PHONE)
        await maya.looks()
        yield maya


def follow(folder: Path, simulator: str) -> Path:
    """Write every file of the page and run every command, in order; return the bot's folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, **RASA_ENV, "PATH": path}
    started = []
    for block in TUTORIAL:
        if block.language == "yaml":
            assert block.title, f"{block}: which file?"
            text = block.text.replace("http://127.0.0.1:8400", simulator)
            (folder / block.title).write_text(text, encoding="utf-8")
            continue
        for command in [] if block.reason else block.commands:
            if command in SERVERS:  # these go on; the fixture starts them on free ports
                started.append(command)
            elif command.startswith("cd "):
                folder = folder / command.split()[1]
            else:
                done = subprocess.run(
                    ["sh", "-euc", command], cwd=folder, env=env, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert tuple(started) == SERVERS
    return folder


async def test_a_greeting_is_answered_with_the_lake_and_two_buttons(maya: Person) -> None:
    await maya.says("hi")

    welcome, lake = await maya.gets(2, within=60)

    assert welcome["content"]["body"] == "Welcome to the *Lakeside Guesthouse*!"
    assert lake["content"]["body"]["text"] == "This is the view. Would you like to stay?"
    assert titles(lake) == ["Book a room", "Not now"]
    assert lake["content"]["header"]["type"] == "image"


async def test_a_tap_on_a_button_is_understood(maya: Person) -> None:
    await maya.says("hi")
    _, lake = await maya.gets(2, within=60)
    book = lake["content"]["action"]["buttons"][0]["reply"]

    await maya.sends(
        {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": book},
            "context": {"message_id": lake["id"]},
        }
    )

    [answer] = await maya.gets(1, within=60)
    assert answer["content"]["body"].startswith("We will call you.")


async def test_a_photo_is_thanked_for_and_lies_where_the_page_says(
    maya: Person, followed: tuple[Simulator, Path]
) -> None:
    photo = (ROOT / "examples" / "quickstart" / "media" / "lake.jpg").read_bytes()

    await maya.sends_file("image", photo, filename="me.jpg", mime_type="image/jpeg")

    [answer] = await maya.gets(1, within=60)
    assert answer["content"]["body"] == "Nice to meet you!"
    kept = [file for file in (followed[1] / "whatsapp_media").rglob("*") if file.is_file()]
    assert photo in [file.read_bytes() for file in kept]


def titles(message: dict[str, Any]) -> list[str]:
    return [button["reply"]["title"] for button in message["content"]["action"]["buttons"]]
