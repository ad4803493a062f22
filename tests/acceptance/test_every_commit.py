"""
The server is killed right before and right after any commit of its store.

    COMMITS=all make test ARGS=tests/acceptance/test_every_commit.py

dies at each of them; otherwise it is a share, chosen by SEED.
"""

from __future__ import annotations

import os
import random
import time

import pytest
from support.every_commit import die_at_all, every_point
from support.stubs import Forge

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

SEED = int(os.environ.get("SEED", "1"))
ALL = os.environ.get("COMMITS") == "all"
SHARE = 12  # of each kind of weather


@pytest.mark.parametrize("weather", ["calm", "rough"])
async def test_a_server_killed_at_any_commit_loses_doubles_and_overtakes_nothing(
    tmp_path, figures, weather
):
    forge = Forge(tmp_path)
    began = time.monotonic()
    points = every_point()
    if not ALL:
        points = random.Random(SEED).sample(points, SHARE)
    try:
        reached = await die_at_all(points, tmp_path, forge, is_rough=weather == "rough")
    finally:
        forge.close()

    last = max(point.number for point in reached)
    took = time.monotonic() - began
    figures(f"killed at {len(reached)} points, up to commit {last}; {took:.0f} s")
    assert [fault for faults in reached.values() for fault in faults] == []
