"""`examples/demo.py` with stand-ins for Rasa and the simulator: programs that only listen."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.eventually import PATIENCE
from support.ports import free_port

ROOT = Path(__file__).parents[2]

SERVER = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
print("listening on", port, flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
RASA = """
import pathlib, sys
if sys.argv[1] == "train":
    pathlib.Path("models").mkdir(exist_ok=True)
    pathlib.Path("models/quickstart.tar.gz").touch()
    sys.exit()
"""
BROKEN = "raise SystemExit('credentials.yml: unknown key')\n"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A copy of the demo whose folder holds the stand-ins; `python -m` finds them first there."""
    shutil.copy(ROOT / "examples" / "demo.py", tmp_path)
    bot = tmp_path / "quickstart"
    shutil.copytree(
        ROOT / "examples" / "quickstart", bot, ignore=shutil.ignore_patterns("models", ".rasa")
    )
    for package, program in (("rasa", RASA + SERVER), ("rasa_whatsapp_channel", SERVER)):
        (bot / package).mkdir(parents=True)
        (bot / package / "__main__.py").write_text(program)
    for package in ("rasa", "rasa_whatsapp_channel"):
        (bot / package / "__init__.py").touch()  # else Python prefers the ones that are installed
    return bot


@pytest.fixture
def start(bot: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(bot.parent / "demo.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()  # it ends what it started
        process.communicate(timeout=PATIENCE)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(read)


def test_the_demo_names_its_page_and_ends_everything_on_ctrl_c(start: Start, bot: Path) -> None:
    page, rasa = free_port(), free_port()
    demo = start("--port", str(page), "--rasa-port", str(rasa))
    shown = read_until(demo, "Ctrl-C")

    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=PATIENCE)

    assert f"http://127.0.0.1:{page}" in shown
    assert rest == "\nEnding the demo …\n"
    assert demo.returncode == 0
    assert is_free(page)
    assert is_free(rasa)


def test_the_bot_speaks_to_the_port_that_was_chosen(start: Start, bot: Path) -> None:
    page = free_port()
    read_until(start("--port", str(page), "--rasa-port", str(free_port())), "Ctrl-C")

    credentials = (bot / ".rasa" / "demo-credentials.yml").read_text()

    assert f"base_url: http://127.0.0.1:{page}\n" in credentials


def test_a_trained_bot_is_not_trained_again_until_its_files_change(start: Start, bot: Path) -> None:
    def says_training() -> bool:
        demo = start("--port", str(free_port()), "--rasa-port", str(free_port()))
        shown = read_until(demo, "Ctrl-C")
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE)
        return "Training" in shown

    first, second = says_training(), says_training()
    os.utime(bot / "domain.yml")

    assert (first, second, says_training()) == (True, False, True)


def test_a_taken_port_is_one_line_that_says_how_to_choose_another(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        demo = start("--port", str(port), "--rasa-port", str(free_port()))
        shown, _ = demo.communicate(timeout=PATIENCE)

    assert shown.strip() == (f"Port {port} is taken. Choose another one: make demo PORT={port + 1}")
    assert demo.returncode == 1


def test_a_program_that_ends_shows_its_last_words(start: Start, bot: Path) -> None:
    (bot / "rasa" / "__main__.py").write_text(RASA + BROKEN)
    page = free_port()

    demo = start("--port", str(page), "--rasa-port", str(free_port()))
    shown, _ = demo.communicate(timeout=PATIENCE)

    assert "rasa has ended" in shown
    assert "credentials.yml: unknown key" in shown
    assert "Traceback" not in shown
    assert demo.returncode == 1
    assert is_free(page)
