"""`rasa-whatsapp simulate` as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from support.eventually import PATIENCE

PROJECT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "rasa_whatsapp_channel")
ENV = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}


def run(*args):
    return subprocess.run(
        [*COMMAND, *args], capture_output=True, text=True, timeout=60, env=ENV, check=False
    )


def start(*args):
    return subprocess.Popen(
        [*COMMAND, "simulate", "--port", "0", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
    )


def read_greeting(process):
    """Return everything the simulator says when it has started."""
    lines = []
    while not lines or "Ctrl-C" not in lines[-1]:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        lines.append(line)
    return "".join(lines)


def attempts(page):
    with urllib.request.urlopen(f"{page}simulator/webhooks", timeout=60) as answer:
        return len(json.load(answer))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_the_page_is_and_stops_without_a_word(how):
    with start() as process:
        greeting = read_greeting(process)
        page = greeting.splitlines()[0].partition(": ")[2]
        with urllib.request.urlopen(f"{page}simulator/state", timeout=60) as answer:
            assert json.load(answer)["api"] == "cloud"

        process.send_signal(how)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (0, "", "")


BLOCKS = {
    "cloud": """\
  api: "cloud"
  base_url: "BASE"
  phone_number_id: "106540352242922"
  access_token: "simulator-token"
  app_secret: "simulator-secret"
  verify_token: "simulator"
""",
    "on_premises": """\
  api: "on_premises"
  base_url: "BASE"
  username: "simulator"
  password: "simulator-password"
  webhook_token: "simulator"
""",
    "turn": """\
  api: "turn"
  base_url: "BASE"
  access_token: "simulator-token"
  webhook_secret: "simulator-secret"
""",
    "360dialog": """\
  api: "360dialog"
  base_url: "BASE"
  access_token: "simulator-token"
  webhook_secret: "simulator-secret"
""",
}


@pytest.mark.parametrize("api", BLOCKS)
def test_it_prints_the_block_to_paste(api):
    with start("--api", api) as process:
        greeting = read_greeting(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    page = greeting.splitlines()[0].partition(": ")[2].rstrip("/")
    block = BLOCKS[api].replace("BASE", page)
    assert f"rasa_whatsapp_channel.WhatsAppInput:\n{block}" in greeting


def test_it_says_once_that_the_bot_is_not_there():
    with start("--webhook", "http://127.0.0.1:1/webhook") as process:
        page = read_greeting(process).splitlines()[0].partition(": ")[2]
        message = json.dumps({"type": "text", "text": {"body": "hi"}}).encode()
        request = urllib.request.Request(
            f"{page}simulator/people/4915112345678/messages", message, method="POST"
        )
        urllib.request.urlopen(request, timeout=60).close()
        told = process.stderr.readline()
        end = time.monotonic() + PATIENCE
        while attempts(page) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, more = process.communicate(timeout=60)

    assert told.startswith("webhook not accepted: ")
    assert more == ""


def test_a_taken_port_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("simulate", "--port", str(port))

    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")
    assert "--port" in line


def test_half_of_a_proof_is_one_line():
    ended = run("simulate", "--api", "360dialog", "--webhook-username", "wa")
    assert ended.returncode == 1
    assert ended.stderr == "Error: user name and password of the webhook go together\n"


def test_help_names_every_command_without_loading_one():
    code = (
        "import sys; from rasa_whatsapp_channel.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('loaded', [name for name in sys.modules if 'aiohttp' in name or 'simul' in name])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENV, check=True
    )
    assert "simulate" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "loaded []"


def test_the_version_and_the_options_are_told():
    assert run("--version").stdout.startswith("rasa-whatsapp ")
    assert "--webhook" in run("simulate", "--help").stdout
    unknown = run("simulat")
    assert unknown.returncode == 2
    assert "simulat" in unknown.stderr


def test_options_add_numbers_templates_a_state_and_rasa(tmp_path):
    (tmp_path / "a.yml").write_text(
        "{name: mine, language: de, components: [{type: BODY, text: Hallo}]}"
    )
    state = tmp_path / "chats.db"
    options = ("--templates", str(tmp_path), "--state", str(state), "--no-limits", "--no-window")
    more = ("--number", "2:15550001111:Sales", "--rasa", "http://127.0.0.1:9", "--token-hours", "2")
    with start(*options, *more) as process:
        page = read_greeting(process).splitlines()[0].partition(": ")[2]
        with urllib.request.urlopen(f"{page}simulator/state", timeout=60) as answer:
            shown = json.load(answer)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert [number["name"] for number in shown["numbers"]] == ["Your bot", "Sales"]
    assert "mine" in [template["name"] for template in shown["templates"]]
    assert shown["rasa"] is True
    assert state.read_bytes().startswith(b"SQLite format 3")


def test_a_broken_template_is_said_at_the_start(tmp_path):
    (tmp_path / "broken.yml").write_text("name: [")

    result = run("simulate", "--port", "0", "--templates", str(tmp_path))

    assert result.returncode == 1
    assert "broken.yml" in result.stderr
    assert "Traceback" not in result.stderr


def test_rough_weather_is_said_with_its_seed():
    with start("--weather", "rough", "--seed", "7", "--no-lasting") as process:
        greeting = read_greeting(process)
        page = greeting.splitlines()[0].partition(": ")[2]
        with urllib.request.urlopen(f"{page}simulator/weather", timeout=60) as answer:
            weather = json.load(answer)

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert "Rough weather:        seed 7" in greeting.splitlines()
    assert weather == {"weather": "rough", "seed": 7, "lasting": False, "faults": []}
