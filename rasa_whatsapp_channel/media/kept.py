"""Stored media: lists, opens and deletes the incoming files in a folder or an object store."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, Final, Protocol

from rasa_whatsapp_channel.media.content import read_content
from rasa_whatsapp_channel.media.folder import is_day, person_tag
from rasa_whatsapp_channel.media.object_store import is_url, open_system
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.errors import MediaError

# The folder, below `media.store`, of what files became to fit WhatsApp; named by their content.
CONVERTED: Final = ".converted"


@dataclass(frozen=True)
class KeptFile:
    """*name* is date/id_person.ending, as below `media.store`; *size* in bytes."""

    name: str
    size: int

    @property
    def day(self) -> date:
        return date.fromisoformat(self.name.partition("/")[0])

    @property
    def mime_type(self) -> str:
        return mime.from_extension(self.name) or mime.ANY

    def is_from(self, sender_id: str) -> bool:
        return posixpath.splitext(self.name)[0].endswith(f"_{person_tag(sender_id)}")


class Kept(Protocol):
    """
    `files`, `open` and `delete` raise `MediaError` where disk or store do not do what was asked.

    `days` and `delete_day` are for all files of a day, by its name; they raise what those raise.
    """

    def files(self) -> Iterator[KeptFile]: ...

    def open(self, file: KeptFile) -> IO[bytes]: ...

    def delete(self, file: KeptFile) -> None: ...

    def days(self) -> Sequence[str]: ...

    def delete_day(self, day: str) -> None: ...


def open_kept(store: str, root: Path) -> Kept:
    """Return what is kept at *store*, the setting `media.store` of the bot in *root*."""
    return KeptInObjectStore(store) if is_url(store) else KeptInFolder(root / store)


def is_ours(name: str) -> bool:
    """Tell whether *name* is a day and a file in it; whatever else lies there is not ours."""
    day, _, file = name.partition("/")
    return is_day(day) and bool(file) and "/" not in file and not file.startswith(".")


class KeptInFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Iterator[KeptFile]:
        try:
            for path in sorted(self._folder.glob("*/*")):
                name = path.relative_to(self._folder).as_posix()
                if is_ours(name) and path.is_file():
                    yield KeptFile(name, path.stat().st_size)
        except OSError as error:
            raise MediaError(f"{self._folder}: cannot be read: {error}") from error

    def open(self, file: KeptFile) -> IO[bytes]:
        try:
            return (self._folder / file.name).open("rb")
        except OSError as error:
            raise MediaError(f"{file.name}: cannot be read: {error}") from error

    def delete(self, file: KeptFile) -> None:
        path = self._folder / file.name
        try:
            if path.exists():
                _delete_converted(self._folder / CONVERTED, path)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise MediaError(f"{file.name}: cannot be deleted: {error}") from error

    def days(self) -> Sequence[str]:
        paths = self._folder.iterdir() if self._folder.is_dir() else ()
        return [path.name for path in paths if is_day(path.name)]

    def delete_day(self, day: str) -> None:
        shutil.rmtree(self._folder / day)


def _delete_converted(folder: Path, path: Path) -> None:
    """Delete what the file at *path* became when it was sent again, see `media.convert`."""
    for converted in folder.glob(f"{read_content(path).digest[:40]}-*"):
        converted.unlink(missing_ok=True)


class KeptInObjectStore:
    """The stores' own packages raise whatever they like."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._system: Any
        self._system, self._root = open_system(url)

    def files(self) -> Iterator[KeptFile]:
        try:
            self._system.invalidate_cache()
            there = self._system.exists(self._root)
            found = self._system.find(self._root, detail=True) if there else {}
        except Exception as error:
            raise MediaError(f"{self._url}: cannot be read: {error}") from error
        for path, facts in sorted(found.items()):
            name = posixpath.relpath(path, self._root)
            if is_ours(name):
                yield KeptFile(name, int(facts.get("size") or 0))

    def open(self, file: KeptFile) -> IO[bytes]:
        try:
            opened: IO[bytes] = self._system.open(posixpath.join(self._root, file.name), "rb")
        except Exception as error:
            raise MediaError(f"{file.name}: cannot be read: {error}") from error
        return opened

    def delete(self, file: KeptFile) -> None:
        try:
            self._system.rm_file(posixpath.join(self._root, file.name))
        except Exception as error:
            raise MediaError(f"{file.name}: cannot be deleted: {error}") from error

    def days(self) -> Sequence[str]:
        self._system.invalidate_cache()
        there = self._system.exists(self._root)
        paths = self._system.ls(self._root, detail=False) if there else ()
        names = (posixpath.basename(str(path).rstrip("/")) for path in paths)
        return [name for name in names if is_day(name)]

    def delete_day(self, day: str) -> None:
        self._system.rm(posixpath.join(self._root, day), recursive=True)
