"""Files that are never sent, whatever the settings say: secrets and insides of a bot. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

HEAD: Final = 16  # bytes of a file that `is_database` looks at

_YAML: Final = re.compile(r"\.ya?ml$")
_DATABASE: Final = re.compile(r"\.(db|db3|sqlite|sqlite3|rdb|aof)(-wal|-shm|-journal)?$")
_MODEL: Final = re.compile(r"\.(tar\.gz|tgz)$")

# https://www.sqlite.org/fileformat2.html#the_database_header and #walformat
_DATABASES: Final = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


def why_never(parts: Sequence[str]) -> str | None:
    """Return why a file is never sent whose path has these *parts*; None: it may be."""
    # Windows finds "credentials.yml" also as "credentials.yml. "
    name = parts[-1].rstrip(". ").lower() if parts else ""
    if any(part.startswith(".") for part in parts if part not in (".", "..")):
        return "a hidden file is never sent"
    if _YAML.search(name):
        return "YAML is never sent, since the bot's credentials are YAML"
    if _DATABASE.search(name):
        return "a database is never sent"
    if _MODEL.search(name):
        return "a model is never sent"
    return None


def is_database(head: bytes) -> bool:
    """Tell from its first `HEAD` bytes whether a file is a database, whatever its name."""
    return head.startswith(_DATABASES)
