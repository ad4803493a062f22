"""
File access: which paths and addresses may be read and sent. Decides only.

All of a path or address may come from a slot, and so from a person. So a file is sent only if the
settings name a place that contains it; secrets, hidden files and databases are never sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from rasa_whatsapp_channel.settings import MediaSettings
from rasa_whatsapp_channel.settings.parsers import OBJECT_STORES
from rasa_whatsapp_channel.whatsapp.errors import MediaError

HEAD: Final = 16  # bytes of a file that `is_database` looks at
_YAML: Final = re.compile(r"\.ya?ml$")
_DATABASE: Final = re.compile(r"\.(db|db3|sqlite|sqlite3|rdb|aof)(-wal|-shm|-journal)?$")
_MODEL: Final = re.compile(r"\.(tar\.gz|tgz)$")
# https://www.sqlite.org/fileformat2.html#the_database_header and #walformat
_DATABASES: Final = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
LINKS: Final = frozenset({"http", "https"})
READ: Final = OBJECT_STORES | {"data"}
# two letters at least: "C:" is a drive
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
# How incoming files are kept in `media.store`: by day.
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
# "::" chains file systems of fsspec, a query sets options of some.
_MEANS_MORE: Final = re.compile(r"::|://|[?#\\\x00-\x1f\x7f]")
_DECODINGS: Final = 5  # what is encoded more often is not meant to be read


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


@dataclass(frozen=True)
class FileAccess:
    """
    What the settings allow: *folders* and *sources* with all that lies below, *store* with what
    people sent. Relative folders begin in the bot's folder; *sources* end with a slash.

    Beside the days of *store* there may be anything else, the bot itself even.
    """

    folders: tuple[str, ...] = MediaSettings.folders
    sources: tuple[str, ...] = ()
    store: str = MediaSettings.store

    @classmethod
    def of(cls, media: MediaSettings) -> FileAccess:
        return cls(media.folders, media.sources, media.store)

    def is_in_folders(self, path: str) -> bool:
        """Return whether *path*, as it is written, lies below one of *folders*; reads no disk."""
        written = PurePosixPath(path)
        if ".." in written.parts or scheme_of(path) or _MEANS_MORE.search(path):
            return False
        if written.is_relative_to(self.store):
            return False
        above = [folder for folder in self.folders if written.is_relative_to(folder)]
        below = [written.relative_to(folder).parts for folder in above]
        return any(parts and why_never(parts) is None for parts in below)

    def find_below(self, top: Path, found: Path) -> tuple[str, ...] | None:
        """Return the parts of *found* below the nearest folder it may be sent from, if any."""
        places = [_below(top / folder, found) for folder in self.folders]
        if "://" not in self.store:
            kept = _below(top / self.store, found)
            places.append(kept if kept and _is_kept(kept) else None)
        return min((parts for parts in places if parts is not None), key=len, default=None)

    def address_of(self, url: str) -> str:
        """
        Return the address in an object store at *url*, as it can be opened.

        Raises `MediaError` where it may not be read, or is written so that a store might take it
        for another place.
        """
        scheme, _, rest = url.partition("://")
        address = f"{scheme.lower()}://{rest}"
        key = self._key_of(address)
        if key is None:
            raise MediaError(
                f"{short(url)}: lies below none of the addresses that may be read; "
                '`media: {sources: ["s3://bucket/folder/"]}` in the block of the channel names them'
            )
        readings = list(_readings(key))
        if _MEANS_MORE.search(key) or any(_leads_away(parts) for parts in readings):
            raise MediaError(
                f"{short(url)}: is written in a way that is not read; a plain address is, without "
                '"..", "::", "?" and "#"'
            )
        if reason := next(filter(None, map(why_never, readings)), None):
            raise MediaError(f"{short(url)}: {reason}")
        return address

    def _key_of(self, address: str) -> str | None:
        keys = [address[len(source) :] for source in self.sources if address.startswith(source)]
        scheme, apart, rest = self.store.partition("://")
        store = f"{scheme.lower()}://{rest.rstrip('/')}/"
        if apart and address.startswith(store):
            key = address[len(store) :]
            keys += [key] if _is_kept(key.split("/")) else []
        return min(filter(None, keys), key=len, default=None)


def _below(folder: Path, found: Path) -> tuple[str, ...] | None:
    place = folder.resolve()
    return found.relative_to(place).parts if found.is_relative_to(place) else None


def _is_kept(parts: Sequence[str]) -> bool:
    return len(parts) == 2 and _DAY.fullmatch(parts[0]) is not None


def _leads_away(parts: Sequence[str]) -> bool:
    return any(part.strip() in (".", "..") for part in parts)


def _readings(key: str) -> Iterator[list[str]]:
    """Yield the parts of *key*, as written and as a store may read them: decoded, and again."""
    for _ in range(_DECODINGS):
        yield re.split(r"[/\\]", unicodedata.normalize("NFKC", key))
        decoded = unquote(key)
        if decoded == key:
            return
        key = decoded
    yield [".."]
