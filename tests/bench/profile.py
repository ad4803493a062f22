"""Where a server's time goes while it is under load, as a flame graph of py-spy."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def recording(pid: int, file: Path) -> AsyncIterator[None]:
    """Write what the process *pid* did meanwhile into *file* (.svg). Waiting is left out."""
    program = Path(sys.executable).with_name("py-spy")
    found = str(program) if program.exists() else shutil.which("py-spy")
    if found is None:
        raise RuntimeError("py-spy is not installed: run `make setup`")
    options = ["--gil", "--nonblocking", "--rate", "200"]
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
