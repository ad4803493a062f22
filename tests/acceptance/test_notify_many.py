"""
A share of `make soak ARGS="--only notify"`: a file of people, two servers, one killed twice.

    PEOPLE=100000 make test ARGS=tests/acceptance/test_notify_many.py
"""

from __future__ import annotations

import os

import pytest
from soak.notify import Plan, run

PEOPLE = int(os.environ.get("PEOPLE", "150"))

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_everybody_who_may_get_it_gets_it_once_though_servers_and_command_die(
    tmp_path, forge, store
):
    result = await run(Plan(PEOPLE, store), tmp_path, forge)

    assert result.faults == [], str(result)
    assert result.got + result.opted_out == PEOPLE
    assert result.states["withheld"] == result.opted_out
