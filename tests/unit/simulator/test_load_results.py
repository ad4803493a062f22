"""What came of a load."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.simulator.load_test import (
    Comparison,
    LoadResults,
    compare,
    in_words,
    percentile,
)


@pytest.mark.parametrize(
    ("wanted", "got", "comparison"),
    [
        ("abc", "abc", Comparison()),
        ("abc", "", Comparison(lost=3)),
        ("abc", "ac", Comparison(lost=1)),
        ("abc", "abcc", Comparison(doubled=1)),
        ("abc", "abcabc", Comparison(doubled=3)),
        ("abc", "acb", Comparison(out_of_order=1)),
        ("abc", "aab", Comparison(lost=1, doubled=1)),
        ("aab", "aab", Comparison()),
        # Bots vary what they say: other words stand for those that are missing.
        ("abc", "axc", Comparison()),
        ("abc", "abcx", Comparison(doubled=1)),
        ("ab", "x", Comparison(lost=1)),
    ],
)
def test_an_answer_is_judged_by_the_one_that_somebody_got_alone(wanted, got, comparison):
    assert compare(wanted, got) == comparison


@pytest.mark.parametrize(
    ("values", "percent", "value"),
    [
        ([], 50, None),
        ([3.0], 50, 3.0),
        ([3.0], 99, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 102)], 99, 100.0),
    ],
)
def test_a_percentile_is_one_of_the_values(values, percent, value):
    assert percentile(values, percent) == value


def test_the_figures_are_what_a_table_shows():
    results = LoadResults(written=40, answered=38, messages=76, seconds=10.0, latencies=[0.05, 1.5])
    results.add(Comparison(lost=2, doubled=1, out_of_order=1))
    results.add(Comparison(lost=1))

    assert dict(results.figures()) == {
        "seconds": "10",
        "written": "40",
        "answered": "38",
        "answers per second": "3.8",
        "messages per second": "7.6",
        "p50 of the answer": "50 ms",
        "p99 of the answer": "1.50 s",
        "lost": "3",
        "doubled": "1",
        "out of order": "1",
    }
    assert (results.waiting, results.faults) == (2, 5)


def test_without_an_answer_there_is_no_time():
    assert in_words(None) == "–"
