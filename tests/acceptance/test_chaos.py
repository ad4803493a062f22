"""
Servers are killed at any moment while eighty people write: nothing lost, all in order.

    SEED=7 SOAK=5 make test ARGS=tests/acceptance/test_chaos.py

kills at other moments, and lets five times as much happen.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.chaos import Chaos
from support.cloud_api import cloud_api
from support.redis_server import RedisServer
from support.side_by_side import Room, side_by_side
from support.stubs import stub_servers

SEED = int(os.environ.get("SEED", "1"))
SOAK = int(os.environ.get("SOAK", "1"))
USERS = 80
MESSAGES = 10 * SOAK  # of each of them
KILLS = 12 * SOAK
PACE = 3.0  # seconds between two kills, on average

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@side_by_side
async def test_one_server_on_sqlite_is_killed_twelve_times(room):
    async with chaos_on("sqlite:///whatsapp.db", room, "only") as chaos:

        async def kill_all(moments: random.Random) -> None:
            for _ in range(KILLS):
                await asyncio.sleep(moments.uniform(0.2, 1.6) * PACE)
                chaos.kill("only")
                await asyncio.sleep(moments.uniform(0, 0.2) * PACE)
                chaos.start("only")

        await run(chaos, kill_all, room)


@side_by_side
async def test_of_three_servers_on_redis_one_dies_for_good(room):
    redis = RedisServer(room.folder, appendonly="yes")
    redis.start()
    try:
        async with chaos_on(redis.url, room, "anna", "ben", "cleo") as chaos:

            async def kill_all(moments: random.Random) -> None:
                for number in range(KILLS):
                    await asyncio.sleep(moments.uniform(0.2, 1.6) * PACE)
                    victim = moments.choice(chaos.servers)
                    chaos.kill(victim)
                    await asyncio.sleep(moments.uniform(0, 0.2) * PACE)
                    if number == KILLS // 2:
                        chaos.bury(victim)
                    else:
                        chaos.start(victim)

            await run(chaos, kill_all, room)
            assert len(chaos.servers) == 2
    finally:
        redis.kill()


@asynccontextmanager
async def chaos_on(store: str, room: Room, *servers: str) -> AsyncIterator[Chaos]:
    async with (
        cloud_api() as platform,
        stub_servers(room.folder, platform, forge=room.forge, store=store) as stubs,
    ):
        yield Chaos(stubs, platform, servers, seed=SEED)


async def run(chaos: Chaos, kill_all, room: Room) -> None:
    """Let everything happen, and judge."""
    killing = kill_all(random.Random(SEED))
    verdict = await chaos.run(USERS, MESSAGES, killing, seconds=KILLS * PACE)
    room.figures.append(chaos.figures(verdict))

    assert verdict.faults == [], chaos.stories(verdict)
    assert verdict.doubles <= len(chaos.kills), verdict.doubled
