"""The bench keeps its promise: it ends with status 0, and prints its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support.processes import PROJECT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts memory as Unix does")


pytest.importorskip("uvloop", reason="the bench runs beside a Rasa, which brings it")


def test_a_large_document_goes_out_and_in_with_little_memory(tmp_path):
    figures = tmp_path / "figures.json"
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "media", "--check", "--json", str(figures)],
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    up, down = json.loads(figures.read_text())["rows"]
    assert (up["what"], up["verdict"]) == ("memory for uploading 100 MB", "reached")
    assert (down["what"], down["verdict"]) == ("memory for downloading 100 MB", "reached")
