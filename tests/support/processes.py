"""Real processes for tests: the simulator, Rasa with the channel, and a person with a phone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from support.ports import free_port
from support.rasa_fork import RasaFork

PROJECT = Path(__file__).parents[2]
START = 240.0  # seconds Rasa may take on a slow machine with much else to do
PHONE = "4915112345678"  # the person every simulator begins with


class Process:
    """A child in a process group of its own, its output in a file that a failing test shows."""

    def __init__(self, name: str, args: list[str], *, folder: Path, env: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._args = args
        self._folder = folder
        self._env = {**os.environ, "PYTHONPATH": str(PROJECT), **env}
        self._child: subprocess.Popen[bytes] | RasaFork | None = None

    def start(self) -> None:
        self._child = self._launch()

    def _launch(self) -> subprocess.Popen[bytes] | RasaFork:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._args,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self, url: str) -> None:
        """Wait until *url* answers 200."""
        end = time.monotonic() + START
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < end:
                assert self._child is not None
                if self._child.poll() is not None:
                    raise AssertionError(f"{self.name} ended early:\n{self.tail()}")
                with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.2)
        raise AssertionError(f"{self.name} does not answer at {url}:\n{self.tail()}")

    async def ends(self, *, within: float = START) -> int:
        """Return its exit code as soon as it has ended by itself."""
        assert self._child is not None
        end = time.monotonic() + within
        while self._child.poll() is None:
            assert time.monotonic() < end, f"{self.name} goes on:\n{self.tail()}"
            await asyncio.sleep(0.05)
        return int(self._child.returncode)

    def wait(self, *, within: float = START) -> int:
        """Return its exit code when it has ended by itself; nothing else goes on meanwhile."""
        assert self._child is not None
        return self._child.wait(within)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def send(self, how: signal.Signals) -> None:
        """Send it a signal, and go on."""
        assert self._child is not None
        self._child.send_signal(how)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does, and return its exit code."""
        return self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> int:
        if self._child is None:
            return 0
        child, self._child = self._child, None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, how)
        try:
            return child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait(timeout=10)

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class RasaProcess(Process):
    """Rasa with *args*, as a fork of a process that has imported it."""

    def _launch(self) -> RasaFork:
        return RasaFork(self._args, self._folder, self._env, self.log)


