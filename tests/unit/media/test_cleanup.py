from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from rasa_whatsapp_channel.media.cleanup import MediaCleanup

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("2026-03-10", False),
        ("2026-03-03", False),
        ("2026-03-02", True),
        ("2019-01-01", True),
        ("2026-03-99", False),
        (".converted", False),
        ("20260101", False),
    ],
)
async def test_only_days_that_are_over_for_long_enough_go(tmp_path, name, goes):
    folder = tmp_path / "media" / name
    folder.mkdir(parents=True)

    await MediaCleanup("media", root=tmp_path, keep_days=7, today=lambda: TODAY).tidy()

    assert folder.exists() is not goes


async def test_the_files_of_an_old_day_are_deleted(tmp_path):
    for name in ("2026-02-01", "2026-03-09", "letters", ".converted"):
        (tmp_path / "media" / name).mkdir(parents=True)
        (tmp_path / "media" / name / "a.jpg").write_bytes(b"a lake")

    retention = MediaCleanup("media", root=tmp_path, keep_days=7, today=lambda: TODAY)
    await retention.tidy()

    left = sorted(path.name for path in (tmp_path / "media").iterdir())
    assert left == [".converted", "2026-03-09", "letters"]


async def test_what_cannot_be_deleted_keeps_no_other_day(tmp_path, caplog):
    media = tmp_path / "media"
    for name in ("2026-01-01", "2026-01-03", "2026-01-05"):
        (media / name).mkdir(parents=True)
    for name in ("2026-01-02", "2026-01-04"):
        (media / name).write_text("somebody's notes")

    await MediaCleanup("media", root=tmp_path, keep_days=7, today=lambda: TODAY).tidy()

    assert sorted(path.name for path in media.iterdir()) == ["2026-01-02", "2026-01-04"]
    assert [line.split("; ")[-1] for line in caplog.messages] == ["tried again in 60 minutes"] * 2
    assert sorted(line.split(": ")[1] for line in caplog.messages) == ["2026-01-02", "2026-01-04"]
    assert all("Not a directory" in line for line in caplog.messages)


async def test_a_folder_that_is_not_there_yet_is_no_matter(tmp_path, caplog):
    await MediaCleanup("media", root=tmp_path, keep_days=7, today=lambda: TODAY).tidy()

    assert caplog.text == ""


async def test_in_a_store_the_old_days_are_deleted_too():
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    for name in ("2026-02-01", "2026-03-09"):
        system.pipe(f"/kept/{name}/a.jpg", b"a lake")

    retention = MediaCleanup("memory://kept", root=Path(), keep_days=7, today=lambda: TODAY)
    await retention.tidy()

    assert [path.rpartition("/")[2] for path in system.ls("/kept", detail=False)] == ["2026-03-09"]
    system.rm("/kept", recursive=True)


async def test_it_looks_again_and_again_until_it_is_stopped(tmp_path):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        (tmp_path / "2026-02-01").mkdir()
        if len(slept) > 1:
            await asyncio.Event().wait()

    retention = MediaCleanup(".", root=tmp_path, keep_days=7, today=lambda: TODAY, sleep=sleep)
    retention.start()
    while len(slept) < 2:
        await asyncio.sleep(0.01)
    await retention.stop()

    assert slept == [3600.0, 3600.0]
