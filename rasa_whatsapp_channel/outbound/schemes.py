"""
Where files may come from, told by the beginning of their address. Decides only.

The stores are a list, because the end of an address may come from a slot, and so from a person.
"""

from __future__ import annotations

import re
from typing import Final

LINKS: Final = frozenset({"http", "https"})
STORES: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "hdfs", "webhdfs"}
)
READ: Final = STORES | {"data"}

# two letters at least: "C:" is a drive
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def scheme_of(path: str) -> str:
    """Return the scheme of *path* in lower case, empty for the path of a file."""
    found = _SCHEME.match(path)
    return found[1].lower() if found else ""


def type_of_data(url: str) -> str:
    """Return the MIME type that a ``data:`` URL says."""
    # https://www.rfc-editor.org/rfc/rfc2397
    return re.split(r"[;,]", url[len("data:") :], maxsplit=1)[0] or "text/plain"
