"""The processes that are measured: started, asked what they took, ended by their id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from bench.caller import Caller
from support.ports import free_port
from support.processes import PROJECT, StandAlone
from support.redis_server import MISSING, RedisServer, find_redis_server

START = 60.0


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int
    log: Path

    def memory(self) -> float:
        """Return what it has in memory, in MB."""
        return memory_of(self.pid)

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def memory_of(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / 2**20)


def cpu_of(pids: Mapping[str, int]) -> Mapping[str, float]:
    """Return the seconds of processor time that each process has had so far."""
    times = {part: psutil.Process(pid).cpu_times() for part, pid in pids.items()}
    return {part: float(each.user + each.system) for part, each in times.items()}


class Pipelines:
    """Starts pipelines of the checkout *project* within milliseconds, see `bench.pipelines`."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self._folder = folder
        self._project = project
        self._running: dict[str, Server] = {}
        self._forge: subprocess.Popen[bytes] | None = None  # not every part needs it

    async def start(self, name: str, pipeline: str, **options: Any) -> Server:
        """Return once it answers. *options* are those of the pipeline's `prepare`."""
        server = self.launch(name, pipeline, **options)
        await self.ready(server)
        return server

    def launch(self, name: str, pipeline: str, **options: Any) -> Server:
        port = free_port()
        order = {"name": name, "pipeline": pipeline, "port": port, "options": options}
        forge = self._forge = self._forge or self._open()
        assert forge.stdin is not None
        assert forge.stdout is not None
        forge.stdin.write(json.dumps({**order, "folder": str(self._folder)}).encode() + b"\n")
        forge.stdin.flush()
        pid = forge.stdout.readline()
        if not pid:
            raise RuntimeError((self._folder / "pipelines.log").read_text()[-2000:])
        server = Server(name, port, int(pid), self._folder / f"{name}.log")
        self._running[name] = server
        return server

    async def ready(self, server: Server, path: str = "/webhooks/whatsapp/") -> None:
        end = time.monotonic() + START
        caller = Caller(server.port)
        while time.monotonic() < end:
            if not psutil.pid_exists(server.pid):
                raise RuntimeError(f"{server.name} ended early: {server.tail()}")
            with contextlib.suppress(OSError):
                if (await caller.get(path)).status == 200:
                    caller.close()
                    return
            await asyncio.sleep(0.005)
        raise RuntimeError(f"{server.name} does not answer: {server.tail()}")

    def kill(self, server: Server) -> None:
        """End it as a crash would."""
        self._running.pop(server.name, None)
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGKILL)
        while psutil.pid_exists(server.pid):
            time.sleep(0.002)

    def close(self) -> None:
        for server in tuple(self._running.values()):
            self.kill(server)
        if self._forge is not None:
            self._forge.kill()
            self._forge.communicate()

    def _open(self) -> subprocess.Popen[bytes]:
        with (self._folder / "pipelines.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bench.pipelines"],
                env={**os.environ, "PYTHONPATH": f"{self._project}:{self._project / 'tests'}"},
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )


@asynccontextmanager
async def stand_alone(folder: Path, block: dict[str, Any]) -> AsyncIterator[Server]:
    """Run `rasa-whatsapp serve` with this *block* in the bot's *folder*."""
    credentials = yaml.safe_dump({"rasa_whatsapp_channel.WhatsAppInput": block})
    alone = StandAlone(folder, port=free_port(), name="serve", credentials=credentials)
    alone.process.start()
    try:
        await alone.ready()
        assert alone.process.pid is not None
        yield Server("serve", alone.port, alone.process.pid, alone.process.log)
    finally:
        alone.process.kill()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis that writes nothing to disk, and return its address."""
    if find_redis_server() is None:
        raise RuntimeError(MISSING)
    server = RedisServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()


@contextmanager
def pipelines(folder: Path, project: Path = PROJECT) -> Iterator[Pipelines]:
    folder.mkdir(exist_ok=True)
    forge = Pipelines(folder, project)
    try:
        yield forge
    finally:
        forge.close()
