"""Processes that use a store's file, as tests/integration/store/processes.py says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import rasa_whatsapp_channel

SCRIPT = Path(__file__).parents[1] / "integration" / "store" / "processes.py"
PACKAGE = Path(rasa_whatsapp_channel.__file__).parents[1]


class Processes:
    """Starts `processes.py`; what they print is in files, so that no pipe fills up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(self, *arguments: object) -> int:
        number = len(self._running)
        output = self._folder / f"process-{number}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, SCRIPT, *map(str, arguments)],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            )
        self._running.append((process, output))
        return number

    def lines(self, number: int) -> list[str]:
        return self._running[number][1].read_text().splitlines()

    def join(self, number: int) -> list[str]:
        assert self._running[number][0].wait(60) == 0, self.lines(number)
        return self.lines(number)

    def kill(self, number: int) -> None:
        self._running[number][0].kill()
        self._running[number][0].wait()

    def kill_all(self) -> None:
        for number in range(len(self._running)):
            self.kill(number)
