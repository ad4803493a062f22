"""The store's file is lost or damaged: nothing is taken that could not be kept, and it is said."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import pytest
import pytest_asyncio
from support.cloud_api import cloud_api
from support.stubs import stub_servers
from support.webhooks import texts


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


def delete(file) -> None:
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


def overwrite(file) -> None:
    file.write_bytes(b"what is this " * 10_000)


def cut_short(file) -> None:
    with file.open("r+b") as opened:
        opened.truncate(5000)


async def test_without_its_file_the_bot_takes_no_message_and_says_why(serve, api, tmp_path):
    file = tmp_path / "whatsapp.db"
    async with serve(echo) as running:
        await running.deliver(texts("before"))
        await api.takes(1)
        delete(file)

        taken = await running.deliver(texts("meanwhile", first=2))
        status, health = await running.get()

        assert (taken, status) == (503, 503)
        assert str(file) in json.loads(health)["reason"]
    async with serve(echo) as running:
        assert await running.deliver(texts("meanwhile", first=2)) == 200
        await api.takes(2)

    assert api.texts == ["before", "meanwhile"]


async def test_a_log_that_is_deleted_while_the_bot_runs_costs_no_message(serve, api, tmp_path):
    file = tmp_path / "whatsapp.db"
    async with serve(echo) as running:
        await running.deliver(texts("before"))
        await api.takes(1)
        for ending in ("-wal", "-shm"):
            file.with_name(f"{file.name}{ending}").unlink()

        assert await running.deliver(texts("after", first=2)) == 200
        await api.takes(2)
        assert (await running.get())[0] == 200

    assert api.texts == ["before", "after"]


async def test_while_a_deleted_log_cannot_be_saved_no_message_is_taken_and_it_is_said_why(
    serve, api, tmp_path
):
    file = tmp_path / "whatsapp.db"
    async with serve(echo) as running:
        await running.deliver(texts("before"))
        await api.takes(1)
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        await running.deliver(texts("next", first=2))
        await api.takes(2)
        file.with_name(f"{file.name}-wal").unlink()

        taken = await running.deliver(texts("meanwhile", first=3))
        status, health = await running.get()

        assert (taken, status) == (503, 503)
        assert "another process reads it; end that process" in json.loads(health)["reason"]
        reader.close()
        while await running.deliver(texts("meanwhile", first=3)) != 200:
            await asyncio.sleep(0.1)
        await api.takes(3)

    assert api.texts == ["before", "next", "meanwhile"]


@pytest.mark.parametrize("harm", [overwrite, cut_short])
async def test_with_a_damaged_file_a_message_is_answered_or_not_taken(serve, api, tmp_path, harm):
    """SQLite works on from what it has in its log and its memory, for as long as it can."""
    file = tmp_path / "whatsapp.db"
    async with serve(echo) as running:
        await running.deliver(texts("before"))
        await api.takes(1)
    async with serve(echo) as running:
        harm(file)
        number = 2
        while await running.deliver(texts("meanwhile", first=number)) == 200 and number < 20:
            await api.takes(number)
            number += 1
        if number < 20:
            assert (await running.get())[0] == 503
    delete(file)
    async with serve(echo) as running:
        assert await running.deliver(texts("afterwards", first=number)) == 200
        await api.takes(number)

    assert api.texts == ["before", *["meanwhile"] * (number - 2), "afterwards"]


@pytest_asyncio.fixture
async def stubs(tmp_path, forge):
    pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
    store = "sqlite:///whatsapp.db"
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store=store) as stubs,
    ):
        yield stubs


async def test_a_damaged_file_keeps_the_bot_from_starting_and_the_log_says_what_to_do(
    stubs, tmp_path
):
    overwrite(tmp_path / "whatsapp.db")

    stubs.launch("only")
    await stubs.ends("only")

    assert "StoreError: store whatsapp.db: it is no SQLite database" in stubs.log("only")
    assert "move this one away" in stubs.log("only")
