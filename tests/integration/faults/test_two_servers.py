"""Two servers on one store, as processes of their own, and WhatsApp that calls both at once."""

from __future__ import annotations

import asyncio
import random

import pytest
import pytest_asyncio
from support.cloud_api import cloud_api
from support.crowd import Crowd, Written, webhook_of
from support.eventually import eventually
from support.redis_server import RedisServer
from support.stubs import SECRET, stub_servers
from support.verdict import judge

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

SERVERS = ("anna", "ben")


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "sqlite":
        yield "sqlite:///whatsapp.db"
        return
    redis = RedisServer(tmp_path)
    redis.start()
    yield redis.url
    redis.kill()


@pytest_asyncio.fixture
async def stubs(store, tmp_path, forge):
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store=store) as stubs,
    ):
        await asyncio.gather(*(stubs.start(name) for name in SERVERS))
        yield stubs


@pytest_asyncio.fixture
async def crowd(stubs):
    """WhatsApp calls the servers in turn."""
    calls = 0

    def next_one() -> str:
        nonlocal calls
        calls += 1
        return stubs.webhook(SERVERS[calls % 2])

    crowd = Crowd(next_one, secret=SECRET, random=random.Random(1))
    yield crowd
    await crowd.close()


async def test_one_webhook_fifty_times_at_once_is_one_turn(stubs, crowd):
    webhook = webhook_of([Written(1, 1)])

    await asyncio.gather(*(crowd.deliver(webhook) for _ in range(50)))
    await stubs.platform.takes(3)
    await eventually(lambda: stubs.is_idle("anna"))

    assert crowd.refusals == 0
    assert stubs.platform.texts == ["u1 m1 a", "u1 m1 b", "u1 m1 c"]
    assert [line["what"] for line in stubs.journal.read()] == ["began", "saved"]


async def test_two_messages_of_one_person_at_the_same_moment_are_two_turns_one_after_the_other(
    stubs, crowd
):
    people = range(20)
    both = [Written(person, number) for person in people for number in (1, 2)]

    await asyncio.gather(*(crowd.deliver(webhook_of([written])) for written in both))
    await stubs.platform.takes(5 * len(people))
    await eventually(lambda: stubs.is_idle("anna"))

    assert crowd.refusals == 0
    assert sorted(stubs.platform.texts) == sorted(
        f"u{person} {answer}"
        for person in people
        for answer in ("m1 a", "m1 b", "m1 c", "m2 a", "m2 b")
    )
    for person in people:
        phone = Written(person, 1).phone
        mine = [line for line in stubs.journal.read() if line["sender_id"] == phone]
        assert [line["what"] for line in mine] == ["began", "saved"] * 2
        answers = [taken.text for taken in stubs.platform.accepted if taken.to == phone]
        turns = [answer.rsplit(" ", 1)[0] for answer in answers]
        assert turns == sorted(turns, reverse=turns[0].endswith("m2"))


async def test_servers_that_are_stopped_and_started_in_turn_lose_and_double_nothing(stubs, crowd):
    people, messages = 20, 8
    writing = asyncio.create_task(crowd.write(range(people), messages, seconds=6))
    for name in (*SERVERS, *SERVERS):
        await asyncio.sleep(1)
        await stubs.stop(name)
        await stubs.start(name)
    await writing
    written = [Written(person, n + 1) for person in range(people) for n in range(messages)]
    await stubs.platform.takes(people * messages * 5 // 2)
    await eventually(lambda: stubs.is_idle("anna"))

    verdict = judge(written, stubs.platform.accepted, stubs.journal.read(), kills=[])
    assert verdict.faults == []
