"""What reaches a goal, and what `make bench-check` fails for."""

from __future__ import annotations

import pytest
from bench.goals import Failure, Row, at_least, at_most, at_most_added, below, medians, misses

REACHED = [
    # figure, reference, goal
    (80.0, 100.0, at_least(0.8)),
    (300.0, 100.0, at_least(0.8)),
    (200.0, 10.0, at_most(20)),
    (1.0, 10.0, at_most(20)),
    (180.0, 30.0, at_most_added(150)),
    (20.0, 30.0, at_most_added(150)),
    (0.0, 0.0, at_most(1.1)),
    (63.9, 3.0, below(64)),
]
MISSED = [
    (79.9, 100.0, at_least(0.8)),
    (201.0, 10.0, at_most(20)),
    (180.1, 30.0, at_most_added(150)),
    (1.0, 0.0, at_most(1.1)),
    (64.1, 100.0, below(64)),
]
MISSED_BY_FAR = [
    (67.9, 100.0, at_least(0.8)),  # 0.8 - 15 % is 0.68
    (230.1, 10.0, at_most(20)),  # 20 + 15 % is 23
    (202.6, 30.0, at_most_added(150)),  # 150 + 15 % is 172.5
    (73.7, 100.0, below(64)),  # 64 + 15 % is 73.6
]
MISSED_BY_LITTLE = [
    (68.1, 100.0, at_least(0.8)),
    (229.9, 10.0, at_most(20)),
    (202.4, 30.0, at_most_added(150)),
]


def row(figure, reference, goal):
    return Row("speed", figure, "something", reference, "ms", goal)


@pytest.mark.parametrize(("figure", "reference", "goal"), REACHED)
def test_a_goal_is_reached(figure, reference, goal):
    assert row(figure, reference, goal).verdict == "reached"


@pytest.mark.parametrize(("figure", "reference", "goal"), MISSED + MISSED_BY_FAR)
def test_a_goal_is_missed(figure, reference, goal):
    assert row(figure, reference, goal).verdict == "missed"


def test_a_row_without_a_goal_has_no_verdict():
    assert row(1.0, 2.0, None).verdict == ""


@pytest.mark.parametrize(("figure", "reference", "goal"), MISSED_BY_FAR)
def test_the_check_fails_for_a_ratio_far_from_its_goal(figure, reference, goal):
    (reason,) = misses([row(figure, reference, goal)])

    assert reason.startswith("speed: ")
    assert goal.kind.value in reason


@pytest.mark.parametrize(("figure", "reference", "goal"), REACHED + MISSED_BY_LITTLE)
def test_the_check_forgives_what_a_busy_machine_does(figure, reference, goal):
    assert misses([row(figure, reference, goal)]) == []


def test_the_check_fails_for_what_could_not_be_measured():
    assert misses([Failure("speed", "no Redis")]) == ["speed: not measured: no Redis"]


def test_rows_without_a_goal_are_not_checked():
    assert misses([row(1.0, 1000.0, None)]) == []


def test_one_slow_round_does_not_change_the_median():
    rounds = [{"rate": 90.0}, {"rate": 100.0}, {"rate": 5.0}, {"rate": 95.0}, {"rate": 110.0}]

    assert medians(rounds) == {"rate": 95.0}


def test_a_name_that_only_some_rounds_have_is_their_median():
    assert medians([{"a": 1.0}, {"a": 3.0, "b": 7.0}]) == {"a": 2.0, "b": 7.0}
