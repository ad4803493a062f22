"""What only a shared Redis can get wrong: other servers, restarts, full memory, passwords, ends."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.crashes import fall_silent
from support.eventually import PATIENCE, eventually, timed
from support.redis_server import RedisServer

import rasa_whatsapp_channel
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.unix_time import DAY

redis = pytest.importorskip("redis", reason="the Python package redis is optional")

from rasa_whatsapp_channel.store.redis import RedisStore  # noqa: E402
from rasa_whatsapp_channel.store.redis.server import check  # noqa: E402

ANNA, BEN = "491511111111", "491522222222"
HELLO = {"type": "text", "text": {"body": "hello"}}
PACKAGE = Path(rasa_whatsapp_channel.__file__).parents[1]

# The default, an fsync every second, holds writes back while the one before it is slow.
ON_DISK = {"appendonly": "yes", "appendfsync": "always"}

Serve = Callable[..., RedisServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a Redis of one's own, to do to it what others must not see."""
    started: list[RedisServer] = []

    def serve(**options: str) -> RedisServer:
        folder = tmp_path / f"redis-{len(started)}"
        folder.mkdir()
        server = RedisServer(folder, **options)
        started.append(server)
        server.start()
        return server

    yield serve
    for server in started:
        server.kill()


async def refusal(awaitable):
    with pytest.raises(StoreError) as info:
        await awaitable
    return str(info.value)


async def claim_soon(queue):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if item := await queue.claim():
            return item
        await queue.wait(1)
    raise AssertionError("there was nothing to claim")


# Several servers


async def test_two_servers_share_the_work_and_keep_every_order(redis_url):
    users, messages = 12, 25
    handled: list[tuple[str, str, str]] = []

    async def work(name, queue):
        while True:
            if (item := await queue.claim()) is None:
                await queue.wait(1)
                continue
            await asyncio.sleep(0.001)
            handled.append((name, item.conversation, item.key))
            await queue.done(item)

    async with RedisStore(redis_url) as one, RedisStore(redis_url) as two:
        servers = {"one": one, "two": two}
        workers = [
            asyncio.create_task(work(name, store.inbox))
            for name, store in servers.items()
            for _ in range(4)
        ]
        for n in range(messages):
            store = servers["one" if n % 2 else "two"]
            await asyncio.gather(
                *(store.inbox.put(f"{n:02}-{user}", f"user {user}", {}) for user in range(users))
            )
        while (await one.inbox.depth()).waiting:
            await asyncio.sleep(0.02)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)

    assert len(handled) == len({key for _, _, key in handled}) == users * messages
    for user in range(users):
        keys = [key for _, conversation, key in handled if conversation == f"user {user}"]
        assert keys == sorted(keys)
    shares = Counter(name for name, _, _ in handled)
    assert min(shares["one"], shares["two"]) > users * messages / 10


async def test_a_server_that_dies_is_taken_over_by_those_who_see_it(redis_url):
    async with RedisStore(redis_url) as two:
        async with RedisStore(redis_url) as one:
            await one.inbox.put("a1", ANNA, HELLO)
            await one.inbox.put("a2", ANNA, HELLO)
            lost = await one.inbox.claim()
            fall_silent(one)
            assert await two.inbox.claim() is None

            taken_over = await claim_soon(two.inbox)

        assert (taken_over.key, taken_over.attempts, taken_over.crashes) == ("a1", 2, 1)
        await two.inbox.done(lost)
        assert (await two.inbox.depth()).waiting == 2


async def test_a_claim_whose_answer_was_lost_is_not_lost_itself(redis_url):
    async with RedisStore(redis_url) as store:
        for n in range(4):
            await store.inbox.put(f"k{n}", f"user {n}", HELLO)
        await store.inbox._call(
            "claim", store._own, 0, 0, 2, "ready"
        )  # carried out, and the answer lost

        items = await store.inbox.claim_many(3)

        assert sorted(item.key for item in items) == ["k0", "k1", "k2"]
        assert {item.attempts for item in items} == {1}


