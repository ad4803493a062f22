"""
A share of `make soak`: people chat in bad weather, and servers die at commits of their store.

    SEED=7 make test ARGS=tests/acceptance/test_soak.py

has other weather and other commits; COMMITS=all dies at every one.
"""

from __future__ import annotations

import os
import random

import pytest
from soak.run import Plan, run
from support.every_commit import die_at_all, every_point
from support.side_by_side import side_by_side

SEED = int(os.environ.get("SEED", "1"))
ALL_COMMITS = os.environ.get("COMMITS") == "all"
COMMITS = 12

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("store", "servers"), [("sqlite", 1), ("redis", 2)])
@side_by_side
async def test_thirty_people_in_bad_weather_miss_nothing_and_see_nothing_twice(
    room, store, servers
):
    plan = Plan(
        seed=SEED,
        store=store,
        servers=servers,
        people=30,
        seconds=12.0,
        kills=1,
        blocks=1,
        jumps=1,
        poison=False,
    )

    result = await run(plan, room.folder, room.forge)

    assert result.faults == [], result.stories


@pytest.mark.parametrize(
    ("weather", "credentials"),
    [("calm", {}), ("rough", {}), ("rough", {"combine": "turn", "combine_wait": 0.05})],
    ids=["calm", "rough", "rough, combined in parts"],
)
@side_by_side
async def test_a_server_killed_at_any_commit_loses_doubles_and_overtakes_nothing(
    room, weather, credentials
):
    points = every_point()
    if not ALL_COMMITS:
        points = random.Random(SEED).sample(points, COMMITS)

    reached = await die_at_all(
        points, room.folder, room.forge, is_rough=weather == "rough", **credentials
    )

    assert reached
    assert [fault for faults in reached.values() for fault in faults] == []
