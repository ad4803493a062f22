"""`rasa-whatsapp backup`: a whole copy of the store while the bot runs."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.full_disk import fill, small_disk

from rasa_whatsapp_channel.store import open_store

MAYA = "4915112345678"
HELLO = {"type": "text", "text": {"body": "hello"}}


@pytest.fixture
def url(tmp_path: Path) -> str:
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  store: sqlite:///whatsapp.db\n"
    )
    return f"sqlite:///{tmp_path / 'whatsapp.db'}"


@pytest.fixture
async def store(url):
    """The store of a bot that is running."""
    async with open_store(url) as store:
        yield store


async def restored(backup: Path, folder: Path) -> list[str]:
    """Put the backup where a bot's store was, as the command says, and return what waits."""
    folder.mkdir()
    shutil.copy(backup, folder / "whatsapp.db")
    async with open_store(f"sqlite:///{folder / 'whatsapp.db'}") as store:
        return [entry.key for entry in await store.inbox.waiting(10_000)]


async def test_a_backup_has_everything_that_was_acknowledged_before_it(
    rasa_whatsapp, store, tmp_path
):
    keys = [f"k{n}" for n in range(500)]
    await asyncio.gather(*(store.inbox.put(key, MAYA, HELLO) for key in keys))

    done = await rasa_whatsapp("backup", "copy.db")

    assert done.exit_code == 0, done.output
    assert "Wrote copy.db" in done.stdout
    assert f"copy it to {tmp_path / 'whatsapp.db'}" in done.stdout
    assert "stop the bot, delete whatsapp.db-wal and whatsapp.db-shm" in done.stdout
    assert await restored(tmp_path / "copy.db", tmp_path / "new") == keys


async def test_a_backup_ends_while_the_bot_writes_without_a_pause(rasa_whatsapp, store, tmp_path):
    for start in range(0, 6000, 1000):  # several steps of the copy
        puts = (
            store.inbox.put(f"k{n}", f"user {n}", {"text": "x" * 3000})
            for n in range(start, start + 1000)
        )
        await asyncio.gather(*puts)
    working = asyncio.create_task(work(store))

    done = await rasa_whatsapp("backup", "copy.db")

    written = working.cancel() and await asyncio.gather(working, return_exceptions=True)
    assert written
    assert done.exit_code == 0, done.output
    assert len(await restored(tmp_path / "copy.db", tmp_path / "new")) >= 6000


async def work(store):
    number = 0
    while True:
        await store.inbox.put(f"later {number}", MAYA, HELLO)
        number += 1


async def test_a_backup_is_one_file_that_only_the_user_may_read(rasa_whatsapp, store, tmp_path):
    (tmp_path / "backups").mkdir()
    await store.inbox.put("k", MAYA, HELLO)

    await rasa_whatsapp("backup", "backups/copy.db")

    assert [file.name for file in (tmp_path / "backups").iterdir()] == ["copy.db"]
    assert (tmp_path / "backups" / "copy.db").stat().st_mode & 0o777 == 0o600


async def test_a_file_that_is_there_is_written_over_only_with_force(rasa_whatsapp, store, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_text("of yesterday")

    refused = await rasa_whatsapp("backup", "copy.db")

    assert refused.exit_code == 1
    assert "copy.db: exists already; --force overwrites it" in refused.stderr
    assert copy.read_text() == "of yesterday"
    assert (await rasa_whatsapp("backup", "copy.db", "--force")).exit_code == 0
    assert copy.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("whatsapp.db", "is the store itself"),
        ("nowhere/copy.db", "the folder nowhere does not exist; make it"),
        (".", "is a folder"),
    ],
)
async def test_a_place_where_no_backup_can_be_is_refused(rasa_whatsapp, store, file, words):
    done = await rasa_whatsapp("backup", "--force", file)

    assert done.exit_code == 1
    assert words in done.stderr


async def test_a_full_disk_leaves_the_old_backup_as_it_was(rasa_whatsapp, store, tmp_path):
    puts = (store.inbox.put(f"k{n}", MAYA, {"text": "x" * 3000}) for n in range(200))
    await asyncio.gather(*puts)
    with small_disk(tmp_path / "small", 300) as disk:
        copy = disk / "copy.db"
        copy.write_text("of yesterday")
        fill(disk)

        done = await rasa_whatsapp("backup", "--force", "small/copy.db")

        assert done.exit_code == 1
        assert "disk" in done.stderr
        assert copy.read_text() == "of yesterday"
        assert not list(disk.glob(".copy*"))


async def test_a_store_in_redis_is_told_what_to_use_instead(rasa_whatsapp, tmp_path):
    done = await rasa_whatsapp("backup", "--store", "redis://:secret@127.0.0.1:1/0", "copy.db")

    assert done.exit_code == 1
    assert "redis-cli --rdb FILE" in done.stderr
    assert "secret" not in done.output
    assert not (tmp_path / "copy.db").exists()


async def test_a_file_of_another_program_is_no_store(rasa_whatsapp, tmp_path):
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE events (id INTEGER)")
    db.close()

    done = await rasa_whatsapp("backup", "--store", "sqlite:///other.db", "copy.db")

    assert done.exit_code == 1
    assert "no store of rasa-whatsapp-channel" in done.stderr
    assert not (tmp_path / "copy.db").exists()


async def test_a_store_that_is_not_there_is_not_made(rasa_whatsapp, tmp_path):
    done = await rasa_whatsapp("backup", "--store", "sqlite:///whatsapp.db", "copy.db")

    assert done.exit_code == 1
    assert "there is no store at" in done.stderr
    assert not list(tmp_path.glob("*.db"))
