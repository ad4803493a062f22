"""
Programs that tests need and somebody else installs.

That one lies on the PATH does not say that it runs: version managers put a small script there for
every program of every version they hold, which refuses where that version is not the chosen one.
So each candidate is asked for its version, and the next one is taken where it does not answer.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

PATIENCE = 60.0  # seconds; a browser takes its time on a machine with much else to do


def find_tool(
    *names: str,
    beside: Iterable[Path] = (),
    asked: Sequence[str] = ("--version",),
    path: str | None = None,
) -> str | None:
    """
    Return the first program of one of *names* that runs: on *path*, then among *beside*.

    *asked* is what a program must answer with success; *path* is the PATH unless it is given.
    """
    candidates = [*_on_path(names, os.environ.get("PATH", "") if path is None else path), *beside]
    return next((str(program) for program in candidates if runs(str(program), *asked)), None)


def runs(*command: str) -> bool:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _on_path(names: Sequence[str], path: str) -> Iterator[Path]:
    for name in names:
        for folder in filter(None, path.split(os.pathsep)):
            yield Path(folder) / name
