"""How the load is counted. Only what was over within the seconds that are measured counts."""

from __future__ import annotations

import asyncio

import pytest
from bench.people import Load, closed, so_many


async def test_nothing_counts_before_everybody_was_answered_once():
    started = asyncio.Event()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 3:  # the slowest of three people
            await asyncio.sleep(0.05)
            started.set()
        await started.wait()
        await asyncio.sleep(0.001)

    load = await closed(turn, people=3, warm=0.0, seconds=0.05)

    assert 0 < load.turns <= turns - 3
    assert load.rate == pytest.approx(load.turns / load.seconds)
    assert len(load.spans) == load.turns


async def test_what_a_server_took_of_its_processor_is_counted_in_the_same_seconds():
    readings = iter([{"": 10.0}, {"": 10.5}])

    load = await closed(
        lambda: asyncio.sleep(0.001),
        people=2,
        warm=0,
        seconds=0.01,
        cpu=lambda: next(readings),
    )

    assert load.cpu == {"": 0.5}
    assert load.costs == {"cost": 500 / load.turns}


async def test_a_failing_turn_ends_the_load():
    async def turn() -> None:
        raise RuntimeError("the webhook was answered 503")

    with pytest.raises(RuntimeError, match="503"):
        await closed(turn, people=2, warm=0, seconds=0)


async def test_as_many_turns_as_were_asked_for():
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await asyncio.sleep(0)

    await so_many(turn, people=4, turns=11)

    assert turns == 11


@pytest.mark.parametrize(("share", "slowest"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_in_milliseconds(share, slowest):
    spans = [number / 1000 for number in reversed(range(1, 101))]

    assert Load(1.0, 100, 1.0, 0.1, spans).percentile(share) == pytest.approx(slowest)