async def test_an_item_put_on_one_server_wakes_another_at_once(redis_url):
    async with RedisStore(redis_url) as one, RedisStore(redis_url) as two:
        await two.inbox.wait(0)
        waiting = asyncio.create_task(two.inbox.wait(600))
        await asyncio.sleep(0.1)

        await one.inbox.put("k", ANNA, HELLO)

        await asyncio.wait_for(waiting, PATIENCE)
        assert (await two.inbox.claim()).key == "k"


async def test_one_item_wakes_one_of_several_servers(redis_url):
    async with RedisStore(redis_url) as one, RedisStore(redis_url) as two:
        for store in (one, two):
            await store.inbox.wait(0)
        waiting = [asyncio.create_task(store.inbox.wait(600)) for store in (one, two)]
        await asyncio.sleep(0.1)

        await one.inbox.put("k", ANNA, HELLO)
        await eventually(lambda: any(task.done() for task in waiting))
        await asyncio.sleep(0.1)

        assert sum(task.done() for task in waiting) == 1
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


async def test_a_server_that_stopped_waiting_passes_the_wake_on(redis_url):
    async with RedisStore(redis_url) as one, RedisStore(redis_url) as two:
        for store in (one, two):
            await store.inbox.wait(0)
        first = asyncio.create_task(one.inbox.wait(600))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(two.inbox.wait(600))
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.wait([first])

        await two.inbox.put("k", ANNA, HELLO)

        await asyncio.wait_for(second, PATIENCE)


async def test_bots_with_different_names_know_nothing_of_each_other(shared_redis):
    async with (
        RedisStore(f"{shared_redis.url}?name=shop") as shop,
        RedisStore(f"{shared_redis.url}?name=bank") as bank,
    ):
        assert await shop.inbox.put("same key", ANNA, HELLO)
        assert await bank.inbox.put("same key", ANNA, HELLO)
        await shop.values.set("v", 1, ttl=60)

        assert await bank.values.get("v") is None
        assert [each async for each in bank.values.find("v")] == []


async def test_time_is_that_of_redis(redis_url):
    async with open_store(redis_url) as store:
        await store.inbox.put("k", ANNA, HELLO)

        item = await store.inbox.claim()

        assert abs(item.put_at - time.time()) < 5


# Restarts and outages


async def test_nothing_is_lost_when_redis_is_killed_and_started_again(serve):
    server = serve(**ON_DISK)
    async with RedisStore(server.url) as store:
        for n in range(3):
            await store.inbox.put(f"k{n}", ANNA, HELLO)
        item = await store.inbox.claim()
        await store.outbox.put_dead_letter("odd", "", {"raw": "x"}, "not JSON")
        await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA)
        await store.values.set("media", {"id": "123"}, ttl=60)

        server.restart()

        await store.inbox.done(item)
        assert (await store.inbox.claim()).key == "k1"
        assert not await store.inbox.put("k0", ANNA, HELLO)
        assert [row.key for row in await store.outbox.dead_letters()] == ["odd"]
        assert (await store.ledger.by_key("out:0")).recipient_id == ANNA
        assert await store.values.get("media") == {"id": "123"}


async def test_a_redis_that_is_not_there_is_named_at_once(serve):
    server = serve()
    server.kill()
    store = RedisStore(f"redis://:secret@127.0.0.1:{server.port}/3")

    text, took = await timed(refusal(store.open()))

    assert took < 2
    assert text.startswith(f"store redis://127.0.0.1:{server.port}/3: it cannot be reached")
    assert "secret" not in text


async def test_work_goes_on_by_itself_when_redis_is_back(serve):
    server = serve(**ON_DISK)
    async with RedisStore(server.url) as store:
        await store.inbox.put("k1", ANNA, HELLO)
        server.kill()

        for _ in range(3):
            text, took = await timed(refusal(store.inbox.put("k2", ANNA, HELLO)))
            assert "it cannot be reached" in text
            assert took < 2

        server.start()
        assert await store.inbox.put("k2", ANNA, HELLO)
        assert (await store.inbox.claim()).key == "k1"


