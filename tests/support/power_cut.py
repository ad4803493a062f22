"""
What a disk holds after a power cut, replayed from the system calls of a real process.

strace records what the process asks of the kernel. A write counts as pending until fsync or
fdatasync of its file has returned, a name until its folder was synced. A cut keeps what was synced,
and of the pending writes none, or any of them in sectors, as a disk with a cache may.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CALLS = (
    "creat,open,openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat2"
)
SECTOR = 512
# 12345 pwrite64(5</folder/whatsapp.db-wal>, "\x37\x7f"..., 24, 0) = 24
CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
FILE = re.compile(r"^\d+<(?P<path>[^>]*)>")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>")


def record(trace: Path, output: Path, *command: object) -> None:
    """Run the Python *command* to its end, its system calls into *trace*. Skips without strace."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    tracer = [strace, "-f", "-y", "-xx", "-s", "100000000", "-o", trace, "-e", f"trace={CALLS}"]
    if subprocess.run([*tracer, "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    with output.open("wb") as file:
        subprocess.run(
            [*tracer, sys.executable, *map(str, command)], stdout=file, check=True, timeout=120
        )


@dataclass
class Content:
    """Of one file: what was synced, and the writes since, each as (offset, bytes or None: cut)."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self, count: int) -> None:
        for change in self.pending[:count]:
            apply(self.synced, *change)
        del self.pending[:count]

    def after_cut(self, dice: random.Random | None) -> bytes:
        kept = bytearray(self.synced)
        if dice is not None:
            for offset, data in self.pending:
                for start, part in sectors(offset, data):
                    if dice.random() < 0.5:
                        apply(kept, start, part)
        return bytes(kept)


def apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset : offset + len(data)] = data


def sectors(offset: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    if data is None:
        yield offset, None
        return
    while data:
        size = SECTOR - offset % SECTOR
        yield offset, data[:size]
        offset, data = offset + size, data[size:]


class Disk:
    """The files of one folder as they would be found after a power cut, call by call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._live: dict[str, Content] = {}
        self._named: dict[str, Content] = {}  # what the folder's own sync made last

    def cut(self, target: Path, seed: int | None = None) -> None:
        """Write what is left into the folder *target*; with *seed*, some pending writes too."""
        dice = None if seed is None else random.Random(seed)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for name, content in self._named.items():
            (target / name).write_bytes(content.after_cut(dice))

    def pending(self, path: str) -> int:
        content = self._live.get(self._name(path))
        return len(content.pending) if content else 0

    def call(self, name: str, arguments: str, result: int, pending: int | None) -> bool:
        """Do what one system call did. False: it was about no file of the folder."""
        if result < 0:
            return False
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
        file = FILE.match(arguments)
        path = decode(file["path"]) if file else ""
        match name:
            case "fsync" | "fdatasync" if path == os.fspath(self._folder):
                self._named = dict(self._live)
                return True
            case "fsync" | "fdatasync" if content := self._live.get(self._name(path)):
                content.sync(len(content.pending) if pending is None else pending)
                return True
            case "ftruncate" if content := self._live.get(self._name(path)):
                content.pending.append((int(arguments.rpartition(",")[2]), None))
                return True
            case "pwrite64" if content := self._live.get(self._name(path)):
                content.pending.append((int(arguments.rpartition(",")[2]), texts[0][:result]))
                return True
            case "open" | "openat" | "creat" if "O_CREAT" in arguments or name == "creat":
                if of_folder := self._name(os.fsdecode(texts[0])):
                    self._live.setdefault(of_folder, Content())
                return bool(of_folder)
            case "unlink" | "unlinkat" if of_folder := self._name(os.fsdecode(texts[0])):
                self._live.pop(of_folder, None)
                return True
            case "rename" | "renameat2" if self._name(os.fsdecode(texts[0])):
                old, new = (self._name(os.fsdecode(text)) for text in texts)
                self._live[new] = self._live.pop(old)
                return True
        return False

    def _name(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        # The index of the log is shared memory: nobody expects it to survive.
        return name if folder == os.fspath(self._folder) and not name.endswith("-shm") else ""


def decode(text: str) -> str:
    return os.fsdecode(bytes.fromhex(text.replace("\\x", ""))) if "\\x" in text else text


def replay(trace: Path, folder: Path, output: Path) -> Iterator[tuple[Disk, Sequence[str]]]:
    """Yield the disk after each call that touched *folder*, or told *output* a line; all told."""
    disk = Disk(folder)
    told: list[str] = []
    begun: dict[str, tuple[str, int]] = {}
    for line in trace.read_text().splitlines():
        process, _, text = line.partition(" ")
        text = text.lstrip()
        pending = None
        if text.endswith("<unfinished ...>"):
            text = text.removesuffix("<unfinished ...>")
            file = FILE.match(text.partition("(")[2])
            begun[process] = (text, disk.pending(decode(file["path"])) if file else 0)
            continue
        if RESUMED.match(text):
            first, pending = begun.pop(process)
            text = first + RESUMED.sub("", text)
        call = CALL.match(text)
        if call is None:
            continue
        name, arguments, result = call["name"], call["arguments"], int(call["result"])
        file = FILE.match(arguments)
        if name == "write" and file and decode(file["path"]) == os.fspath(output):
            words = bytes.fromhex(TEXT.findall(arguments)[0].replace("\\x", "")).decode()
            told += words.split()
            yield disk, told
        elif disk.call(name, arguments, result, pending):
            yield disk, told
