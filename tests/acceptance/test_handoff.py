"""
A share of `make soak --only handoff`: a person takes over at every point of a turn.

    SEED=7 make test ARGS=tests/acceptance/test_handoff.py

has other weather and other kills; COMMITS=all dies at every commit.
"""

from __future__ import annotations

import os

import pytest
from soak.handoff import POINTS, Plan, deaths, die_at_all, run
from support.side_by_side import side_by_side

DEATHS = None if os.environ.get("COMMITS") == "all" else 12
SEED = int(os.environ.get("SEED", "1"))

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("store", "servers", "kills"), [("sqlite", 1, 0), ("redis", 2, 1)])
@side_by_side
async def test_nobody_is_talked_over_and_nothing_is_lost(room, store, servers, kills):
    plan = Plan(SEED, store, servers, conversations=2 * len(POINTS), seconds=5.0, kills=kills)

    result = await run(plan, room.folder, room.forge)

    room.figures.append(result)
    assert result.faults == []
    assert set(result.points) == set(POINTS)


@side_by_side
async def test_a_server_killed_at_any_commit_loses_and_talks_over_nothing(room):
    results = await die_at_all(deaths(SEED, DEATHS), room.folder, room.forge)

    assert results
    assert [f"{result.plan}: {fault}" for result in results for fault in result.faults] == []
