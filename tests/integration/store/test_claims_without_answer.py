"""A Redis that carries commands out late, or lost a part of what it had."""

from __future__ import annotations

import asyncio

import pytest

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError


async def test_a_claim_that_arrives_after_later_ones_takes_nothing(redis_url, clock):
    async with open_store(redis_url, clock=clock) as store:
        queue = store.inbox
        await queue.claim_many(1)  # number 0
        await queue.claim_many(1)  # number 1
        await queue.put("a", "anna", {})
        # The first one was sent once more, over a connection that was given up and was slow.
        await queue._submit("claim", store._own, 0, 0, 1, "ready")
        assert [item.key for item in await queue.claim_many(1)] == ["a"]


@pytest.fixture
def lose_answers(monkeypatch):
    """Let Redis carry out what is asked next, and lose so many answers in a row."""
    redis = pytest.importorskip("redis", reason="the Python package redis is optional")

    def lose(store, count):
        connection = store._connection
        evaluate, left = connection._evaluate, [count]

        async def evaluate_unheard(*args, **options):
            answers = await evaluate(*args, **options)
            if left[0]:
                left[0] -= 1
                raise redis.ConnectionError("Connection closed by server.")
            return answers

        monkeypatch.setattr(connection, "_evaluate", evaluate_unheard)

    return lose


async def test_claims_of_one_moment_whose_answers_are_lost_lose_no_item(
    redis_url, clock, lose_answers
):
    async with open_store(redis_url, clock=clock) as store:
        for name in ("anna", "ben", "cem"):
            await store.inbox.put(name, name, {})
        lose_answers(store, 1)
        claims = (store.inbox.claim_first(name) for name in ("anna", "ben", "cem"))
        items = await asyncio.gather(*claims)
        assert [item.key for item in items] == ["anna", "ben", "cem"]


@pytest.mark.parametrize("first", ["ben", "nobody"])
async def test_who_names_a_conversation_keeps_nothing_of_a_claim_without_an_answer(
    redis_url, clock, lose_answers, first
):
    async with open_store(redis_url, clock=clock) as store:
        for name in ("anna", "ben", "cem"):
            await store.inbox.put(name, name, {})
        lose_answers(store, 2)
        with pytest.raises(StoreError):
            await store.inbox.claim_many(3)
        named = await store.inbox.claim_first(first)
        assert (named.key if named else "nobody") == first
        others = [item.key for item in await store.inbox.claim_many(3)]
        assert others == [name for name in ("anna", "ben", "cem") if name != first]


async def test_an_item_that_redis_lost_holds_up_neither_its_conversation_nor_others(
    redis_url, clock
):
    async with open_store(redis_url, clock=clock) as store:
        queue = store.inbox
        await queue.put("a:0", "anna", {})
        await queue.put("a:1", "anna", {})
        await queue.put("b:0", "ben", {})
        await store._connection._redis.delete(f"{queue.prefix}item:1")
        got = []
        for _ in range(5):
            try:
                items = await queue.claim_many(10)
            except StoreError:
                continue
            got += [item.key for item in items]
            for item in items:
                await queue.done(item)
        assert sorted(got) == ["a:1", "b:0"]
        assert (await queue.depth()).waiting == 0


async def test_an_item_that_cannot_be_read_takes_nobody_with_it_when_the_connection_breaks(
    redis_url, clock, monkeypatch
):
    async with open_store(redis_url, clock=clock) as store:
        queue = store.inbox
        await queue.put("a", "anna", {})
        await queue.put("b", "ben", {})
        await store._connection._redis.hset(f"{queue.prefix}item:1", "body", "{not json")
        call, failures = queue._call, [1]

        async def breaks_once(operation, *args):
            if operation == "dead_letter" and failures:
                failures.pop()
                raise StoreError("the connection broke")
            return await call(operation, *args)

        monkeypatch.setattr(queue, "_call", breaks_once)
        with pytest.raises(StoreError):
            await queue.claim_many(10)
        assert [item.key for item in await queue.claim_many(10)] == ["b"]
        assert [row.key for row in await queue.dead_letters()] == ["a"]


@pytest.mark.parametrize("named", [False, True], ids=["any", "by name"])
async def test_what_was_claimed_while_the_disk_failed_is_claimed_again(
    tmp_path, clock, monkeypatch, named
):
    async with open_store(f"sqlite:///{tmp_path}/whatsapp.db", clock=clock) as store:
        await store.inbox.put("a", "anna", {})
        commits = store._writer

        async def claim():
            return await (store.inbox.claim_first("anna") if named else store.inbox.claim())

        def fails():
            raise OSError(5, "Input/output error")

        async def refuses(db):
            raise StoreError("the disk cannot be written")

        files = commits.files
        monkeypatch.setattr(files, "sync", fails)
        monkeypatch.setattr(commits, "_retire_log", refuses)
        with pytest.raises(StoreError):
            await claim()
        monkeypatch.undo()
        commits._refused_until = 0.0
        assert (await claim()).key == "a"
