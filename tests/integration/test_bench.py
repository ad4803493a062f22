"""The bench measures: a very short run, from the people who write to the rows of the table."""

from __future__ import annotations

import pytest
from bench.__main__ import measure
from bench.bench import Size
from bench.goals import Row

pytest.importorskip("heyoo", reason="only the environment of the bench holds what it compares")


async def test_messages_are_measured_beside_their_references():
    size = Size(quick=True, latency=0.01, people=10, rounds=1, warm=0.1, seconds=0.4)

    found, bench = await measure(["throughput"], size)

    ((_, rows),) = found.items()
    assert all(isinstance(row, Row) for row in rows), rows
    assert [(row.what, row.beside) for row in rows] == [
        ("echo, SQLite store, signatures on", "bare Sanic handler that posts with aiohttp"),
        ("processor time of a message", "in the handler"),
        ("echo, Redis store", "bare Sanic handler that posts with aiohttp"),
        ("echo, SQLite store", "connector on heyoo (synchronous)"),
    ]
    assert all(row.figure > 0 and row.reference > 0 for row in rows), rows
    assert bench.busiest.keys() == {"echo, channel", "echo, bare", "echo, redis", "echo, heyoo"}
