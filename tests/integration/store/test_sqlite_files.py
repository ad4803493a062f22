"""The files beside the store's: deleted while it runs, and how much the file alone holds."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from itertools import count
from pathlib import Path

import pytest
from support.eventually import eventually
from support.store_processes import Processes

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.sqlite import SQLiteStore

ANNA = "491511111111"
HELLO = {"type": "text", "text": {"body": "hello"}}
BESIDE = [("-wal",), ("-shm",), ("-wal", "-shm")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "bot"
    folder.mkdir()
    return folder / "whatsapp.db"


@pytest.fixture
def processes(tmp_path: Path):
    started = Processes(tmp_path)
    yield started
    started.kill_all()


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


async def is_empty(store) -> bool:
    return (await store.inbox.depth()).waiting == 0


def delete(path: Path, endings) -> None:
    for ending in endings:
        beside(path, ending).unlink()


def keys_in(path: Path, folder: Path, *endings: str) -> set[str]:
    """Return what somebody finds who takes the file, and those beside it, as they are now."""
    folder.mkdir()
    for ending in ("", *endings):
        if beside(path, ending).exists():
            shutil.copy(beside(path, ending), folder)
    db = sqlite3.connect(folder / path.name)
    try:
        return {key for (key,) in db.execute("SELECT key FROM items")}
    finally:
        db.close()


# Deleted while it runs


@pytest.mark.parametrize("endings", BESIDE, ids="".join)
async def test_an_idle_bot_notices_that_its_log_was_deleted_and_nothing_is_lost(
    path, tmp_path, endings
):
    async with SQLiteStore(path) as store:
        await asyncio.gather(*(store.inbox.put(f"k{n}", ANNA, HELLO) for n in range(1000)))
        delete(path, endings)

        await eventually(lambda: all(beside(path, ending).exists() for ending in endings))

        found = keys_in(path, tmp_path / "killed", "-wal")
        assert found == {f"k{n}" for n in range(1000)}
        assert (await store.inbox.claim()).key == "k0"


@pytest.mark.parametrize("endings", BESIDE, ids="".join)
async def test_what_is_acknowledged_after_the_log_was_deleted_survives_a_kill(
    path, tmp_path, processes, endings
):
    putter = processes.start("put", path, "p", 100_000, 50)
    await eventually(lambda: len(processes.lines(putter)) > 500)
    delete(path, endings)
    so_far = len(processes.lines(putter))
    await eventually(lambda: len(processes.lines(putter)) > so_far + 100)
    processes.kill(putter)

    # The last line may have been cut off by the kill.
    acknowledged = {line for line in processes.lines(putter) if len(line) == len("p-00000")}
    assert acknowledged <= keys_in(path, tmp_path / "killed", "-wal")


@pytest.mark.parametrize("endings", BESIDE, ids="".join)
async def test_several_processes_go_on_after_their_log_was_deleted(path, processes, endings):
    workers = [processes.start("work", path) for _ in range(2)]
    putters = [processes.start("put", path, name, 400, 10) for name in ("p", "q")]
    await eventually(lambda: all(len(processes.lines(putter)) > 100 for putter in putters))
    delete(path, endings)
    for putter in putters:
        processes.join(putter)
    async with SQLiteStore(path) as store:
        await eventually(lambda: is_empty(store))
    processes.kill_all()

    lines = [line for worker in workers for line in processes.lines(worker)]
    handled = [line.split()[2] for line in lines if line[0].isdigit()]  # others are log lines
    assert sorted(handled) == [f"{name}-{n:05}" for name in ("p", "q") for n in range(400)]


async def test_a_log_that_cannot_be_saved_is_reported_until_it_can(path):
    async with SQLiteStore(path, patience=0.1) as store:
        await store.inbox.put("before", ANNA, HELLO)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM items").fetchone()
        delete(path, ["-wal"])

        with pytest.raises(StoreError, match=r"-wal or -shm file was deleted.*another process"):
            await store.inbox.put("meanwhile", ANNA, HELLO)
        with pytest.raises(StoreError, match="-wal or -shm file was deleted"):
            await store.inbox.depth()

        reader.close()
        await eventually(lambda: beside(path, "-wal").exists())
        assert await store.inbox.put("meanwhile", ANNA, HELLO)
        assert (await store.inbox.depth()).waiting == 2


async def test_a_log_that_was_replaced_is_not_taken_for_the_bots_own(path, tmp_path):
    async with SQLiteStore(path) as store:
        await store.inbox.put("before", ANNA, HELLO)
        stale = shutil.copy(beside(path, "-wal"), tmp_path / "stale")
        await store.inbox.put("then", ANNA, HELLO)
        Path(stale).replace(beside(path, "-wal"))

        assert await store.inbox.put("after", ANNA, HELLO)

        assert keys_in(path, tmp_path / "killed", "-wal") == {"before", "then", "after"}


async def test_a_store_that_others_opened_since_its_index_was_deleted_is_not_written(path):
    async with SQLiteStore(path) as store:
        await store.inbox.put("before", ANNA, HELLO)
        delete(path, ["-shm"])
        beside(path, "-shm").touch()

        with pytest.raises(StoreError, match="another process opened the store"):
            await store.inbox.put("after", ANNA, HELLO)


# What the file alone holds


async def test_a_copy_of_the_file_alone_has_everything_once_the_bot_is_idle(path, tmp_path):
    async with SQLiteStore(path) as store:
        await asyncio.gather(*(store.inbox.put(f"k{n}", ANNA, HELLO) for n in range(500)))

        await eventually(lambda: beside(path, "-wal").stat().st_size == 0)

        assert len(keys_in(path, tmp_path / "copy")) == 500


async def test_a_bot_that_is_never_idle_carries_its_log_over_every_few_seconds(
    path, tmp_path, processes
):
    putter = processes.start("put", path, "p", 100_000, 50)
    await eventually(lambda: len(processes.lines(putter)) > 10)
    early = {line for line in processes.lines(putter) if len(line) == len("p-00000")}
    copies = (tmp_path / f"copy {n}" for n in count())

    await eventually(lambda: early <= keys_in_a_moving_file(path, next(copies)))


def keys_in_a_moving_file(path: Path, folder: Path) -> set[str]:
    try:
        return keys_in(path, folder)
    except sqlite3.DatabaseError:
        return set()  # copied while it changed, which is what `rasa-whatsapp backup` is for


async def test_a_stopped_bot_leaves_everything_in_the_file_though_others_have_it_open(
    path, tmp_path
):
    other = SQLiteStore(path)
    await other.open()
    async with SQLiteStore(path) as store:
        await asyncio.gather(*(store.inbox.put(f"k{n}", ANNA, HELLO) for n in range(500)))

    assert beside(path, "-wal").stat().st_size == 0
    assert len(keys_in(path, tmp_path / "copy")) == 500
    await other.close()


async def test_a_backup_that_is_put_in_place_of_the_file_is_not_mixed_with_the_bots_log(
    path, tmp_path
):
    async with SQLiteStore(path) as store:
        await store.inbox.put("old", ANNA, HELLO)
    backup = shutil.copy(path, tmp_path / "backup.db")
    async with SQLiteStore(path) as store:
        await asyncio.gather(*(store.inbox.put(f"k{n}", f"u{n}", HELLO) for n in range(200)))
        Path(backup).replace(path)
        with pytest.raises(StoreError, match="deleted or replaced"):
            await store.inbox.put("new", ANNA, HELLO)

    assert keys_in(path, tmp_path / "after") == {"old"}


async def test_a_beat_beside_a_log_that_was_deleted_damages_nothing(path, tmp_path):
    keys = [f"k{n}" for n in range(300)]
    async with SQLiteStore(path) as store:
        for round_ in range(5):
            await asyncio.gather(*(store.inbox.put(f"{key} {round_}", ANNA, HELLO) for key in keys))
            await eventually(lambda: beside(path, "-wal").stat().st_size == 0)
            await store.inbox.put(f"last {round_}", ANNA, HELLO)
            delete(path, ["-wal"])
            with pytest.raises(StoreError, match="deleted or replaced"):
                store.beat()  # from its thread, once a second

            await store.inbox.put(f"after {round_}", ANNA, HELLO)

        found = keys_in(path, tmp_path / "killed", "-wal")
    assert len(found) == 5 * 302
