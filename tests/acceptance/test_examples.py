"""The tests that the quickstart brings, run as its readers would run them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from support.bot import QUICKSTART
from support.processes import PROJECT, RASA_ENV

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENV = {**os.environ, **RASA_ENV, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"}


async def run(*args: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", *args],
        cwd=QUICKSTART,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=240,
    )


async def test_the_tests_in_python_start_the_bot_and_pass(worlds):
    world = worlds["cloud"]
    # The bot that was trained for these tests knows all that the quickstart knows.
    done = await run(
        *("pytest", "tests", "-q", "-p", "no:cacheprovider", "-W", "ignore"),
        *("--whatsapp-bot", str(world.folder), "--whatsapp-model", str(world.folder / "models")),
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "3 passed" in done.stdout


async def test_the_transcript_is_played_at_a_simulator_that_runs(worlds):
    world = worlds["cloud"]  # on-premises an upload has no name, which this transcript asks for
    done = await run(
        *("rasa_whatsapp_channel", "test", "tests"),
        *("--simulator", world.simulator.url, "--timeout", "30"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 played, 0 failed" in done.stdout
