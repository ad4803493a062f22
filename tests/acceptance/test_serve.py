"""Door and sender in `rasa-whatsapp serve`, while Rasa is blocked, restarted, killed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from soak.run import Plan, run
from support.cloud_api import cloud_api
from support.crowd import Crowd, Written, webhook_of
from support.eventually import eventually
from support.side_by_side import side_by_side
from support.stubs import SECRET, Stubs, stub_servers
from support.verdict import judge

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.asyncio(loop_scope="module")

BLOCKED = 5.0  # seconds
TIMES = 10
PEOPLE = 20


def crowd_of(stubs: Stubs, seed: int = 1) -> Crowd:
    return Crowd(lambda: stubs.webhook("door"), secret=SECRET, random=random.Random(seed))


def saved(stubs: Stubs, text: str) -> bool:
    return any(line["what"] == "saved" and line["text"] == text for line in stubs.journal.read())


def began(stubs: Stubs, text: str) -> bool:
    return any(line["what"] == "began" and line["text"] == text for line in stubs.journal.read())


async def start_apart(stubs: Stubs, *bots: str) -> None:
    for bot in bots:
        await stubs.start(bot, apart="bot")
    await stubs.start("door", apart="door and sender")


async def test_webhooks_are_taken_while_the_bot_is_blocked_ten_times(tmp_path, forge):
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store="sqlite:///whatsapp.db") as stubs,
    ):
        await start_apart(stubs, "bot")
        crowd = crowd_of(stubs)
        late = []
        for time in range(1, TIMES + 1):
            blocking = Written(PEOPLE, time, f"blocks {BLOCKED}")
            await deliver(crowd, blocking)
            await eventually(lambda text=blocking.text: began(stubs, text))
            await asyncio.gather(*(deliver(crowd, Written(user, time)) for user in range(PEOPLE)))
            if saved(stubs, blocking.text):
                late.append(time)
        written = [
            *(Written(user, n + 1) for user in range(PEOPLE) for n in range(TIMES)),
            *(Written(PEOPLE, n + 1, f"blocks {BLOCKED}") for n in range(TIMES)),
        ]
        await platform.takes(sum(2 + each.number % 2 for each in written), within=120)
        await eventually(lambda: stubs.is_idle("door"))
        await crowd.close()

    assert late == []
    assert judge(written, platform.accepted, stubs.journal.read(), []).faults == []


async def deliver(crowd: Crowd, written: Written) -> None:
    await crowd.deliver(webhook_of([written]))


async def test_no_webhook_is_refused_and_no_message_lost_while_bots_are_restarted(tmp_path, forge):
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store="sqlite:///whatsapp.db") as stubs,
    ):
        await start_apart(stubs, "anna", "ben")
        crowd = crowd_of(stubs)
        writing = asyncio.create_task(crowd.write(range(100), 6, seconds=12.0))
        for bot in ("anna", "ben", "anna"):
            await asyncio.sleep(1)
            await stubs.stop(bot)
            await stubs.start(bot, apart="bot")
        await writing
        await crowd.close()
        written = [Written(user, n + 1) for user in range(100) for n in range(6)]
        await platform.takes(sum(2 + each.number % 2 for each in written), within=120)
        await eventually(lambda: stubs.is_idle("door"))

    assert crowd.refusals == 0
    assert judge(written, platform.accepted, stubs.journal.read(), []).faults == []


@pytest.mark.parametrize(("store", "servers"), [("sqlite", 2), ("redis", 1)])
@side_by_side
async def test_people_in_bad_weather_miss_nothing_and_see_nothing_twice(
    room: Any, store: str, servers: int
) -> None:
    plan = Plan(
        seed=1,
        store=store,
        servers=servers,
        people=30,
        seconds=12.0,
        kills=2,
        blocks=1,
        jumps=1,
        poison=False,
        apart=True,
    )

    result = await run(plan, room.folder, room.forge)

    assert result.faults == [], result.stories
