"""
A share of `make soak --only weather`: nothing is lost, doubled or out of order in rough weather.

    WEATHER=11 make test ARGS=tests/acceptance/test_rough_weather.py

has another weather.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from soak.weather import Plan, runs

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 25  # who ask for 150 answers: each of the sixty kinds twice
SEED = int(os.environ.get("WEATHER", "3"))


async def test_sixty_kinds_of_answers_are_there_once_and_in_order(tmp_path, figures):
    plan = Plan(SEED, "sqlite", people=PEOPLE)
    plans = [
        plan,
        replace(plan, seed=SEED + 1, store="redis", combine="turn"),
        replace(plan, apart=True),
        replace(plan, api="on_premises"),
    ]

    results = [result async for result in runs(plans, tmp_path)]

    figures("\n    ".join(map(str, results)))
    assert [fault for result in results for fault in result.faults] == []
    assert all(len(result.met) > 15 for result in results)