async def test_who_waits_while_redis_goes_away_is_told_when_claiming(serve):
    server = serve()
    async with RedisStore(server.url) as store:
        await store.inbox.wait(0)
        waiting = asyncio.create_task(store.inbox.wait(600))
        await asyncio.sleep(0.1)

        server.kill()

        await asyncio.wait_for(waiting, PATIENCE)
        assert "it cannot be reached" in await refusal(store.inbox.claim())


async def test_many_who_ask_at_once_survive_a_restart_together(serve):
    server = serve(**ON_DISK)
    async with RedisStore(server.url) as store:
        await asyncio.gather(*(store.inbox.put(f"a{n:03}", ANNA, HELLO) for n in range(300)))
        server.restart()

        puts = [store.inbox.put(f"b{n:03}", ANNA, HELLO) for n in range(300)]
        assert all(await asyncio.gather(*puts))

        keys = [row.key for row in await store.inbox.waiting(limit=600)]
        assert keys == [f"a{n:03}" for n in range(300)] + [f"b{n:03}" for n in range(300)]


async def test_a_redis_that_does_not_answer_is_not_waited_for_long(serve):
    server = serve()
    async with RedisStore(f"{server.url}?socket_timeout=0.3") as store:
        server.pause()
        try:
            text, took = await timed(refusal(store.inbox.put("k", ANNA, HELLO)))
        finally:
            server.resume()

        assert "does not answer in time" in text
        assert took < 3
        assert await store.inbox.put("k2", ANNA, HELLO)


# A Redis that cannot keep promises


async def test_a_full_memory_refuses_what_is_new_and_lets_work_in_hand_end(serve):
    server = serve()
    client = redis.Redis.from_url(server.url)
    async with RedisStore(server.url) as store:
        for n in range(5):
            await store.inbox.put(f"first {n}", f"user {n}", HELLO)
        for n in range(50):
            await store.inbox.put(f"flood {n}", "flood", {"text": "x" * 20_000})
        client.config_set("maxmemory", client.info("memory")["used_memory"] - 300_000)
        client.close()
        waiting = (await store.inbox.depth()).waiting

        assert "raise `maxmemory`" in await refusal(store.inbox.put("more", ANNA, HELLO))
        assert "raise `maxmemory`" in await refusal(store.ping())
        assert (await store.inbox.depth()).waiting == waiting

        claimed = await store.inbox.claim_many(5)
        assert len(claimed) == 5
        done, again, later, dead_letter, _ = claimed
        await store.inbox.retry_later(again)
        await store.inbox.retry_later(later, after=1, body={"text": "healed"}, error="131016")
        await store.inbox.dead_letter(dead_letter, "reason")
        await store.inbox.done(done)
        assert await store.inbox.requeue(dead_letter.key)
        assert await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA)
        assert (await store.ledger.note_status("wamid.1", "delivered")).message
        assert await store.values.take(Limit("all", 1, 1)) == [0.0]

        assert (await store.inbox.depth()).waiting == waiting - 1
        assert await store.inbox.erase("flood") == 50
        assert await store.inbox.put("after all", ANNA, HELLO)


async def test_a_redis_that_throws_keys_away_is_refused(serve):
    server = serve(maxmemory="100mb", **{"maxmemory-policy": "allkeys-lru"})

    assert "set `maxmemory-policy noeviction`" in await refusal(RedisStore(server.url).open())


async def test_a_replica_is_refused_when_it_is_to_be_written(serve):
    replica = serve(replicaof=f"127.0.0.1 {serve().port}", **{"replica-serve-stale-data": "yes"})
    async with RedisStore(replica.url) as store:
        assert "it is a replica" in await refusal(store.ping())


async def test_a_redis_without_append_only_file_is_warned_of(serve, caplog):
    server = serve()
    with caplog.at_level(logging.WARNING):
        async with RedisStore(server.url):
            pass
    (line,) = caplog.messages
    assert line.startswith(f"whatsapp.store_at_risk: {server.url}: a crash of Redis loses")
    assert "set `appendonly yes`" in line


