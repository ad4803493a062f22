"""axe-core, which finds what shuts people out of a page. It comes from npm, for tests only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.tools import find_tool

VERSION = "4.10.3"
FOLDER = Path(__file__).parents[1] / "browser" / "node_modules"
SCRIPT = FOLDER / "axe-core" / "axe.min.js"
HEAVY = ("serious", "critical")

CHECK = """
axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations.flatMap(
    ({id, impact, nodes}) => nodes.map(({target, failureSummary}) =>
        [impact, id, target.join(' '), failureSummary].join(' | '))))
"""


def axe_script() -> str:
    """Return axe-core's own script, fetched once. Skips the test where there is no npm."""
    if not SCRIPT.exists():
        _install()
    return SCRIPT.read_text(encoding="utf-8")


def _install() -> None:
    npm = find_tool("npm")
    if npm is None:
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core comes from npm, which CI must have")
        pytest.skip("axe-core comes from npm, which is not here")
    command = [npm, "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix="node_modules-") as folder:
        options = ["--ignore-scripts", "--prefix", folder]
        subprocess.run([*command, *options, f"axe-core@{VERSION}"], check=True, timeout=300)
        with contextlib.suppress(OSError):  # other tests, run beside these, were faster
            (Path(folder) / "node_modules").rename(FOLDER)
