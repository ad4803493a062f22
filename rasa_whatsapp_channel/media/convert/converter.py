"""Converter: starts the process that converts a file, and keeps the results."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import rasa_whatsapp_channel
from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.media.content import read_content
from rasa_whatsapp_channel.media.convert import plan as plans
from rasa_whatsapp_channel.media.convert.plan import Need, Source
from rasa_whatsapp_channel.media.private_files import is_full, keep_private, make_private_folder
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.limits import MB
from rasa_whatsapp_channel.whatsapp.media_headers import read_opus_channels, read_picture

logger = logging.getLogger(__name__)

EXTRA: Final = f"`{install_extra('convert')}` lets the channel convert it"
SECONDS: Final = 120.0
MEMORY: Final = 2048 * MB
SOURCE_BYTES: Final = 512 * MB
FILE_BYTES: Final = 64 * MB  # of what is written
KEPT: Final = 45 * DAY  # longer than any id lives
VERSION: Final = "1"  # of the results: goes up when they are made another way

_LIBRARIES: Final = {"image": "PIL", "sticker": "PIL", "audio": "av", "video": "av"}
_READERS: Final = {"image/heic": ("pillow_heif",)}  # Rasa brings Pillow, which cannot read these


def is_possible(kind: str, mime_type: str) -> bool:
    """Tell whether the libraries are there that make a *kind* of what has *mime_type*."""
    if kind not in _LIBRARIES:
        return False
    needed = [_LIBRARIES[kind], *_READERS.get(mime_type, ())]
    return all(find_spec(library) is not None for library in needed)


class Converter:
    """
    Makes files fit, one at a time, and keeps the results in *folder* by what they were made from.

    *seconds* and *memory* (bytes) are the most that one file may cost.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = SECONDS,
        memory: int = MEMORY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._memory = memory
        self._clock = clock
        self._turn = asyncio.Semaphore(1)  # each takes a processor for itself

    async def fit(self, path: Path, digest: str, need: Need, mime_type: str) -> Path:
        """
        Return the file at *path*, or what it became; *digest* is the hash of its content.

        Raises `MediaError`, with a text that goes on after the file's name.
        """
        stem = f"{digest[:40]}-{need.name}-{VERSION}"
        try:
            if not await asyncio.to_thread(needs_work, path, need, mime_type):
                return path
            found = await asyncio.to_thread(self._find, stem)
            if found is not None:
                return found
            async with self._turn:
                return await self._convert(path, digest, stem, need, mime_type)
        except OSError as error:
            text = f"cannot be converted in {self._folder}: {error}"
            raise MediaError(text, passing=is_full(error)) from error

    async def _convert(
        self, path: Path, digest: str, stem: str, need: Need, mime_type: str
    ) -> Path:
        await asyncio.to_thread(self._tidy)
        with tempfile.TemporaryDirectory(prefix=".", dir=self._folder) as folder:
            order = {
                "source": str(path),
                "folder": folder,
                "mime_type": mime_type,
                "memory": self._memory,
                "seconds": int(self._seconds) + 1,
                "file_bytes": FILE_BYTES,
                **asdict(need),
            }
            made = await self._run(order)
            if made is None:
                return path
            if (await asyncio.to_thread(read_content, path)).digest != digest:
                raise MediaError("was changed before it was converted", passing=True)
            target = self._folder / f"{stem}{Path(made).suffix}"
            await asyncio.to_thread(_keep, made, target)
        logger.info(
            "whatsapp.converted: a file of type %s to %s, to go as %s",
            mime_type,
            target.suffix,
            need.kind,
        )
        return target

    async def _run(self, order: dict[str, Any]) -> str | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "rasa_whatsapp_channel.media.convert"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # FFmpeg has much to say
            env=_environment(),
        )
        try:
            work = process.communicate(json.dumps(order).encode())
            output, _ = await asyncio.wait_for(work, self._seconds)
        except asyncio.TimeoutError as error:
            raise MediaError(f"takes longer to convert than {self._seconds:g} seconds") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _read_result(output)

    def _find(self, stem: str) -> Path | None:
        make_private_folder(self._folder)
        keep_private(self._folder)
        for found in self._folder.glob(f"{stem}.*"):
            os.utime(found)  # in use: keep it
            return found
        return None

    def _tidy(self) -> None:
        for old in self._folder.iterdir():
            if old.is_file() and self._clock() - old.stat().st_mtime > KEPT:
                old.unlink(missing_ok=True)


def _keep(made: str, target: Path) -> None:
    keep_private(Path(made))
    shutil.move(made, target)


def needs_work(path: Path, need: Need, mime_type: str) -> bool:
    """Tell from the file's header whether it has to be converted, or looked into. Blocks."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    source = Source(mime_type, size, picture, read_opus_channels(head))
    if not plans.needs_a_look(need, mime_type) and plans.decide(need, source) is None:
        return False
    if not is_possible(need.kind, mime_type):
        raise MediaError(EXTRA)
    if size > SOURCE_BYTES:
        raise MediaError(f"is larger than {SOURCE_BYTES // MB} MB, too large to be converted")
    return True


def _read_result(output: bytes) -> str | None:
    try:
        result = json.loads(output)
    except ValueError as error:  # it was ended: by its limits, mostly
        raise MediaError("costs more time or memory to convert than is allowed") from error
    if "problem" in result:
        raise MediaError(result["problem"])
    path: str | None = result["path"]
    return path


def _environment() -> dict[str, str]:
    """Return our environment without its secrets, in which the other process finds this package."""
    package = str(Path(rasa_whatsapp_channel.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH", "")
    kept = {
        key: os.environ[key]
        for key in ("PATH", "LANG", "HOME", "SYSTEMROOT", "TMPDIR")
        if key in os.environ
    }
    path = os.pathsep.join(part for part in (package, inherited) if part)
    return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
