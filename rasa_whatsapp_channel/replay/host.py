"""
Bot host: a simulator in this process on a free port, and the bot's Rasa as a child process.

Rasa is started with the bot's own settings, connected to the simulator and without the bot's own
stores, so that nothing of a played conversation is remembered with those of real people.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any, Final

import aiohttp
from aiohttp import web
from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.domain.project import (
    CHANNELS,
    CREDENTIALS,
    ENABLED,
    INTEGRATIONS,
    is_mantle,
)
from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.settings import CHANNEL
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.server import create_app

START: Final = 180.0  # seconds Rasa may take to load a model
GRACE: Final = 20.0  # seconds Rasa may take to end
LAST_LINES: Final = 25  # of its log, where it did not start
WEBHOOK: Final = "/webhooks/whatsapp/webhook"
# Keys of the channel's block that connect the bot, about which the simulator decides, or say where
# things are stored and who does the work, about which the test does.
CONNECTIONS: Final = frozenset(
    {
        *("api", "base_url", "api_version", "phone_number_id", "access_token", "numbers"),
        *("username", "password", "ca_file", "verify_tls"),
        *("verify_token", "app_secret", "webhook_secret", "webhook_token"),
        *("webhook_username", "webhook_password", "allow_unsigned_webhooks"),
        *("allowed_networks", "trusted_proxies", "notify_token", "notify_webhook"),
        *("store", "roles", ENABLED),
    }
)
# Keys of `handoff` that connect a desk.
DESK: Final = frozenset({"desk", "url", "secret", "public_url", "token", "account", "inbox"})
# Keys of endpoints.yml for stores of conversations.
STORES: Final = ("tracker_store", "event_broker", "lock_store", "timer_store")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def simulator(config: Config) -> AsyncIterator[str]:
    """Run a simulator until the end of the block, and yield its address."""
    runner = web.AppRunner(create_app(config), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.host, config.port).start()
        yield f"http://{config.host}:{runner.addresses[0][1]}"
    except OSError as error:
        raise SimulatorError(f"cannot listen on port {config.port}: {error}") from error
    finally:
        await runner.cleanup()


class Rasa:
    """
    ``rasa run`` in *folder*, connected to a simulator.

    Its stores and its log are in a temporary folder. Where Rasa does not start within *patience*
    seconds, the error has the last lines of the log. *endpoints*, if given, are used unchanged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        python: str = sys.executable,
        args: Sequence[str] = (),
        endpoints: Path | None = None,
        patience: float = START,
    ) -> None:
        self._endpoints = endpoints
        self._patience = patience
        self.webhook = f"http://127.0.0.1:{port}{WEBHOOK}"
        self._folder = folder
        self._port = port
        self._python = python
        self._args = args
        self._child: subprocess.Popen[bytes] | None = None
        self._own = tempfile.TemporaryDirectory(prefix="whatsapp-bot-")

    async def start(self, config: Config, base_url: str) -> None:
        """Start Rasa and wait until it has loaded its model. Raises `SimulatorError`."""
        self._child = self._run(config, base_url)
        await self._wait_until_ready()

    def _run(self, config: Config, base_url: str) -> subprocess.Popen[bytes]:
        own = Path(self._own.name)
        mantle = is_mantle(self._folder)
        name = INTEGRATIONS if mantle else CREDENTIALS
        make = own_integrations if mantle else own_credentials
        text = make(
            credentials_block(config, base_url),
            _text_of(self._folder / name),
            store=f"sqlite:///{own / 'whatsapp.db'}",
            media_store=str(own / "media"),
        )
        (own / name).write_text(text, encoding="utf-8")
        folder, files = self._folder, ["--credentials", str(own / name)]
        if mantle:
            # Rasa before 3.22 takes no other integrations.yml than that of the folder.
            folder, files = link_folder(self._folder, own / "bot", own / name), []
        else:
            endpoints = self._endpoints or own / "endpoints.yml"
            if self._endpoints is None:
                written = own_endpoints(_text_of(self._folder / "endpoints.yml"))
                endpoints.write_text(written, encoding="utf-8")
            files += ["--endpoints", str(endpoints.resolve())]
        with (own / "rasa.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603  # the user's own Rasa
                [
                    *(self._python, "-m", "rasa", "run", "--interface", "127.0.0.1"),
                    *("--port", str(self._port), *files, *self._args),
                ],
                cwd=folder,
                env={"RASA_TELEMETRY_ENABLED": "false", **os.environ, "SANIC_WORKERS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            for how, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, GRACE)):
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, how)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(patience)
                    break
        with suppress(OSError):
            self._own.cleanup()

    def log(self) -> str:
        path = Path(self._own.name) / "rasa.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    async def _wait_until_ready(self) -> None:
        end = monotonic() + self._patience
        url = self.webhook.rpartition("/")[0] + "/"
        async with aiohttp.ClientSession() as session:
            while monotonic() < end:
                if self._child is None or self._child.poll() is not None:
                    raise self._failure("ended before it was ready")
                with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise self._failure(f"did not answer at {url} within {self._patience:.0f} seconds")

    def _failure(self, what: str) -> SimulatorError:
        lines = self.log().splitlines()[-LAST_LINES:]
        return SimulatorError(
            "\n".join((f"Rasa in {self._folder} {what}. Its last lines:", *lines))
        )


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(f"{path} cannot be read: {error}") from error


def own_credentials(block: str, theirs: str, *, store: str, media_store: str) -> str:
    """
    Return credentials.yml: a simulator's *block* with the keys of *theirs* that connect nothing.

    Raises `SimulatorError` where that cannot be read.
    """
    theirs_read = _read(theirs, CREDENTIALS)
    return _write(_own_channel(block, theirs_read, store=store, media_store=media_store))


def own_integrations(block: str, theirs: str, *, store: str, media_store: str) -> str:
    """
    Return integrations.yml: *theirs* without `STORES`, and with no channel but a simulator's
    *block*, with the keys of *theirs* that connect nothing. Raises `SimulatorError` like
    `own_credentials`.
    """
    given = _read(theirs, INTEGRATIONS).get(CHANNELS)
    channels = given if isinstance(given, dict) else {}
    own = _own_channel(block, channels, store=store, media_store=media_store)
    rest = _without(theirs, (CHANNELS, *STORES), INTEGRATIONS)
    return f"{rest}\n{_write({CHANNELS: own})}"


def link_folder(folder: Path, copy: Path, integrations: Path) -> Path:
    """Make *copy*, with links to everything in *folder* but its integrations.yml; return it."""
    copy.mkdir()
    for path in folder.resolve().iterdir():
        if path.name != INTEGRATIONS:
            (copy / path.name).symlink_to(path)
    (copy / INTEGRATIONS).symlink_to(integrations)
    return copy


def _own_channel(
    block: str, channels: Mapping[str, Any], *, store: str, media_store: str
) -> Mapping[str, Any]:
    keys = _read(block, "the simulator's block")[CHANNEL]
    channel = channels.get(CHANNEL)
    given = channel if isinstance(channel, dict) else {}
    kept = {key: value for key, value in given.items() if key not in CONNECTIONS}
    if isinstance(handoff := kept.get("handoff"), dict):
        kept["handoff"] = {key: handoff[key] for key in handoff if key not in DESK}
    media = kept["media"] if isinstance(kept.get("media"), dict) else {}
    own = {"store": store, "media": {**media, "store": media_store}}
    return {CHANNEL: {**kept, **keys, **own}}


def own_endpoints(theirs: str) -> str:
    """Return endpoints.yml without `STORES`. Raises `SimulatorError` where it cannot be read."""
    return _without(theirs, STORES, "endpoints.yml")


def _without(text: str, keys: Collection[str], what: str) -> str:
    """Return *text* without the sections of *keys*; all else, such as quotes, stays as it is."""
    _read(text, what)
    lines = text.split("\n")
    starts = {key: part.line - 1 for key, part in parse(text, what).items()}
    ends = [*starts.values(), len(lines)][1:]
    for (key, start), end in zip(starts.items(), ends, strict=True):
        if key in keys:
            lines[start:end] = [""] * (end - start)
    return "\n".join(lines)


def _read(text: str, what: str) -> dict[str, Any]:
    try:
        read = plain_yaml("safe").load(text)
    except YAMLError as error:
        raise SimulatorError(f"{what} of the bot cannot be read: {error}") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise SimulatorError(f"{what} of the bot must hold keys, not {type(read).__name__}")
    return read


def _write(value: Mapping[str, Any]) -> str:
    yaml, stream = plain_yaml("safe"), StringIO()
    yaml.default_flow_style = False  # else ${VARIABLES} would get quotes, and stay as they are
    yaml.dump(value, stream)
    return stream.getvalue()
