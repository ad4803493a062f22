"""A file of JSON lines that several processes write and any may read, also while one is killed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Journal:
    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, **line: Any) -> None:
        # One write of a file opened for appending: a line is there as a whole or not at all.
        text = json.dumps({"at": time.monotonic(), **line}) + "\n"
        file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)

    def read(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]
