"""The bench keeps its promise: it ends with status 0, and prints its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "media_memory.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts memory as Unix does")


def test_a_large_document_goes_out_and_in_with_little_memory():
    ended = subprocess.run(
        [sys.executable, str(BENCH)], capture_output=True, text=True, timeout=300
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "100 MB out and in" in ended.stdout
