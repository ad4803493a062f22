"""
A share of `make soak`: thirty people chat with a bot in bad weather.

    SEED=7 make test ARGS=tests/acceptance/test_soak.py
"""

from __future__ import annotations

import os

import pytest
from soak.run import Plan, run
from support.side_by_side import side_by_side

SEED = int(os.environ.get("SEED", "1"))

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
        seconds=15.0,
        kills=1,
        blocks=1,
        jumps=1,
        poison=False,
    )

    result = await run(plan, room.folder, room.forge)

    assert result.faults == [], result.stories
