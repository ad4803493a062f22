"""
README and tutorial, followed on a machine with nothing but Python, make and a clone.

The tests are one way, as the README leads it: its demo, the tutorial, then what it says of a bot of
one's own. Every block of shell is typed as printed, but for ports, which have to be free here, and
for names of hosts and ids, which are examples. pip and uv fetch what this machine's cache lacks.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from support.bare_machine import Machine, Terminal
from support.documents import ROOT, Block, blocks_of
from support.ports import free_port
from support.printed import lay
from support.processes import PHONE, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRY, INSTALL, OWN, DOCTOR = blocks_of(ROOT / "README.md", "sh")
[COMMANDS] = blocks_of(ROOT / "docs" / "command-line.md", "sh")
TUTORIAL = blocks_of(ROOT / "docs" / "tutorial.md", "sh", "yaml")
PORTS = {printed: free_port() for printed in (8400, 8500, 5005, 5006)}
SIMULATOR, BOT = (f"http://127.0.0.1:{PORTS[port]}" for port in (8400, 5005))
HOOK = f"{BOT}/webhooks/whatsapp/"

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")


def here(printed: str) -> str:
    """Return what is *printed* with ports that are free, and one's own host."""
    text = re.sub(r"https://(your-host|bot\.example)", BOT, printed)
    text = re.sub(r"\b(8400|8500|5005|5006)\b", lambda port: str(PORTS[int(port[0])]), text)
    if text == "rasa run":
        text += f" --interface 127.0.0.1 --port {PORTS[5005]}"
    if text == "make demo":
        text += f" PORT={PORTS[8400]} RASA_PORT={PORTS[5005]}"
    if text.startswith("rasa-whatsapp serve"):
        text += "" if "--port" in text else f" --port {PORTS[5006]}"
    if text.startswith("rasa-whatsapp simulate"):
        text += "" if "--port" in text else f" --port {PORTS[8400]}"
        text += "" if "--webhook" in text else f" --webhook {HOOK}webhook"
    return text


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    if not (ROOT / ".git").exists():
        pytest.skip("what Git takes along is not known here")
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def clone(machine: Machine) -> Path:
    return machine.clone()


async def until(url: str, terminal: Terminal, log: Path, *, within: float = 300.0) -> None:
    """Wait until *url* answers 200 to what runs in *terminal*."""
    end = time.monotonic() + within
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end and not terminal.ended():
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


async def said(words: str, log: Path, *, within: float = 120.0) -> None:
    """Wait until *words* stand in *log*."""
    end = time.monotonic() + within
    while words not in log.read_text():
        assert time.monotonic() < end, f"nothing says {words!r}:\n{log.read_text()[-4000:]}"
        await asyncio.sleep(0.2)


class Desk:
    """What runs at the moment, each in a terminal of its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._open: dict[str, Terminal] = {}
        self._logs: dict[str, Path] = {}

    async def runs(self, command: str, folder: Path, *typed: str, asks: str) -> Path:
        """Leave *command* running until `ends`; return where its output is."""
        log = self._machine.home / f"{len(self._open)}-{command.split()[0]}.log"
        self._logs[command] = log
        terminal = self._machine.terminal(folder, *typed)
        self._open[command] = terminal
        terminal.leaves_running(here(command), log)
        await until(asks, terminal, log)
        return log

    def log(self, command: str) -> Path:
        return self._logs[command]

    def ends(self, command: str) -> None:
        self._open.pop(command).close()

    def end(self) -> None:
        for command in reversed(list(self._open)):
            self.ends(command)


@pytest.fixture(scope="module")
def desk(machine: Machine) -> Iterator[Desk]:
    desk = Desk(machine)
    yield desk
    desk.end()


@pytest_asyncio.fixture(loop_scope="session")
async def maya() -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as session:
        maya = Person(session, SimpleNamespace(url=SIMULATOR), PHONE)
        await maya.looks()
        yield maya


# --- "Try it"


async def test_the_demo_says_which_page_to_open_and_its_bot_answers(machine, clone, desk):
    [demo] = TRY.commands
    log = await desk.runs(demo, clone, asks=HOOK)

    async with aiohttp.ClientSession() as session:
        maya = Person(session, SimpleNamespace(url=SIMULATOR), PHONE)
        await maya.says("hi")
        answers = await maya.gets(6)
    desk.ends(demo)

    kinds = [answer["type"] for answer in answers]
    assert kinds == ["text", "image", "document", "audio", "video", "sticker"]
    assert f"Open {SIMULATOR} " in log.read_text()
    assert "Ending the demo" in log.read_text()


# --- docs/tutorial.md


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lakeside(machine: Machine, clone: Path, desk: Desk) -> Path:
    """Follow the page up to the part where one talks to the bot; return the bot's folder."""
    with machine.terminal(clone.parent) as terminal:
        return await follow_the_tutorial(terminal, clone.parent, desk)


