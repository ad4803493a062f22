"""
Every command of README and docs, as printed, in a bot's folder beside a simulator.

The pages tell of one bot and one simulator; here the folder, the chat and the store are laid out so
that each command finds what its page speaks of. The tutorial builds its own: tests/acceptance.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.documents import ROOT, Block, all_blocks
from support.processes import Process, free_port
from support.real_files import sound

from rasa_whatsapp_channel.store import open_store

MAYA = "4915112345678"
WAITING = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFDNBQTFCMkMzRDRFNUYwMDYwNzE4MjkAA==:0"
KEPT = "2026-11-25/1037543291543634_2bb80d537b1d.jpg"  # what somebody sent
MEDIA_ID = "1037543291543634"
BLOCKS = [
    block for block in all_blocks("sh") if not block.reason and block.page != "docs/tutorial.md"
]
SIMULATE = "rasa-whatsapp simulate"

DOMAIN = """\
version: "3.1"
intents: [buy, later, whatsapp_image, whatsapp_video, whatsapp_audio, whatsapp_voice,
  whatsapp_document, whatsapp_sticker, whatsapp_location, whatsapp_contacts, whatsapp_order,
  whatsapp_reaction, whatsapp_flow, whatsapp_unsupported]
slots:
  name: {type: text, mappings: [{type: custom}]}
responses:
  utter_offer:
  - text: "Our offer for {name}"
    image: "media/lake.jpg"
    buttons: [{title: "Buy", payload: "/buy"}, {title: "Later", payload: "/later"}]
"""
MORE = """\
version: "3.1"
responses:
  utter_more:
  - text: "There is more"
"""
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nTEL;TYPE=CELL:+44 20 1234567\r\nEND:VCARD\r\n"
# It loads all of Rasa, so one stands for all; test_readme.py looks up the options of each.
DOCTOR = "rasa-whatsapp doctor --offline"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A bot's folder, with an answer in its store that was set aside."""
    shutil.copytree(ROOT / "examples" / "quickstart" / "media", tmp_path / "media")
    shutil.copy(tmp_path / "media" / "lake.jpg", tmp_path / "lake.heic")  # its content counts
    (tmp_path / "hello.mp3").write_bytes(sound("mp3", "mp3"))
    (tmp_path / "ada.vcf").write_text(CARD)
    kept = tmp_path / "whatsapp_media" / KEPT
    kept.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "media" / "lake.jpg", kept)
    (tmp_path / "my-bot").mkdir()
    (tmp_path / "my-bot" / "domain.yml").write_text('version: "3.1"\n')
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "more.yml").write_text(MORE)
    (tmp_path / "domain.yml").write_text(DOMAIN)
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        message = {"type": "text", "text": {"body": "hello"}}
        body = {"recipient_id": MAYA, "message": message, "response": "utter_offer"}
        await store.outbox.put(WAITING, MAYA, body)
        item = await store.outbox.claim(30)
        assert item is not None
        await store.outbox.give_up(item, "131026 undeliverable")
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS, ids=str)
async def test_the_commands_of_a_block_work_as_printed(
    block: Block,
    folder: Path,
    start: Callable[..., Awaitable[Any]],
    rasa_whatsapp: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = await start("on_premises" if "providers" in block.text else "cloud")
    for command in block.commands:
        if command.startswith(SIMULATE):
            continue  # below
        if command.startswith("rasa-whatsapp doctor") and command != DOCTOR:
            continue
        if command.startswith("rasa-whatsapp test"):
            continue  # needs a trained bot: tests/acceptance
        if command.startswith("cd "):
            monkeypatch.chdir(folder / command.split()[1])
        elif command.startswith("rasa-whatsapp "):
            await types(command, rasa_whatsapp)
        elif command.startswith("make "):
            await runs(f"{command} --dry-run", ROOT)
        else:
            here = re.sub(r"(http://127\.0\.0\.1|localhost):8400", simulator.url, command)
            await runs(here.replace("curl ", "curl --fail --silent ", 1), folder)


async def types(command: str, rasa_whatsapp: Any) -> None:
    """Run a command of ours in this process, and write what it prints where it says."""
    if MEDIA_ID in command and KEPT not in command:  # it has another
        uploaded = await rasa_whatsapp("media", "upload", "media/chime.ogg")
        command = command.replace(MEDIA_ID, uploaded.stdout.strip())
    command, _, file = command.partition(" > ")

    done = await rasa_whatsapp(*shlex.split(command)[1:], input="y\n", env={"SHOP_TOKEN": "token"})

    # The doctor ends with 1 where it finds something, as it does in a folder without a model.
    fine = (0, 1) if " doctor" in command else (0,)
    assert done.exit_code in fine, f"{command}\n{done.output}"
    assert not isinstance(done.exception, Exception), done.exception
    if file:
        Path(file).write_text(done.stdout)


async def runs(command: str, folder: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *("sh", "-euc", command),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await child.communicate()
    assert child.returncode == 0, f"{command}\n{output.decode()}"


def is_simulator(command: str) -> bool:
    return command.startswith(SIMULATE) and "--load" not in command  # that needs a bot


@pytest.mark.parametrize(
    "command",
    sorted(
        {
            c
            for block in BLOCKS
            for c in block.commands
            if c.startswith(SIMULATE) and "--load" not in c
        }
    ),
)
async def test_a_simulator_starts_as_printed(command: str, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()  # where a page keeps them
    port = free_port()
    words = command.split()[1:]
    args = [sys.executable, "-m", "rasa_whatsapp_channel.cli", *words, "--port", str(port)]
    simulator = Process("simulator", args, folder=tmp_path, env={})
    simulator.start()
    try:
        await simulator.ready(f"http://127.0.0.1:{port}/simulator/state")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/simulator/state") as answer,
        ):
            state = await answer.json()
        told = re.search(r"--api (\S+)", command)
        assert state["api"] == (told[1] if told else "cloud")
    finally:
        assert simulator.stop() == 0
