"""Content: what a file holds, read once while the file stays as it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.whatsapp import mime

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Content:
    """The first bytes of a file, and the size and the hash of all of them."""

    head: bytes
    size: int
    digest: str


def read_content(path: Path) -> Content:
    """Return what the file at *path* holds. Raises `OSError`."""
    stat = path.stat()
    return _read(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=512)
def _read(path: Path, size: int, modified: int, number: int) -> Content:
    """Read a file once while the three stay, which are there for the cache only."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        digest.update(head)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Content(head, size, digest.hexdigest())