async def test_a_redis_that_is_told_to_throw_keys_away_takes_nothing_in_until_it_is_told_otherwise(
    serve, caplog
):
    server = serve(appendonly="yes")
    client = redis.Redis.from_url(server.url)
    async with RedisStore(server.url) as store:
        await store.inbox.put("before", ANNA, HELLO)
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")

        told = "set `maxmemory-policy noeviction`"
        assert told in await refusal(store.outbox.depth())  # whoever asks hears it at once
        assert told in await refusal(store.inbox.put("meanwhile", ANNA, HELLO))
        assert await store.outbox.put("an answer", ANNA, HELLO)
        (item,) = await store.inbox.claim_many(5)  # what is in hand goes on
        await store.inbox.done(item)

        client.config_set("maxmemory-policy", "noeviction")
        assert (await store.inbox.depth()).waiting == 0
        assert await store.inbox.put("meanwhile", ANNA, HELLO)
    client.close()

    assert [line.split(": ")[0] for line in caplog.messages] == [
        "whatsapp.store_at_risk",
        "whatsapp.store_safe",
    ]


async def test_without_anybody_who_asks_it_is_noticed_by_what_comes_in(serve):
    server = serve(appendonly="yes")
    client = redis.Redis.from_url(server.url)
    async with RedisStore(server.url, look_every=0.0) as store:
        assert await store.inbox.put("before", ANNA, HELLO)
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-random")

        assert "it throws messages away" in await refusal(store.inbox.put("k", ANNA, HELLO))
        client.config_set("maxmemory-policy", "noeviction")
        # It was put in though it was refused; WhatsApp sends it again, and it is no second one.
        assert await store.inbox.put("k", ANNA, HELLO) is False
    client.close()


def test_what_info_says_decides_what_an_operator_hears():
    good = {
        "redis_version": "7.2.4",
        "maxmemory": 1,
        "maxmemory_policy": "noeviction",
        "aof_enabled": 1,
    }
    assert check(good, "redis://h") == []
    assert check({}, "redis://h") == []  # not everybody may ask
    assert "handled twice" in check({**good, "maxmemory_policy": "volatile-lru"}, "redis://h")[0]
    assert check({**good, "maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, "redis://h") == []
    with pytest.raises(StoreError, match=r"it is Redis 5\.0\.14; 6\.0 is the oldest"):
        check({**good, "redis_version": "5.0.14"}, "redis://h")


# Who may in


@pytest.fixture
def locked(serve: Serve) -> RedisServer:
    return serve(requirepass="right-secret")


async def test_the_right_password_opens(locked):
    async with RedisStore(f"redis://:right-secret@127.0.0.1:{locked.port}/0") as store:
        await store.ping()


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (":wrong-secret@", "it refuses the user or the password"),
        ("anna:wrong-secret@", "it refuses the user or the password"),
        ("", "it wants a password"),
    ],
)
async def test_a_wrong_password_is_said_and_not_shown(locked, login, words):
    store = RedisStore(f"redis://{login}127.0.0.1:{locked.port}/0")
    with pytest.raises(StoreError, match=words) as info:
        await store.open()

    assert "wrong-secret" not in "".join(traceback.format_exception(info.value))
    assert "secret" not in repr(vars(store))


async def test_a_user_with_too_few_rights_is_told_which(serve):
    server = serve(user="bot on >secret ~cache:* +@all")
    store = RedisStore(f"redis://bot:secret@127.0.0.1:{server.port}/0")
    async with store:
        text = await refusal(store.ping())
    assert "~whatsapp:*" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret/with/slash@db:6379/0",
        "redis://:secret@db:port/0",
        "redis://:secret@db:6379/zero",
        "redis://:secret@[db/0",
        "redis://",
        "redis://:secret@db:6379/0?name={a}",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(url):
    with pytest.raises(StoreError) as info:
        open_store(url)
    assert "secret" not in "".join(traceback.format_exception(info.value))


