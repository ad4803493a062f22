"""`rasa-whatsapp` itself: its versions, commands that do not exist, colours, completion."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.distribution import installed_version

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rasa_whatsapp_channel", *words],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_versions_are_those_a_report_of_a_fault_needs():
    told = run("--version").stdout

    rasa, pro = installed_version("rasa"), installed_version("rasa-pro")
    named = f"Rasa {rasa}" if rasa else f"Rasa Pro {pro}" if pro else "no Rasa"
    own = installed_version()
    assert told == f"rasa-whatsapp {own}, {named}, Python {platform.python_version()}\n"


def test_a_command_that_does_not_exist_is_answered_with_the_one_that_is_meant():
    told = CliRunner().invoke(main, ["simulte", "--port", "1"])

    assert told.exit_code == 2
    assert "No such command 'simulte'; did you mean simulate?" in told.stderr


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_go_out_with_no_color(no_color, coloured, tmp_path):
    shutil.copy(QUICKSTART / "domain.yml", tmp_path)
    words = ["preview", str(tmp_path), "utter_greet", "--format", "drawing"]

    told = CliRunner(env={"NO_COLOR": no_color}).invoke(main, words, color=True)

    assert told.exit_code == 0
    assert ("\x1b[" in told.stdout) is coloured


def test_a_shell_completes_the_words():
    asked = {"_RASA_WHATSAPP_COMPLETE": "bash_complete", "COMP_CWORD": "1"}

    told = run(**asked, COMP_WORDS="rasa-whatsapp sim").stdout

    assert told.split() == ["plain,simulate"]
