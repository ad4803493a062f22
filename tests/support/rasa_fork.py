"""
Rasa's commands as processes of their own, without the seconds that importing Rasa takes.

One process imports Rasa, and each command is a fork of it that calls Rasa's own `main`. What people
type, a Python that begins with nothing, runs in `test_new_user.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

IMPORTED: Final = (
    *("rasa.__main__", "rasa.core.run", "rasa.core.agent", "rasa.model_training"),
    "rasa.engine.recipes.default_components",
)
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*IMPORTED])


class RasaFork:
    """
    `rasa *args*` in *folder*, in a process group of its own; its output is added to *log*.

    It has of `subprocess.Popen` what tests use.
    """

    def __init__(
        self, args: Sequence[str], folder: Path, env: Mapping[str, str], log: Path
    ) -> None:
        given = (args, folder, dict(env), log)
        self._process = _forks.Process(target=_main, args=given, daemon=True)  # ends with the tests
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("rasa", timeout)
        return self.returncode

    def send_signal(self, how: signal.Signals) -> None:
        os.kill(self.pid, how)


def _main(args: Sequence[str], folder: Path, env: Mapping[str, str], log: Path) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:0] = ["", *env.get("PYTHONPATH", "").split(os.pathsep)]
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    from rasa.__main__ import main

    sys.argv = ["rasa", *args]
    main()