async def follow_the_tutorial(terminal: Terminal, folder: Path, desk: Desk) -> Path:
    started = []
    for block in TUTORIAL:
        if block.language == "yaml":
            assert block.title, f"{block}: which file?"
            (folder / block.title).write_text(here(block.text), encoding="utf-8")
            continue
        for command in block.commands:
            if command == "rasa-whatsapp simulate":
                started.append(command)
                await desk.runs(command, folder, ACTIVATE, asks=f"{SIMULATOR}/simulator/state")
            elif command == ACTIVATE:  # in those terminals
                continue
            elif command == "rasa run":
                started.append(command)
                log = await desk.runs(command, folder, ACTIVATE, asks=HOOK)
                await said(WAITED_FOR, log)
            else:
                done = terminal.types(command, within=900)
                assert done.status == 0, f"{command}\n{done.output}"
                if command.startswith("cd "):
                    folder /= command.split()[1]
    assert len(started) == 2
    return folder


WAITED_FOR = "whatsapp.started"  # as the page tells
ACTIVATE = ". ../bot-environment/bin/activate"


async def test_a_greeting_is_answered_with_the_lake_and_two_buttons(lakeside, maya):
    await maya.says("hi")

    welcome, lake = await maya.gets(2)

    assert welcome["content"]["body"] == "Welcome to the *Lakeside Guesthouse*!"
    assert lake["content"]["body"]["text"] == "This is the view. Would you like to stay?"
    assert titles(lake) == ["Book a room", "Not now"]
    assert lake["content"]["header"]["type"] == "image"


async def test_a_tap_on_a_button_is_understood(lakeside, maya):
    await maya.says("hi")
    _, lake = await maya.gets(2)
    book = lake["content"]["action"]["buttons"][0]["reply"]

    await maya.sends(
        {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": book},
            "context": {"message_id": lake["id"]},
        }
    )

    [answer] = await maya.gets(1)
    assert answer["content"]["body"].startswith("We will call you.")


async def test_a_photo_is_thanked_for_and_lies_where_the_page_says(lakeside, maya, desk):
    photo = (ROOT / "examples" / "quickstart" / "media" / "lake.jpg").read_bytes()

    await maya.sends_file("image", photo, filename="me.jpg", mime_type="image/jpeg")

    [answer] = await maya.gets(1)
    assert answer["content"]["body"] == "Nice to meet you!"
    told = desk.log("rasa run").read_text()
    assert "entit" not in told, told  # of those that the domain does not list
    kept = [file for file in (lakeside / "whatsapp_media").rglob("*") if file.is_file()]
    assert photo in [file.read_bytes() for file in kept]


# --- "Put it into your bot", with the tutorial's bot and environment


async def test_a_bot_of_ones_own_is_connected_to_the_simulator(
    machine, clone, lakeside, desk, maya, figures
):
    bot = lakeside.parent / "own"
    left_out = shutil.ignore_patterns("credentials.yml", "models", ".rasa", "whatsapp*")
    shutil.copytree(clone / "examples" / "quickstart", bot, ignore=left_out)
    for command in ("rasa run", "rasa-whatsapp simulate"):
        desk.ends(command)
    begun = time.monotonic()
    with machine.terminal(bot, ACTIVATE) as terminal:
        for command in OWN.commands:
            if command == "rasa-whatsapp simulate":
                await desk.runs(command, bot, ACTIVATE, asks=f"{SIMULATOR}/simulator/state")
            elif command == "rasa run":
                await said(WAITED_FOR, await desk.runs(command, bot, ACTIVATE, asks=HOOK))
            else:
                done = terminal.types(here(command), within=900)
                assert done.status == 0, f"{command}\n{done.output}"
                written = bot / "credentials.yml"
                written.write_text(here(written.read_text()))

    await maya.looks()
    await maya.says("hi")

    picture, *_ = await maya.gets(5)  # `combine: turn`, as init writes it, joins text and picture
    assert picture["type"] == "image"
    assert picture["content"]["caption"].startswith("Welcome to the *Lakeside Guesthouse*!")
    figures(f"a bot of one's own was connected and answered in {time.monotonic() - begun:.0f} s")


