"""Stub servers as processes of their own: started within milliseconds, killed, started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support.cloud_api import CloudApi
from support.journal import Journal
from support.ports import free_port
from support.processes import PROJECT

SECRET = "an-app-secret"
START = 180.0  # seconds, most of them Rasa's import


DEAD = "dead letter"  # as the command calls it

# What the channel does when nobody says otherwise.
DEFAULTS: dict[str, Any] = {"media": {}, "mark_read": True}


class Forge:
    """The process that starts them, for all `Stubs`: see `stub_server`."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "stub_server.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.stub_server"],
                env={**os.environ, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def start(self, order: dict[str, Any]) -> int:
        """Return the process id of the new server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline()
        assert pid, self._log.read_text(errors="replace")
        return int(pid)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Stubs:
    """
    Serves a bot with some names; *credentials* are joined to those of each server.

    *bot* is one of `numbered.BOTS`. Servers can be given more on their way: see `stub_server`.
    """

    def __init__(
        self,
        folder: Path,
        platform: CloudApi,
        *,
        forge: Forge,
        bot: str = "texts",
        **credentials: Any,
    ) -> None:
        self.folder = folder
        self.journal = Journal(folder / "journal.jsonl")
        self.platform = platform
        self._bot = bot
        self._credentials = credentials
        self._ports: dict[str, int] = {}
        self._pids: dict[str, int] = {}
        self._forge = forge

    def webhook(self, name: str) -> str:
        """Return the address of *name*, which stays the same when it is started again."""
        return f"{self._base(name)}/webhook"

    async def start(self, name: str, **more: Any) -> None:
        """Return once the server takes webhooks."""
        self.launch(name, **more)
        await self.ready(name)

    def launch(self, name: str, **more: Any) -> None:
        order = {
            "port": self._port(name),
            "name": name,
            "folder": str(self.folder),
            "journal": str(self.folder / "journal.jsonl"),
            "bot": self._bot,
            "credentials": {
                "base_url": self.platform.url,
                "phone_number_id": self.platform.number,
                "access_token": name,
                "app_secret": SECRET,
                "verify_token": "a-verify-token",
                "media": {"download": False},
                "mark_read": False,
                **self._credentials,
            },
            **more,
        }
        # What is None is not said at all.
        credentials = order["credentials"].items()
        order["credentials"] = {key: value for key, value in credentials if value is not None}
        self._pids[name] = self._forge.start(order)

    async def ready(self, name: str) -> None:
        end = time.monotonic() + START
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < end:
                assert self.is_alive(name), self.log(name)
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self._base(name)}/") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)
        raise AssertionError(f"{name} does not answer:\n{self.log(name)}")

    async def health(self, name: str) -> dict[str, Any]:
        health = f"{self._base(name)}/"
        async with aiohttp.ClientSession() as session, session.get(health) as answer:
            return dict(await answer.json())

    async def is_idle(self, name: str) -> bool:
        """Return whether nothing waits any more, as far as *name* can tell now."""
        try:
            health = await self.health(name)
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False
        waiting = [health.get(queue, {}).get("waiting") for queue in ("inbox", "outbox")]
        return waiting == [0, 0]

    async def dead_letters(self) -> list[dict[str, Any]]:
        """Return what waits no more and was not done, as `rasa-whatsapp queue list` knows it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rasa_whatsapp_channel"),
            *("queue", "list", "--json", "--store", self._credentials["store"]),
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return [entry for entry in json.loads(output) if entry["state"] == DEAD]

    def pid(self, name: str) -> int:
        return self._pids[name]

    def has_crashed(self, name: str) -> bool:
        """Return whether it is gone, though nobody here has ended it."""
        return name in self._pids and not self.is_alive(name)

    def is_alive(self, name: str) -> bool:
        return _exists(self._pids[name])

    def crash(self, name: str) -> None:
        os.kill(self._pids[name], signal.SIGKILL)

    def kill(self, name: str) -> None:
        """End it as a crash would, and return when it is gone."""
        self.crash(name)
        pid = self._pids.pop(name)
        while _exists(pid):
            time.sleep(0.001)

    async def keep_alive(self, name: str, crashes: list[float], **more: Any) -> None:
        """Start *name* again whenever it ends, as a service manager does; notes when."""
        while True:
            await asyncio.sleep(0.05)
            if self.has_crashed(name):
                crashes.append(time.monotonic())
                self.launch(name, **more)

    async def says(self, name: str, to: str, response: dict[str, Any]) -> None:
        """Let the bot write first."""
        await self._order(name, "says", {"to": to, "response": response})

    async def blocks(self, name: str, seconds: float) -> None:
        """Keep the server from doing anything else."""
        await self._order(name, "blocks", {"seconds": seconds})

    async def _order(self, name: str, what: str, content: dict[str, Any]) -> None:
        url = f"http://127.0.0.1:{self._port(name)}/{what}"
        async with aiohttp.ClientSession() as session, session.post(url, json=content) as answer:
            assert answer.status == 204, await answer.text()

    async def stop(self, name: str) -> None:
        """Ask it to end, as a deployment does, and wait until it has."""
        os.kill(self._pids[name], signal.SIGTERM)
        await self.ends(name)

    async def ends(self, name: str, *, within: float = 60.0) -> None:
        end = time.monotonic() + within
        while self.is_alive(name):
            assert time.monotonic() < end, f"{name} does not end:\n{self.log(name)}"
            await asyncio.sleep(0.02)
        del self._pids[name]

    def close(self) -> None:
        for name in tuple(self._pids):
            with contextlib.suppress(ProcessLookupError):
                self.kill(name)

    def log(self, name: str, lines: int = 60) -> str:
        file = self.folder / f"{name}.log"
        text = file.read_text(errors="replace") if file.exists() else "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def _port(self, name: str) -> int:
        return self._ports.setdefault(name, free_port())

    def _base(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port(name)}/webhooks/whatsapp"


@asynccontextmanager
async def stub_servers(
    folder: Path, platform: CloudApi, *, forge: Forge, **credentials: Any
) -> AsyncIterator[Stubs]:
    stubs = Stubs(folder, platform, forge=forge, **credentials)
    try:
        yield stubs
    finally:
        stubs.close()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