class Simulator:
    def __init__(self, folder: Path, *, api: str, bot_port: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        webhook = f"http://127.0.0.1:{bot_port}/webhooks/whatsapp/webhook"
        args = ["simulate", "--port", str(self.port), "--api", api, "--webhook", webhook]
        self.process = Process(
            f"simulator-{api}",
            [sys.executable, "-m", "rasa_whatsapp_channel", *args],
            folder=folder,
            env={},
        )

    async def start(self) -> None:
        self.process.start()
        await self.process.ready(f"{self.url}/simulator/state")


class RasaServer:
    """
    Rasa 3.6 with the channel, serving a trained bot in *folder*.

    Where its memory and its start are measured, it is not *forked*.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        name: str,
        credentials: str,
        more: Sequence[str] = (),
        forked: bool = True,
        **env: str,
    ) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        file = folder / f"credentials-{name}.yml"
        file.write_text(credentials)
        args = ["run", "--port", str(port), "--interface", "127.0.0.1", "--credentials", file.name]
        kind, begins = (RasaProcess, []) if forked else (Process, [sys.executable, "-m", "rasa"])
        self.process = kind(
            f"rasa-{name}",
            [*begins, *args, *more],
            folder=folder,
            env={**RASA_ENV, **env},
        )

    async def ready(self) -> None:
        await self.process.ready(f"{self.url}/webhooks/whatsapp/")


class StandAlone:
    """`rasa-whatsapp serve` in *folder*."""

    def __init__(
        self, folder: Path, *, port: int, name: str, credentials: str, more: Sequence[str] = ()
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        file = folder / f"credentials-{name}.yml"
        file.write_text(credentials)
        args = ["serve", "--host", "127.0.0.1", "--port", str(port), "--credentials", file.name]
        self.process = Process(
            name,
            [sys.executable, "-m", "rasa_whatsapp_channel", *args, *more],
            folder=folder,
            env={},
        )

    async def ready(self) -> None:
        await self.process.ready(f"{self.url}/webhooks/whatsapp/")


RASA_ENV = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SANIC_WORKERS": "1",
    "LOG_LEVEL_MATPLOTLIB": "ERROR",
}


class Person:
    """Somebody with a phone, at a simulator."""

    def __init__(self, session: aiohttp.ClientSession, simulator: Simulator, phone: str) -> None:
        self._session = session
        self._simulator = simulator
        self._chat = f"{simulator.url}/simulator/people/{phone}/messages"
        self._seen = 0
        self.phone = phone

    async def joins(self) -> Person:
        """Come into being: a simulator begins with Maya alone."""
        person = {"name": f"Person {self.phone}", "phone": self.phone}
        async with self._session.post(
            f"{self._simulator.url}/simulator/people", json=person
        ) as answer:
            assert answer.status == 200, await answer.text()
        return self

    async def sends(self, message: dict[str, Any]) -> Any:
        async with self._session.post(self._chat, json=message) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def says(self, text: str) -> Any:
        return await self.sends({"type": "text", "text": {"body": text}})

    async def sends_file(
        self, kind: str, content: bytes, *, filename: str, mime_type: str, caption: str = ""
    ) -> Any:
        form = aiohttp.FormData()
        form.add_field("type", kind)
        if caption:
            form.add_field("caption", caption)
        form.add_field("file", content, filename=filename, content_type=mime_type)
        async with self._session.post(self._chat, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def chooses(self, content: bytes, *, filename: str, mime_type: str) -> Any:
        """Choose a file in a form of WhatsApp; return what the form's answer holds of it."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=filename, content_type=mime_type)
        url = f"{self._simulator.url}/simulator/people/{self.phone}/files"
        async with self._session.post(url, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def answers(self) -> list[dict[str, Any]]:
        """Return everything the bot has written so far."""
        return await self._messages("outbound")

    async def ticks(self) -> list[str]:
        """Return of each message that this person wrote whether its ticks are blue."""
        statuses = [message["status"] for message in await self._messages("inbound")]
        return ["blue" if status == "read" else "grey" for status in statuses]

    async def _messages(self, direction: str) -> list[dict[str, Any]]:
        async with self._session.get(self._chat) as answer:
            messages = await answer.json()
        messages = messages["messages"] if isinstance(messages, dict) else messages
        return [message for message in messages if message["direction"] == direction]

    async def looks(self) -> None:
        """Take note of everything that is in the chat already."""
        self._seen = len(await self.answers())

    async def new_answers(self) -> list[dict[str, Any]]:
        return (await self.answers())[self._seen :]

    async def waits_for(self, fact: Callable[[], bool], *, within: float = 60.0) -> None:
        end = time.monotonic() + within
        while not fact():
            assert time.monotonic() < end, "it did not happen in time"
            await asyncio.sleep(0.05)

    async def gets(self, count: int, *, within: float = 60.0) -> list[dict[str, Any]]:
        """Return the next *count* messages of the bot, and see that there are no more of them."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            new = await self.new_answers()
            if len(new) >= count:
                self._seen += len(new)
                assert len(new) == count, json.dumps(new, indent=1)[:4000]
                return new
            await asyncio.sleep(0.1)
        raise AssertionError(f"wanted {count} messages, got {json.dumps(new, indent=1)[:4000]}")

    async def file_of(self, message: dict[str, Any]) -> bytes:
        """Return the bytes the phone shows for a media message."""
        url = message["content"]["url"]
        async with self._session.get(f"{self._simulator.url}{url}") as answer:
            assert answer.status == 200, (url, answer.status)
            return await answer.read()
