"""Which URL names which store; opening and closing."""

from __future__ import annotations

import asyncio

import pytest
from support.eventually import PATIENCE
from support.queue_items import ANNA, HELLO

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    Retention,
    StoreError,
)
from rasa_whatsapp_channel.store.sqlite import SQLiteStore
from rasa_whatsapp_channel.unix_time import DAY


async def test_a_relative_url_names_a_file_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///whatsapp.db"):
        assert (tmp_path / "whatsapp.db").exists()


async def test_an_absolute_url_names_a_file_anywhere(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/a b%20c.db"):
        assert (tmp_path / "a b%20c.db").exists()


def test_nothing_is_made_before_a_store_is_opened(tmp_path):
    assert isinstance(open_store(f"sqlite:///{tmp_path}/whatsapp.db"), SQLiteStore)
    assert isinstance(open_store("memory:"), SQLiteStore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["redis://:secret@db:6379/0", "rediss://:secret@db:6379/0"])
def test_a_redis_is_not_asked_before_its_store_is_opened(url):
    pytest.importorskip("redis", reason="the Python package redis is optional")

    store = open_store(url)

    assert type(store).__name__ == "RedisStore"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "whatsapp.db",
        "sqlite:whatsapp.db",
        "sqlite://whatsapp.db",
        "sqlite:///",
        "sqlite:///folder/",
        "sqlite:///:memory:",
        "memory",
        "postgresql://bot:secret@db/whatsapp",
    ],
)
def test_any_other_url_is_refused_with_the_forms_that_work(url):
    with pytest.raises(StoreError) as info:
        open_store(url)
    for form in (
        "sqlite:///whatsapp.db",
        "sqlite:////var/lib/bot/whatsapp.db",
        "redis://host:6379/0",
        "memory:",
    ):
        assert form in str(info.value)
    assert "secret" not in str(info.value)


@pytest.mark.parametrize("url", ["sqlite:///{}/whatsapp.db", "memory:"])
async def test_what_was_sent_is_remembered_as_long_as_wanted(tmp_path, url):
    now = 1_800_000_000.0
    retention = Retention(ledger=2 * DAY)
    async with open_store(url.format(tmp_path), clock=lambda: now, retention=retention) as store:
        await store.ledger.note_sent("wamid.1", key="k", recipient_id="49151")
        now += 2 * DAY - 1
        await store.expire()
        before = await store.ledger.get("wamid.1")
        now += 2
        await store.expire()

        assert before is not None
        assert await store.ledger.get("wamid.1") is None


async def test_an_open_store_can_be_written(store):
    await store.ping()


async def test_a_closed_store_says_so(store):
    await store.close()
    await store.close()

    for operation in (
        store.ping,
        store.expire,
        store.inbox.depth,
        lambda: store.inbox.put("k", ANNA, HELLO),
        lambda: store.outbox.claim(),
        lambda: store.ledger.get("wamid.1"),
        lambda: store.values.set("k", 1, ttl=1),
    ):
        with pytest.raises(StoreError, match="not open"):
            await operation()


async def test_closing_wakes_those_who_wait(store):
    await store.inbox.wait(0)
    waiting = asyncio.create_task(store.inbox.wait(600))
    await asyncio.sleep(0.05)
    await store.close()

    await asyncio.wait_for(waiting, PATIENCE)


async def test_what_was_asked_for_before_closing_is_done(store):
    puts = [asyncio.create_task(store.inbox.put(f"k{n}", ANNA, HELLO)) for n in range(300)]
    await asyncio.sleep(0)
    await store.close()

    assert await asyncio.gather(*puts) == [True] * 300


async def test_a_closed_store_can_be_opened_again(store, store_url):
    if store_url == "memory:":
        pytest.skip("what a store in memory holds ends with it")
    await store.inbox.put("k", ANNA, HELLO)
    await store.close()
    await store.open()

    assert (await store.inbox.claim()).key == "k"
