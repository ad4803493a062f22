"""Redis in trouble: what cannot be kept is not taken, and all that was taken is answered."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from redis import Redis
from support.eventually import PATIENCE, timed
from support.redis_server import RedisServer
from support.webhooks import texts


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


@pytest.fixture
def redis(tmp_path):
    # By default Redis may write a second or two later than it answers, which a kill then takes.
    redis = RedisServer(tmp_path, appendonly="yes", appendfsync="always")
    redis.start()
    yield redis
    redis.kill()


async def takes(running, webhook) -> float:
    """Deliver until it is taken, as WhatsApp does; return the longest time one answer took."""
    end = time.monotonic() + PATIENCE
    longest = 0.0
    while time.monotonic() < end:
        status, took = await timed(running.deliver(webhook))
        longest = max(longest, took)
        if status == 200:
            return longest
        assert status == 503
        await asyncio.sleep(0.2)
    raise AssertionError("not taken")


async def test_a_redis_that_is_killed_and_comes_back_loses_and_doubles_nothing(serve, api, redis):
    async def slow(message) -> None:
        await echo(message)
        await asyncio.sleep(0.3)

    async with serve(slow, store=redis.url) as running:
        for number in range(1, 31):
            await takes(running, texts(f"{number}", first=number))
            if number % 10 == 5:
                redis.restart()
        # A message that was on its way when Redis went waits for its status, up to 20 seconds.
        await api.takes(30, within=120.0)
        await running.idle()

    assert api.texts == [str(number) for number in range(1, 31)]


async def test_what_whatsapp_took_while_redis_was_gone_is_not_sent_again(serve, api, redis):
    answered = asyncio.Event()

    async def takes_and_answers_late(request: web.Request) -> web.Response:
        answer = api.accept(request, await request.json())
        await answered.wait()
        return web.json_response(answer)

    api.trouble = takes_and_answers_late
    async with serve(echo, store=redis.url) as running:
        for number in range(1, 6):
            await running.deliver(texts("hello", phone=f"4915100000{number}", first=number))
        await api.takes(5)
        redis.kill()
        answered.set()
        await asyncio.sleep(2)
        redis.start()
        await takes(running, texts("goes on", first=6))
        await api.takes(6)
        outbox = (await running.idle())["outbox"]

    assert api.texts == [*["hello"] * 5, "goes on"]
    assert outbox["dead_letters"] == 0


async def test_while_redis_is_gone_no_message_is_taken_and_afterwards_all_are_answered(
    serve, api, redis
):
    async with serve(echo, store=redis.url) as running:
        await takes(running, texts("before"))
        await api.takes(1)
        redis.kill()
        for _ in range(5):
            assert await running.deliver(texts("meanwhile", first=2)) == 503
            await asyncio.sleep(0.5)
        assert (await running.get())[0] == 503
        redis.start()
        await takes(running, texts("meanwhile", first=2))
        await api.takes(2)
        assert (await running.get())[0] == 200

    assert api.texts == ["before", "meanwhile"]


async def test_a_redis_that_does_not_answer_is_not_waited_for_longer_than_whatsapp_waits(
    serve, api, redis
):
    async with serve(echo, store=redis.url) as running:
        await takes(running, texts("before"))
        await api.takes(1)
        redis.pause()
        waking = asyncio.get_running_loop().call_later(8, redis.resume)
        longest = await takes(running, texts("meanwhile", first=2))
        await api.takes(2)
        waking.cancel()

    assert longest < 10
    assert api.texts == ["before", "meanwhile"]


async def test_while_redis_may_throw_messages_away_whatsapp_keeps_them(serve, api, redis):
    client = Redis.from_url(redis.url)
    async with serve(echo, store=redis.url) as running:
        await takes(running, texts("before"))
        await api.takes(1)
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")

        status, told = await running.get()
        assert (status, "set `maxmemory-policy noeviction`" in told) == (503, True)
        assert await running.deliver(texts("meanwhile", first=2)) == 503
        _, page = await running.get("/metrics")
        assert "whatsapp_store_up 0.0" in page
        assert 'whatsapp_webhooks_refused_total{reason="store_failed"} 1.0' in page

        client.config_set("maxmemory-policy", "noeviction")
        assert (await running.get())[0] == 200
        await takes(running, texts("meanwhile", first=2))
        await api.takes(2)
        assert "whatsapp_store_up 1.0" in (await running.get("/metrics"))[1]
    client.close()

    assert api.texts == ["before", "meanwhile"]


async def test_with_a_full_memory_new_messages_are_not_taken_until_there_is_room(serve, api, redis):
    def from_person(number: int) -> dict:
        return texts(f"{number} " + "x" * 2000, phone=f"49151000{number:05}")

    client = Redis.from_url(redis.url)
    async with serve(echo, store=redis.url) as running:
        running.agent.ready = False
        await takes(running, from_person(0))
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        taken = 1
        while await running.deliver(from_person(taken)) == 200:
            taken += 1
            assert taken < 1000
        assert (await running.get())[0] == 200  # what is there can still be read
        running.agent.ready = True
        await asyncio.sleep(1)

        client.config_set("maxmemory", 0)
        await takes(running, from_person(taken))
        await api.takes(taken + 1)
        await running.idle()
    client.close()

    assert sorted(int(text.split()[0]) for text in api.texts) == [*range(taken + 1)]
