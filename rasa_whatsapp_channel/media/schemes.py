"""
Where files may come from, told by the beginning of their address. Decides only.

A scheme is only recognised here; what is read of an object store is up to `access`.
"""

from __future__ import annotations

import re
from typing import Final

from rasa_whatsapp_channel.settings.kinds import OBJECT_STORES

LINKS: Final = frozenset({"http", "https"})
READ: Final = OBJECT_STORES | {"data"}

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


def short(url: str) -> str:
    """Return *url* for a log: content and credentials are not for it."""
    if scheme_of(url) == "data":
        return url[: min(len(url), 40)].partition(",")[0] + ",…"
    return re.sub(r"//[^/@]*@", "//", url)
