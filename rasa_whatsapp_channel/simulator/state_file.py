"""State file: keeps the state of a simulator in SQLite, from one start to the next."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator.snapshots import InvalidSnapshot, restore, take
from rasa_whatsapp_channel.simulator.world import World

PAUSE: Final = 1.0  # minimum seconds between two writes
_LISTS: Final = ("people", "messages", "files", "refusals")
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS parts (
    kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, content BLOB NOT NULL);
"""
Part = tuple[str, str]


class StateFile:
    """Writes changes of the state to a SQLite file: one row per person, message and file."""

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._saved: dict[Part, tuple[int, str]] = {}
        self._contents: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Restore the state from the file, and keep the file up to date; raise `SettingsError`."""
        try:
            self._link = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
            try:
                self._link.executescript(_SCHEMA)
                await self._load()
            except BaseException:
                self._link.close()
                raise
        except (sqlite3.Error, ValueError, InvalidSnapshot) as error:
            raise SettingsError(
                f"{self._path} is no state of a simulator: {error}; give another file with --state"
            ) from error
        self._writing = asyncio.create_task(self._keep_writing())

    async def close(self) -> None:
        if self._writing is None:
            return
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
        await self._save()
        self._link.close()

    async def _load(self) -> None:
        rows = self._link.execute("SELECT kind, id, position, value FROM parts ORDER BY position")
        value: dict[str, Any] = {kind: [] for kind in _LISTS}
        for kind, key, position, text in rows:
            self._saved[kind, key] = position, text
            if kind in _LISTS:
                value[kind].append(json.loads(text))
            else:
                value.update(json.loads(text))
        if not self._saved:
            return
        contents = dict(self._link.execute("SELECT id, content FROM contents"))
        self._contents = set(contents)
        await restore(self._world, value, contents)

    async def _keep_writing(self) -> None:
        with self._world.feed.listen() as events:
            while await events.get() is not None:
                await asyncio.sleep(PAUSE)
                while not events.empty():
                    if events.get_nowait() is None:
                        return
                await self._save()

    async def _save(self) -> None:
        parts = dict(_parts(take(self._world)))
        changed = {key: part for key, part in parts.items() if self._saved.get(key) != part}
        gone = self._saved.keys() - parts.keys()
        files = {key for kind, key in parts if kind == "files"}
        new = {key: await self._world.library.read(key) for key in files - self._contents}
        await asyncio.to_thread(self._write, changed, gone, new, self._contents - files)
        self._saved, self._contents = parts, files

    def _write(
        self,
        changed: Mapping[Part, tuple[int, str]],
        gone: set[Part],
        new: Mapping[str, bytes],
        old: set[str],
    ) -> None:
        with self._link:
            self._link.executemany("DELETE FROM parts WHERE kind = ? AND id = ?", gone)
            self._link.executemany("DELETE FROM contents WHERE id = ?", [(key,) for key in old])
            self._link.executemany(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)",
                [(*key, *part) for key, part in changed.items()],
            )
            self._link.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?)", new.items())


def _parts(value: Mapping[str, Any]) -> Iterator[tuple[Part, tuple[int, str]]]:
    for kind in _LISTS:
        for position, each in enumerate(value[kind]):
            key = str(each.get("id") or each.get("phone") or each.get("user_id"))
            yield (kind, key), (position, json.dumps(each))
    rest = {key: each for key, each in value.items() if key not in _LISTS}
    yield ("rest", ""), (0, json.dumps(rest))
