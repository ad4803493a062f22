"""Where a process' time goes while it works, sampled by py-spy."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.areas import shares
from support.tools import find_tool


@dataclass(frozen=True)
class Profile:
    """*cost* is the processor time of one turn, in ms; *shares* tell by area where it went."""

    what: str
    cost: float
    shares: Mapping[str, float]

    @classmethod
    def read(cls, what: str, cost: float, file: Path) -> Profile:
        return cls(what, cost, shares(file.read_text().splitlines()))


@asynccontextmanager
async def recording(pid: int, file: Path) -> AsyncIterator[None]:
    """
    Write the stacks of the process *pid* meanwhile into *file*, folded. Waiting is left out.

    https://www.speedscope.app draws such a file.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = find_tool("py-spy", path=path)
    if found is None:
        raise RuntimeError("py-spy is not installed: run `make setup`")
    options = ["--gil", "--nonblocking", "--rate", "200", "--format", "raw"]
    recorder = await asyncio.create_subprocess_exec(
        *(found, "record", "--pid", str(pid), "--output", str(file), *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield
    finally:
        if recorder.returncode is None:
            recorder.send_signal(signal.SIGINT)
        _, words = await recorder.communicate()
    if not file.exists():
        raise RuntimeError(f"py-spy wrote nothing: {words.decode(errors='replace')[-500:]}")
