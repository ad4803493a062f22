"""What came of a load."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.simulator.load.results import (
    Tally,
    Verdict,
    in_words,
    judge,
    percentile,
)


@pytest.mark.parametrize(
    ("wanted", "got", "verdict"),
    [
        ("abc", "abc", Verdict()),
        ("abc", "", Verdict(lost=3)),
        ("abc", "ac", Verdict(lost=1)),
        ("abc", "abcc", Verdict(doubled=1)),
        ("abc", "abcabc", Verdict(doubled=3)),
        ("abc", "acb", Verdict(out_of_order=1)),
        ("abc", "aab", Verdict(lost=1, doubled=1)),
        ("aab", "aab", Verdict()),
        # Bots vary what they say: other words stand for those that are missing.
        ("abc", "axc", Verdict()),
        ("abc", "abcx", Verdict(doubled=1)),
        ("ab", "x", Verdict(lost=1)),
    ],
)
def test_an_answer_is_judged_by_the_one_that_somebody_got_alone(wanted, got, verdict):
    assert judge(wanted, got) == verdict


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
    tally = Tally(written=40, answered=38, messages=76, seconds=10.0, latencies=[0.05, 1.5])
    tally.add(Verdict(lost=2, doubled=1, out_of_order=1))
    tally.add(Verdict(lost=1))

    assert dict(tally.figures()) == {
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
    assert (tally.waiting, tally.faults) == (2, 5)


def test_without_an_answer_there_is_no_time():
    assert in_words(None) == "–"
