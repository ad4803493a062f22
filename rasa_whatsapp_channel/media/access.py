"""
What may be read and sent, of this machine and of object stores.

All of a path or address may come from a slot, and so from a person. Therefore a place is not read
because it is written down, but because the settings name what it lies in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from rasa_whatsapp_channel.media.forbidden import why_never
from rasa_whatsapp_channel.media.schemes import short
from rasa_whatsapp_channel.settings import MediaSettings
from rasa_whatsapp_channel.whatsapp.errors import MediaError

# How incoming files are kept in `media.store`: by day.
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
# "::" chains file systems of fsspec, a query sets options of some.
_MEANS_MORE: Final = re.compile(r"::|://|[?#\\\x00-\x1f\x7f]")
_DECODINGS: Final = 5  # what is encoded more often is not meant to be read


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
                '`media: {sources: ["s3://bucket/folder/"]}` in credentials.yml names them'
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
