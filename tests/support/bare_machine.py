"""A machine with nothing but Python and make, and terminals on it in which a test types."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.documents import ROOT

# What every Unix has, and the only thing besides Python that the README asks for.
PROGRAMS: Final = (
    *("sh", "cat", "chmod", "cksum", "cp", "dirname", "env", "head", "ls", "mkdir", "mv", "rm"),
    *("sleep", "tail", "touch", "tr", "uname", "grep", "sed", "make"),
)
# How this machine reaches a package index. Nobody's settings are in the way otherwise.
INDEX: Final = ("PIP_", "UV_", "SSL_", "REQUESTS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
MARK: Final = "=== it ended with"


class Machine:
    """
    An empty home, and a PATH with little in it.

    pip and uv may use the cache of the real machine, so that not everything is fetched each time.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        for program in PROGRAMS:
            found = shutil.which(program)
            assert found, f"this machine has no {program}"
            (programs / program).symlink_to(found)
        python = programs / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        python.write_text(f'#!/bin/sh\nexec "{_own_python()}" "$@"\n')
        python.chmod(0o755)
        (folder / "tmp").mkdir()
        self._env = {
            **{key: value for key, value in os.environ.items() if key.upper().startswith(INDEX)},
            "HOME": str(self.home),
            "PATH": str(programs),
            "TMPDIR": str(folder / "tmp"),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            "LANG": "C.UTF-8",
            "PIP_NO_COMPILE": "0",  # sic: it then compiles nothing, which saves a minute
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        own = Path.home() / ".config" / "pip" / "pip.conf"
        if own.exists():
            self._env.setdefault("PIP_CONFIG_FILE", str(own))

    def clone(self) -> Path:
        """Put what Git would take along of this tree into the home, as a clone does."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        clone = self.home / "rasa-whatsapp-channel"
        for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
            if (ROOT / name).is_file():
                (clone / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, clone / name)
        return clone

    def terminal(self, folder: Path, *typed: str) -> Terminal:
        """Open a terminal in *folder*, in which *typed* was typed already."""
        terminal = Terminal(folder, self._env)
        for command in typed:
            done = terminal.types(command)
            assert done.status == 0, f"{command}\n{done.output}"
        return terminal


def _own_python() -> str:
    """The Python that this environment was made with."""
    return str(getattr(sys, "_base_executable", sys.executable))


@dataclass(frozen=True)
class Done:
    status: int
    output: str


class Terminal:
    """A shell that keeps its folder and its variables from one command to the next."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )

    def types(self, command: str, *, answer: str = "", within: float = 300.0) -> Done:
        """Run *command* to its end; *answer* is what the person says when it asks."""
        assert self._shell.stdout is not None
        self._write(
            f"{{ {command}\n}} <<'ANSWER'\n{answer}\nANSWER\n"
            f"status=$?; echo; echo '{MARK}' $status\n"
        )
        lines: list[str] = []
        watch = threading.Timer(within, os.killpg, (self._shell.pid, signal.SIGKILL))
        watch.start()
        try:
            for line in self._shell.stdout:
                if line.startswith(MARK):
                    return Done(int(line.split()[-1]), "".join(lines))
                lines.append(line)
        finally:
            watch.cancel()
        raise AssertionError(f"{command}: did not end in {within:.0f} s\n{''.join(lines[-40:])}")

    def leaves_running(self, command: str, log: Path) -> None:
        """Run *command* as the last one: it goes on until `close`, and its output is in *log*."""
        self._write(f"exec {command} >'{log}' 2>&1 </dev/null\n")

    def ended(self) -> bool:
        return self._shell.poll() is not None

    def close(self) -> None:
        """End what runs here, as Ctrl-C does, or the shell itself where nothing runs."""
        with self._shell:  # closes the pipes
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._shell.pid, how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._shell.wait(timeout=30)
                    return

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, script: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(script)
        self._shell.stdin.flush()
