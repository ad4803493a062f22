"""Which webhooks count as taken while the bot was blocked."""

from __future__ import annotations

from bench.people import Load
from bench.rows.apart import split


def test_webhooks_are_told_apart_by_whether_the_bot_was_blocked_all_the_time():
    due = [9.9, 10.0, 12.0, 14.99, 15.0, 16.0, 20.5]
    spans = [0.3, 0.1, 0.2, 0.02, 0.4, 0.5, 0.6]
    load = Load(1.0, len(due), 1.0, 0.0, spans, due)

    blocked, others = split(load, [10.0, 20.0], 5.0)

    assert blocked == [0.1, 0.2, 0.6]
    assert others == [0.3, 0.02, 0.4, 0.5]
