"""How long one waits: for the command line, and for a server that has the channel."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.bench import Bench
from bench.goals import Row, at_most_added
from support.domains import thousand_responses

HELP: Final = [str(Path(sys.executable).with_name("rasa-whatsapp")), "--help"]
LINT: Final = [str(Path(sys.executable).with_name("rasa-whatsapp")), "lint"]
PASS: Final = [sys.executable, "-c", "pass"]


async def rows(bench: Bench) -> AsyncIterator[Row]:
    rounds = 2 if bench.size.quick else 15

    async def command(args: list[str]) -> dict[str, float]:
        begin = time.perf_counter()
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
        return {"ms": 1000 * (time.perf_counter() - begin)}

    commands = {"help": lambda: command(HELP), "pass": lambda: command(PASS)}
    found = await bench.alternate("command line", commands, rounds=rounds)
    yield Row(
        "rasa-whatsapp --help",
        found["help"]["ms"],
        "python -c pass",
        found["pass"]["ms"],
        "ms",
        at_most_added(150),
    )

    yield await linting(bench, rounds)

    credentials = bench.credentials("sqlite:///start.db")

    async def server(pipeline: str, path: str, **options: object) -> dict[str, float]:
        begin = time.perf_counter()
        started = bench.pipelines.launch("start", pipeline, **options)
        await bench.pipelines.ready(started, path)
        took = 1000 * (time.perf_counter() - begin)
        bench.pipelines.kill(started)
        return {"ms": took}

    found = await bench.alternate(
        "start of a server",
        {
            "channel": lambda: server("channel", "/webhooks/whatsapp/", credentials=credentials),
            "rest": lambda: server("rest", "/webhooks/rest/"),
        },
        rounds=rounds,
    )
    yield Row(
        "start of a server with the channel",
        found["channel"]["ms"],
        "with Rasa's REST channel",
        found["rest"]["ms"],
        "ms",
        at_most_added(500),
        "Rasa is imported already, no bot",
    )


async def linting(bench: Bench, rounds: int) -> Row:
    """In processor time: of the whole command, less that of the command with one response."""
    file = bench.folder / "domain.yml"
    file.write_text(thousand_responses(), encoding="utf-8")
    small = bench.folder / "small.yml"
    small.write_text('responses:\n  utter_x:\n  - text: "Hello"\n', encoding="utf-8")

    async def lint(path: Path) -> dict[str, float]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*LINT, str(path)], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"ms": 1000 * spent}

    commands = {"many": lambda: lint(file), "one": lambda: lint(small)}
    found = await bench.alternate("lint", commands, rounds=min(rounds, 5))
    return Row(
        "rasa-whatsapp lint, 1,000 responses",
        found["many"]["ms"],
        "one response",
        found["one"]["ms"],
        "ms",
        at_most_added(1000),
    )
