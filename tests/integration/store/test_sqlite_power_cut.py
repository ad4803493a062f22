"""What was acknowledged is on the disk: the power goes at any moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from support.power_cut import record, replay
from support.store_processes import SCRIPT

from rasa_whatsapp_channel.store.sqlite import SQLiteStore


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, Path, Path]:
    """A process that puts 60 items and prints each as soon as it is kept, then stops."""
    base = tmp_path_factory.mktemp("power")
    folder, trace, output = base / "bot", base / "trace", base / "output"
    folder.mkdir()
    record(trace, output, SCRIPT, "put", folder / "whatsapp.db", "p", 60, 7)
    return trace, folder, output


# Without a seed the disk keeps no write that was not synced; with one it keeps some, in any order.
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_what_was_acknowledged_survives_a_power_cut_at_any_moment(recorded, tmp_path, seed):
    cuts = 0
    for number, (disk, told) in enumerate(replay(*recorded)):
        if not told:
            continue
        disk.cut(tmp_path / "after", seed=None if seed is None else seed * 100_000 + number)
        assert set(told) <= kept_in(tmp_path / "after" / "whatsapp.db"), f"after call {number}"
        cuts += 1

    assert cuts > 200


def kept_in(path: Path) -> set[str]:
    db = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)
    try:
        db.execute("PRAGMA synchronous = OFF")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {key for (key,) in db.execute("SELECT key FROM items")}
    finally:
        db.close()


async def test_a_bot_goes_on_with_what_is_left_after_a_power_cut(recorded, tmp_path):
    for disk, told in replay(*recorded):
        if len(told) == 30:
            disk.cut(tmp_path / "after")
            break

    async with SQLiteStore(tmp_path / "after" / "whatsapp.db") as store:
        again = [await store.inbox.put(key, "p-0", {}) for key in told]
        item = await store.inbox.claim()

    assert not any(again)
    assert item.key == "p-00000"