async def test_an_unknown_option_of_the_url_is_named(shared_redis):
    store = open_store(f"{shared_redis.url}?color=blue")

    assert "'color'" in await refusal(store.open())


def test_without_the_python_package_the_extra_is_named():
    script = """
import sys
sys.modules["redis"] = None
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError
open_store("memory:")
try:
    open_store("redis://db:6379/0")
except StoreError as error:
    print(error)
"""
    output = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE,
    ).stdout

    assert "rasa-whatsapp-channel[redis]" in output


# What is left behind


@pytest.fixture
def look(shared_redis: RedisServer, redis_url: str) -> Iterator[Callable[[], dict[str, int]]]:
    """Tell the keys of this test's store, without their common start, and their seconds to live."""
    client = redis.Redis.from_url(shared_redis.url, decode_responses=True)
    start = f"whatsapp:{{{redis_url.partition('name=')[2]}}}:"
    yield lambda: {
        key.removeprefix(start): client.ttl(key) for key in client.scan_iter(f"{start}*")
    }
    client.close()


async def test_what_is_over_ends_by_itself_and_what_waits_never_does(redis_url, look):
    async with RedisStore(redis_url) as store:
        await store.inbox.put("waits", ANNA, HELLO)
        await store.inbox.put("done", BEN, HELLO)
        await store.inbox.put("odd", BEN, HELLO)
        await store.inbox.claim()
        await store.inbox.done(await store.inbox.claim())
        await store.inbox.dead_letter(await store.inbox.claim(), "reason")
        await store.inbox.put("held", "cem", HELLO)
        await store.inbox.done(await store.inbox.claim(), hold=600)
        await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA, body=HELLO)
        await store.ledger.note_status("wamid.2", "read")
        await store.values.set("v", 1, ttl=120)
        await store.values.take(Limit("pair", 1, 45))
    left = look()

    ends = {
        **dict.fromkeys(("inbox:seen:waits", "inbox:seen:done", "inbox:seen:odd"), 8 * DAY),
        "inbox:dead:odd": 30 * DAY,
        "inbox:seen:held": 8 * DAY,
        "inbox:hold:cem": 600,
        "ledger:body:wamid.1": DAY,
        "ledger:message:wamid.1": 30 * DAY,
        "ledger:message:wamid.2": 30 * DAY,
        "ledger:key:out:0": 30 * DAY,
        f"ledger:recipient:{ANNA}": 30 * DAY,
        "values:value:v": 120,
        "values:bucket:pair": 61,
    }
    for key, end in ends.items():
        assert end - 30 < left.pop(key) <= end, key
    assert set(left.values()) == {-1}
    assert {key for key in left if not key.startswith("inbox:")} == set()
    assert {f"inbox:order:{ANNA}", "inbox:item:1"} < set(left)


async def test_a_queue_that_is_worked_off_leaves_only_what_ends(redis_url, look):
    async with RedisStore(redis_url) as store:
        for n in range(20):
            await store.inbox.put(f"k{n}", f"user {n % 3}", HELLO)
        while item := await store.inbox.claim():
            await store.inbox.done(item)
    left = look()

    lasting = {key for key, ttl in left.items() if ttl == -1}
    assert lasting <= {"inbox:number", "inbox:wake"}


async def test_all_keys_of_a_store_are_in_one_slot(redis_url, look, shared_redis):
    async with RedisStore(redis_url) as store:
        await store.inbox.put("k{1}", "user {2}", HELLO)
        await store.outbox.put("k", ANNA, HELLO)
        await store.values.set("{v}", 1, ttl=60)
        await store.ledger.note_sent("wamid.{1}", key="out:{0}", recipient_id=ANNA)

    name = redis_url.partition("name=")[2]
    client = redis.Redis.from_url(shared_redis.url, decode_responses=True)
    keys = list(client.scan_iter(f"whatsapp:{{{name}}}:*"))
    client.close()
    assert len(keys) >= 10
    assert {key[key.index("{") + 1 : key.index("}")] for key in keys} == {name}
