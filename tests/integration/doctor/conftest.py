"""A bot's folder with everything right, a simulator, and a channel that is served."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from rasa_whatsapp_channel.doctor.collect import Environment, Project
from rasa_whatsapp_channel.doctor.results import CheckResult
from rasa_whatsapp_channel.doctor.run import run_checks
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.server import create_app

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"
VERSIONS = {
    "rasa": "3.6.21",
    "sanic": "21.12.2",
    "aiohttp": "3.9.5",
    "redis": "4.6.0",
    "av": "14.2.0",
    "pillow": "11.3.0",
    "fsspec": "2026.1.0",
}


@dataclass
class Setup:
    """A bot that is set up right, until a test plants a mistake."""

    root: Path
    config: Config = field(default_factory=Config)
    environ: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=lambda: dict(VERSIONS))
    python: str = "3.10.13"
    load: str | None = None
    url: str | None = None
    offline: bool = True

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.yml"

    @property
    def endpoints(self) -> Path:
        return self.root / "endpoints.yml"

    @property
    def domain(self) -> Path:
        return self.root / "domain.yml"

    def replace(self, old: str, new: str, *, file: str = "credentials.yml") -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text, (old, text)
        path.write_text(text.replace(old, new))
        old_time = time.time() - 3600
        os.utime(path, (old_time, old_time))

    def add(self, line: str) -> None:
        self.credentials.write_text(f"{self.credentials.read_text()}\n  {line}\n")

    def account(self, **changes: Any) -> None:
        account = dataclasses.replace(self.config.account, **changes)
        self.config = dataclasses.replace(self.config, account=account)

    async def run_checks(self) -> list[CheckResult]:
        project = Project(
            self.credentials,
            self.endpoints,
            self.root / "models",
            url=self.url,
            offline=self.offline,
        )
        environment = Environment(
            self.environ, self.versions, self.python, lambda _root: self.load, time.time
        )
        return [result async for result in run_checks(project, environment)]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    for name in ("domain.yml", "config.yml", "endpoints.yml"):
        shutil.copy(QUICKSTART / name, tmp_path / name)
    shutil.copytree(QUICKSTART / "media", tmp_path / "media")
    setup = Setup(tmp_path)
    write_credentials(setup, "http://127.0.0.1:9")
    old = time.time() - 3600
    for path in tmp_path.glob("*.yml"):
        os.utime(path, (old, old))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "today.tar.gz").touch()
    monkeypatch.chdir(tmp_path)
    return setup


def write_credentials(setup: Setup, url: str) -> None:
    store = "  store: sqlite:///whatsapp.db"
    setup.credentials.write_text(f"{credentials_block(setup.config, url)}\n{store}\n")


Online = Callable[[], Awaitable[str]]


@pytest.fixture
async def online(setup: Setup) -> AsyncIterator[Online]:
    """Start the simulator that *setup* describes; its address takes the project of the dead one."""
    servers: list[TestServer] = []

    async def start() -> str:
        config = dataclasses.replace(setup.config, retry_pauses=(60,))
        server = TestServer(create_app(config))
        await server.start_server()
        servers.append(server)
        url = str(server.make_url("/")).rstrip("/")
        setup.offline = False
        setup.replace("http://127.0.0.1:9", url)
        return url

    yield start
    for server in servers:
        await server.close()
