"""The bench measures: a very short run, from the people who write to the rows of the table."""

from __future__ import annotations

import re

import pytest
from bench.__main__ import measure
from bench.bench import QUICK, Size
from bench.goals import Row
from support.processes import PROJECT

pytest.importorskip("heyoo", reason="only the environment of the bench holds what it compares")


async def test_messages_are_measured_beside_their_references():
    size = Size(quick=True, latency=0.01, people=10, rounds=1, warm=0.1, seconds=0.4)

    found, bench = await measure(["throughput"], size)

    ((_, rows),) = found.items()
    assert all(isinstance(row, Row) for row in rows), rows
    assert [(row.what, row.beside) for row in rows] == [
        ("echo, SQLite store, signatures on", "bare Sanic handler that posts with aiohttp"),
        ("processor time of a message", "in the handler"),
        (
            "echo, door and sender in `rasa-whatsapp serve`",
            "bare Sanic handler that posts with aiohttp",
        ),
        ("processor time of a message", "in one process"),
        ("echo, Redis store", "echo, SQLite store"),
        ("echo, SQLite store", "connector on heyoo (synchronous)"),
    ]
    assert all(row.figure > 0 and row.reference > 0 for row in rows), rows
    assert bench.busiest.keys() == {
        f"echo, {name}" for name in ("channel", "serve", "bare", "redis", "heyoo")
    }


async def test_a_change_is_measured_beside_another_checkout():
    size = Size(quick=True, latency=0.01, people=10, rounds=1, warm=0.1, seconds=0.4)

    found, _ = await measure(["throughput"], size, beside=PROJECT)

    ((_, rows),) = found.items()
    assert all(isinstance(row, Row) for row in rows), rows
    assert [(row.what, row.beside) for row in rows] == [
        (what, "the other checkout")
        for store in ("SQLite", "Redis")
        for what in (f"echo, {store} store", "processor time of a message")
    ]
    assert all(row.figure > 0 and row.reference > 0 for row in rows), rows


async def test_half_of_the_messages_of_sixty_conversations_are_billed_and_nothing_is_lost():
    found, _ = await measure(["cost"], QUICK)

    ((_, rows),) = found.items()
    assert all(isinstance(row, Row) for row in rows), rows
    *kinds, apart, together, whole = rows
    assert sum(row.figure for row in kinds) == together.figure < apart.figure < apart.reference
    assert together.verdict == "reached"
    page = (PROJECT / "docs" / "how-to" / "costs.md").read_text(encoding="utf-8")
    for row in kinds:
        assert re.search(rf"\| {row.what} \| {row.reference} \| \d+ \| {row.figure} \|", page)
    assert f"| **{together.reference}** | **{apart.figure}** | **{together.figure}** |" in page
    assert f"it would be {whole.reference} in all" in page
