"""
Run the quickstart bot and the simulator together: `make demo`.

The bot is trained when there is no model newer than its files. Ctrl-C ends everything. What the
programs print goes to examples/quickstart/.rasa/demo-*.log; it is shown when one of them ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BOT = Path(__file__).resolve().parent / "quickstart"
LOGS = BOT / ".rasa"
HOST = "127.0.0.1"

START = 180.0  # seconds a program may take until it answers
GRACE = 10.0  # seconds a program may take to end by itself
LAST_LINES = 15

ENVIRONMENT = {
    **os.environ,
    "PYTHONUNBUFFERED": "1",
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True)
class Program:
    """A child process in a group of its own, so that Ctrl-C reaches only this script."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, name: str, *arguments: str) -> Program:
        LOGS.mkdir(exist_ok=True)
        log = LOGS / f"demo-{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=BOT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, log, process)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def failure(self, what: str) -> DemoError:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return DemoError("\n".join((f"{self.name} {what}. Its last lines ({self.log}):", *lines)))

    def stop(self) -> None:
        self._kill(signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._kill(signal.SIGKILL)
            self.process.wait()

    def _kill(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self.process.pid, number)


def main() -> int:
    arguments = parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    running: list[Program] = []
    try:
        check_ports(arguments.port, arguments.rasa_port)
        demo(arguments.port, arguments.rasa_port, running)
    except KeyboardInterrupt:
        say("\nEnding the demo …")
        return 0
    except DemoError as error:
        say(f"\n{error}")
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C finds us tidying up already
        for program in reversed(running):
            program.stop()
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Run the quickstart bot and the simulator together."
    )
    parser.add_argument("--port", type=int, default=8400, help="of the simulator's page")
    parser.add_argument("--rasa-port", type=int, default=5005, help="of Rasa")
    return parser


def check_ports(port: int, rasa_port: int) -> None:
    for number, variable in ((port, "PORT"), (rasa_port, "RASA_PORT")):
        if is_taken(number):
            raise DemoError(
                f"Port {number} is taken. Choose another one: make demo {variable}={number + 1}"
            )


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def demo(port: int, rasa_port: int, running: list[Program]) -> None:
    """Start everything, and return only by an exception: Ctrl-C, or a program that ended."""
    page, rasa = f"http://{HOST}:{port}", f"http://{HOST}:{rasa_port}"
    if needs_training():
        train(running)
    say("Starting the simulator and Rasa (half a minute) …")
    webhook = f"{rasa}/webhooks/whatsapp/webhook"
    running.append(
        Program.start(
            "simulator",
            *("rasa_whatsapp_channel", "simulate"),
            *("--port", str(port), "--webhook", webhook, "--rasa", rasa),
        )
    )
    running.append(
        Program.start(
            "rasa",
            *("rasa", "run", "--enable-api", "--interface", HOST, "--port", str(rasa_port)),
            *("--credentials", str(credentials(port))),
        )
    )
    wait_for(f"{page}/simulator/state", running)
    wait_for(f"{rasa}/webhooks/whatsapp/", running)
    say(f'\nOpen {page} and write "hi".   Ctrl-C ends the demo.')
    while True:
        check(running)
        time.sleep(0.5)


def needs_training() -> bool:
    models = [path.stat().st_mtime for path in BOT.glob("models/*.tar.gz")]
    sources = [BOT / "config.yml", BOT / "domain.yml", *BOT.glob("data/*.yml")]
    return not models or max(models) < max(path.stat().st_mtime for path in sources)


def train(running: list[Program]) -> None:
    say("Training the bot (half a minute) …")
    training = Program.start("training", "rasa", "train", "--fixed-model-name", "quickstart")
    running.append(training)
    if training.process.wait() != 0:
        raise training.failure("failed")
    running.remove(training)


def credentials(port: int) -> Path:
    """The quickstart's credentials, for a simulator on *port*."""
    text = (BOT / "credentials.yml").read_text()
    path = LOGS / "demo-credentials.yml"
    path.write_text(text.replace(f"{HOST}:8400", f"{HOST}:{port}"))
    return path


def wait_for(url: str, running: Iterable[Program]) -> None:
    end = time.monotonic() + START
    while not answers(url):
        check(running)
        if time.monotonic() > end:
            raise DemoError(f"{url} does not answer after {START:.0f} s. See {LOGS}/demo-*.log")
        time.sleep(0.3)


def answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy
    try:
        with opener.open(url, timeout=5):
            return True
    except OSError:  # refused, timed out, or an error status
        return False


def check(running: Iterable[Program]) -> None:
    for program in running:
        if program.ended:
            raise program.failure("has ended")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
