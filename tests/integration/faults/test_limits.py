"""Two servers share one limit of billed messages: a burst, a kill between, and the next day."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest
import pytest_asyncio
from support.cloud_api import CloudApi, cloud_api, hangs
from support.crowd import Crowd, Written, content_of, phone_of
from support.phones import AT_ONCE, Phones
from support.redis_server import RedisServer
from support.stubs import SECRET, Stubs, stub_servers
from support.wall_clock import put_wrong
from support.webhooks import envelope

from rasa_whatsapp_channel.store import SQLITE
from rasa_whatsapp_channel.unix_time import DAY

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

SENTENCE = "I can answer again tomorrow."
LIMIT = 11
LONGEST = 180.0  # seconds that a test may take
BILLING = {"daily_limit": LIMIT, "at_limit": "stop", "limit_text": SENTENCE}


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/whatsapp.db"
        return
    redis = RedisServer(tmp_path)
    redis.start()
    yield redis.url
    redis.kill()


class World:
    def __init__(self, stubs: Stubs, platform: CloudApi) -> None:
        self.stubs = stubs
        self.platform = platform
        addresses = itertools.cycle(map(stubs.webhook, ("anna", "ben")))
        self.crowd = Crowd(lambda: next(addresses), secret=SECRET, random=random.Random(1))
        self.phones = Phones(self.crowd.deliver, habits=AT_ONCE)
        platform.taken = self.phones.take

    async def start(self, *names: str) -> None:
        clock = str(self.stubs.folder / "clock")
        await asyncio.gather(*(self.stubs.start(name, clock=clock) for name in names))

    async def hear(self, *written: Written, at: float | None = None) -> None:
        """Return when people have written, and see the bot's answers, or these are given up."""
        contents = [content_of(each) for each in written]
        for content in contents:
            content["messages"][0]["timestamp"] = f"{at or time.time():.0f}"
        webhooks = [json.dumps(envelope([content])).encode() for content in contents]
        await asyncio.gather(*map(self.crowd.deliver, webhooks))
        end = time.monotonic() + 120
        while not await self.stubs.is_idle("ben"):
            assert time.monotonic() < end, self.stubs.log("ben")
            await asyncio.sleep(0.1)
        await self.phones.have(len(self.platform.accepted))

    def answers(self) -> list[str]:
        return [text for text in self.platform.texts if text != SENTENCE]

    def told(self) -> Counter[str]:
        """Return how often each phone got the sentence."""
        return Counter(taken.to for taken in self.platform.accepted if taken.text == SENTENCE)


@pytest_asyncio.fixture
async def world(store, tmp_path, forge):
    if (left := DAY - time.time() % DAY) < LONGEST:  # the limit is one of a day in UTC
        await asyncio.sleep(left)
    put_wrong(tmp_path / "clock", 0)
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store=store, billing=BILLING) as stubs,
    ):
        world = World(stubs, platform)
        yield world
        await world.phones.close()
        await world.crowd.close()


@pytest.mark.slow
async def test_two_servers_share_a_limit_through_a_kill_until_the_next_day(world, tmp_path, store):
    # A message hangs at WhatsApp while its server is killed; the other one sends it again.
    await world.start("anna")
    gate = asyncio.Event()
    world.platform.next.append(hangs(gate))
    hearing = asyncio.create_task(world.hear(Written(1, 1)))
    while not world.platform.asked:
        await asyncio.sleep(0.05)
    world.stubs.kill("anna")
    gate.set()
    await world.start("ben")
    await hearing
    assert world.answers() == ["u1 m1 a", "u1 m1 b", "u1 m1 c"]

    # Six people write to both servers at once, which makes 18 answers more.
    await world.start("anna")
    people = range(2, 8)
    await world.hear(*(Written(person, 1) for person in people))
    assert len(world.answers()) == LIMIT
    assert set(world.told().values()) == {1}
    for person in people:
        whole = [f"u{person} m1 {part}" for part in "abc"]
        shown = world.phones.on(phone_of(person))
        assert shown in (whole, *([*whole[:n], SENTENCE] for n in range(3)))
    assert len(await world.stubs.dead_letters()) == 3 + 18 - LIMIT
    health = await world.stubs.health("ben")
    assert health["status"] == "account in trouble"
    assert [each["subject"] for each in health["account"]] == ["daily_limit"]

    # They write once more: nothing goes, and nobody is told twice.
    await world.hear(*(Written(person, 2) for person in people))
    assert len(world.answers()) == LIMIT
    assert world.told() == Counter(map(phone_of, people))

    # The next day.
    world.stubs.kill("anna")
    world.stubs.kill("ben")
    put_wrong(tmp_path / "clock", DAY)
    forget_time(store)
    await world.start("anna", "ben")
    await world.hear(Written(2, 3), at=time.time() + DAY)
    assert world.answers()[LIMIT:] == ["u2 m3 a", "u2 m3 b", "u2 m3 c"]


def forget_time(store: str) -> None:
    """Let processes not have the time of those that ran a moment ago, as after a real day."""
    if store.startswith(SQLITE):
        with closing(sqlite3.connect(store.removeprefix(SQLITE))) as db, db:
            db.execute("DELETE FROM small_values WHERE key = 'clock'")
