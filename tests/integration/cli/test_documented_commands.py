"""
Every command of docs and examples, as printed, in a bot's folder beside a simulator.

The pages tell of one bot and one simulator; here the folder, the chat and the store are laid out so
that each command finds what its page speaks of. README and tutorial are followed from an empty
machine on: tests/acceptance/test_new_user.py.
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
from support.ports import free_port
from support.printed import KEPT, MEDIA_ID, lay
from support.processes import Process
from support.running_bot import running_bot

FOLLOWED = ("README.md", "docs/tutorial.md", "docs/command-line.md")
BLOCKS = [block for block in all_blocks("sh") if not block.reason and block.page not in FOLLOWED]
SIMULATE = "rasa-whatsapp simulate"

# It loads all of Rasa, so one stands for all; test_readme.py looks up the options of each.
DOCTOR = "rasa-whatsapp doctor --offline"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The folder of the quickstart, with what the pages speak of beside it."""
    shutil.copy(ROOT / "examples" / "quickstart" / "domain.yml", tmp_path)
    await lay(tmp_path)
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
    with (folder / "credentials.yml").open("a") as credentials:
        credentials.write("\n  handoff: {}\n")  # its page says so before its commands
    for command in block.commands:
        if command.startswith(SIMULATE):
            continue  # below
        if command.startswith("rasa-whatsapp doctor") and command != DOCTOR:
            continue
        if command.startswith("rasa-whatsapp test"):
            continue  # needs a trained bot: tests/acceptance
        if command.startswith("cd "):
            monkeypatch.chdir(folder / command.split()[1])
        elif command.startswith("rasa-whatsapp send"):
            async with running_bot():
                await types(command, rasa_whatsapp)
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

    # The doctor exits with status 1 in a folder without a model.
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
    args = [sys.executable, "-m", "rasa_whatsapp_channel", *words, "--port", str(port)]
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
