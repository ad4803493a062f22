"""
Lines of the log as Rasa prints them: its own set-up and formatters, in a process of their own.

With Rasa 3.6 and Rasa Pro; how the lines are worded in the code is in tests/unit/test_log.py.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.log_calls import Call, log_calls
from support.processes import PROJECT, RASA_ENV

LOGGER = "rasa_whatsapp_channel.channel"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# A configuration as Rasa's documentation shows it: Rasa's lines go into a file, and only there.
CONFIG = """
version: 1
disable_existing_loggers: false
formatters:
  plain: {{format: "%(levelname)s %(name)s %(message)s"}}
handlers:
  file: {{class: logging.FileHandler, filename: {file}, formatter: plain}}
loggers:
  rasa: {{handlers: [file], propagate: false}}
"""


@pytest.fixture(autouse=True)
def _needs_rasa() -> None:
    pytest.importorskip("rasa", reason="no Rasa in this environment")


def line_of(call: Call) -> list[Any]:
    extra = dict.fromkeys(call.extra, "only beside the line")
    return [f"rasa_whatsapp_channel.{call.file}", call.level, call.words, call.samples(), extra]


def told(*args: str, lines: Sequence[list[Any]], **env: str) -> list[str]:
    """Return what a terminal shows of *lines*."""
    done = subprocess.run(
        [sys.executable, "-m", "support.rasa_log", *args],
        input="\n".join(map(json.dumps, lines)),
        env={
            **os.environ,
            **RASA_ENV,
            # Something in Rasa Pro would ask the internet for prices of models.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}",
            **env,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def one_each(level: str) -> list[list[Any]]:
    return [[LOGGER, each, f"whatsapp.{each.lower()}: %s", ["why"], {}] for each in LEVELS]


def ours(shown: Sequence[str]) -> list[str]:
    return [line for line in shown if " - whatsapp." in line or line.startswith("whatsapp.")]


def test_every_line_of_the_package_is_printed_once_with_its_event_and_all_its_facts():
    calls = log_calls()

    shown = told("DEBUG", lines=[line_of(call) for call in calls])

    printed = [line for line in shown if "rasa_whatsapp_channel." in line and " - " in line]
    assert len(printed) == len(calls)
    for call, line in zip(calls, printed, strict=True):
        assert call.level in line
        assert f" - {call.event}" in line
        assert all(str(fact) in line for fact in call.samples()), line
        assert "only beside the line" not in line


@pytest.mark.parametrize("level", LEVELS)
def test_from_rasas_own_level_on_our_lines_are_printed_although_the_root_was_set_higher(level):
    shown = told(level, lines=one_each(level))

    said = [word for line in ours(shown) for word in line.split() if word.startswith("whatsapp.")]
    assert said == [f"whatsapp.{each.lower()}:" for each in LEVELS[LEVELS.index(level) :]]
    assert any("rasa here" in line for line in shown) is (level in ("DEBUG", "INFO"))


def test_our_lines_go_where_a_configuration_sends_rasas(tmp_path):
    file, config = tmp_path / "rasa.log", tmp_path / "logging.yml"
    config.write_text(CONFIG.format(file=file), encoding="utf-8")

    shown = told("INFO", str(config), lines=one_each("INFO"))

    assert file.read_text(encoding="utf-8").splitlines() == [
        "INFO rasa.core.processor rasa here",
        *(f"{each} {LOGGER} whatsapp.{each.lower()}: why" for each in LEVELS[1:]),
    ]
    assert ours(shown) == []


def test_a_level_that_a_configuration_gives_our_lines_stays(tmp_path):
    config = tmp_path / "logging.yml"
    levels = "loggers:\n  rasa_whatsapp_channel: {level: WARNING}\n"
    config.write_text(f"version: 1\ndisable_existing_loggers: false\n{levels}", encoding="utf-8")

    shown = told("DEBUG", str(config), lines=one_each("DEBUG"))

    assert [line.rpartition(" - ")[2] for line in ours(shown)] == [
        "whatsapp.warning: why",
        "whatsapp.error: why",
    ]


# the channel's first line


@pytest.fixture
def rasas_level() -> Iterator[None]:
    """Leave Rasa's logger, ours and the root as after the start of a model with scikit-learn."""
    loggers = [logging.getLogger(name) for name in ("rasa", "rasa_whatsapp_channel", None)]
    before = [each.level for each in loggers]
    for each, level in zip(loggers, (logging.INFO, logging.NOTSET, logging.WARNING), strict=True):
        each.setLevel(level)
    yield
    for each, level in zip(loggers, before, strict=True):
        each.setLevel(level)


async def echo(message: Any) -> None:
    await message.output_channel.send_text_message(message.sender_id, message.text)


@pytest.mark.usefixtures("rasas_level")
async def test_a_channel_says_what_it_has_begun_to_work_with(serve, platform, caplog, tmp_path):
    async with serve(echo):
        pass

    (line,) = [each for each in caplog.messages if each.startswith("whatsapp.started")]
    assert line.rpartition(", ")[0] == (
        f"whatsapp.started: cloud, number 106540352242922, {platform[1]}/v26.0, "
        f"store sqlite:///{tmp_path / 'whatsapp.db'}, "
        "webhook /webhooks/whatsapp/webhook (checked: signature by app_secret)"
    )
    assert line.rpartition(", ")[2].startswith("rasa-whatsapp-channel ")


@pytest.mark.usefixtures("rasas_level")
async def test_while_rasa_has_no_model_the_log_says_that_nobody_is_answered(serve, caplog):
    class Empty:
        def __init__(self, bot: Any) -> None: ...

        processor = None  # Rasa Pro's inspector looks at it

        def is_ready(self) -> bool:
            return False

    async with serve(echo, agent=Empty):
        pass

    assert [line.split(":")[0] for line in caplog.messages] == [
        "whatsapp.started",
        "whatsapp.no_model",
    ]


async def test_a_store_that_fails_outside_of_a_turn_is_named_with_the_response(serve, caplog):
    async with serve(echo) as running:
        output = running.channel.get_output_channel()
    caplog.clear()

    await output.send_response("4915112345678", {"utter_action": "utter_reminder", "text": "Hi"})
    await output.send_text_message("4915112345678", "Your table is ready")

    lost = "it could not be kept: the WhatsApp channel is not running in this process"
    assert caplog.messages == [
        f"whatsapp.lost: utter_reminder: {lost}",
        f"whatsapp.lost: a response that no turn asked for: {lost}",
    ]