async def test_what_the_readme_says_of_ones_own_bot(machine, clone, lakeside):
    with machine.terminal(clone.parent, ". bot-environment/bin/activate") as terminal:
        installed = types_all(terminal, INSTALL, within=900)
        terminal.types(f"cd {lakeside.name}")
        [told] = types_all(terminal, DOCTOR)

    assert len(installed) == 1
    assert "✔ verify token" in told
    assert "✔ signature" in told
    assert "✘" not in told, told


async def test_the_extra_for_tests_leaves_rasa_running(machine, clone, lakeside):
    [install] = blocks_of(ROOT / "docs" / "testing.md", "sh")[0].commands
    with machine.terminal(clone.parent, ". bot-environment/bin/activate") as terminal:
        for command in (install, "rasa --version", "pytest --version"):
            done = terminal.types(command, within=900)
            assert done.status == 0, f"{command}\n{done.output}"


def types_all(terminal: Terminal, block: Block, *, within: float = 300.0) -> list[str]:
    told = []
    for command in block.commands:
        done = terminal.types(here(command), within=within)
        assert done.status == 0, f"{command}\n{done.output}"
        told.append(done.output)
    return told


# --- docs/command-line.md, with the bot of the demo


async def test_every_line_of_the_command_line_works(machine, clone, lakeside, desk):
    bot = clone / "examples" / "quickstart"
    await lay(bot)
    credentials = bot / "credentials.yml"
    credentials.write_text(here(credentials.read_text(encoding="utf-8")), encoding="utf-8")
    active = f". {os.path.relpath(lakeside.parent / 'bot-environment' / 'bin' / 'activate', bot)}"
    desk.ends("rasa-whatsapp simulate")
    simulators = [c for c in COMMANDS.commands if c.startswith("rasa-whatsapp simulate")]
    for command in simulators[1:]:
        port = PORTS[8500 if "8500" in command else 8400]
        await desk.runs(command, bot, active, asks=f"http://127.0.0.1:{port}/simulator/state")
        desk.ends(command)
    await desk.runs(simulators[0], bot, active, asks=f"{SIMULATOR}/simulator/state")

    servers = [c for c in COMMANDS.commands if c.startswith("rasa-whatsapp serve")]
    for command in servers:
        asks = f"http://127.0.0.1:{PORTS[5006]}/webhooks/whatsapp/"
        await desk.runs(command, bot, active, asks=asks)
        desk.ends(command)

    with machine.terminal(bot, active) as terminal:
        started = (*simulators, *servers)
        type_the_lines(terminal, [c for c in COMMANDS.commands if c not in started])
    assert (bot / "song.ogg").stat().st_size > 0
    assert "chat:" in (bot / "tests" / "menu.yml").read_text()


def type_the_lines(terminal: Terminal, lines: list[str]) -> None:
    uploaded = printed = "1037543291543634"
    for line in lines:
        done = terminal.types(here(line).replace(printed, uploaded), answer="y")
        # The doctor finds much in this folder, and nobody sends what `send` gives to the bot.
        ends = {"rasa-whatsapp doctor": (0, 1), "rasa-whatsapp send": (3,)}
        fine = next((each for begin, each in ends.items() if line.startswith(begin)), (0,))
        assert done.status in fine, f"{line}\n{done.output}"
        assert "Traceback" not in done.output, f"{line}\n{done.output}"
        assert "not_converted" not in done.output, f"{line}\n{done.output}"
        if line.startswith("rasa-whatsapp media upload"):
            uploaded = done.output.split()[-1]


def titles(message: dict[str, Any]) -> list[str]:
    return [button["reply"]["title"] for button in message["content"]["action"]["buttons"]]
