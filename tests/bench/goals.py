"""What a measured row is, and whether it reaches its goal. Decides only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Final

SLACK: Final = 0.15  # share of its goal by which a ratio may miss it before `bench-check` fails


class Kind(Enum):
    AT_LEAST = "≥"  # figure / reference
    AT_MOST = "≤"  # figure / reference
    ADDED = "≤ +"  # figure - reference, in the row's unit
    LIMIT = "<"  # the figure alone, in the row's unit


@dataclass(frozen=True)
class Goal:
    kind: Kind
    limit: float

    def distance(self, figure: float, reference: float) -> float:
        """Return what is compared with the limit: a ratio, a difference, or the figure."""
        if self.kind is Kind.LIMIT:
            return figure
        if self.kind is Kind.ADDED:
            return figure - reference
        return ratio(figure, reference)

    def is_reached(self, figure: float, reference: float, *, slack: float = 0.0) -> bool:
        found = self.distance(figure, reference)
        if self.kind is Kind.AT_LEAST:
            return found >= self.limit * (1 - slack)
        return found <= self.limit * (1 + slack)


@dataclass(frozen=True)
class Row:
    """
    One line of the table.

    *figure* and *reference* are in *unit*. A row without a goal is there to be known.
    *note* says what a reader has to know to believe it.
    """

    what: str
    figure: float
    beside: str
    reference: float
    unit: str
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return ratio(self.figure, self.reference)

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "reached" if self.goal.is_reached(self.figure, self.reference) else "missed"


@dataclass(frozen=True)
class Failure:
    """A row that could not be measured, and why."""

    what: str
    reason: str


def ratio(figure: float, reference: float) -> float:
    if reference == 0:
        return float("inf") if figure else 1.0
    return figure / reference


def at_least(limit: float) -> Goal:
    return Goal(Kind.AT_LEAST, limit)


def at_most(limit: float) -> Goal:
    return Goal(Kind.AT_MOST, limit)


def at_most_added(limit: float) -> Goal:
    """Return the goal that a figure is at most *limit* above its reference."""
    return Goal(Kind.ADDED, limit)


def below(limit: float) -> Goal:
    """Return the goal that a figure itself is below *limit*, whatever its reference is."""
    return Goal(Kind.LIMIT, limit)


def misses(rows: Iterable[Row | Failure]) -> list[str]:
    """Return, in words, what `bench-check` fails for: goals missed by more than the slack."""
    found = []
    for row in rows:
        if isinstance(row, Failure):
            found.append(f"{row.what}: not measured: {row.reason}")
        elif row.goal and not row.goal.is_reached(row.figure, row.reference, slack=SLACK):
            got = row.goal.distance(row.figure, row.reference)
            found.append(
                f"{row.what}: {got:.3g}, the goal is {row.goal.kind.value} {row.goal.limit:g}"
            )
    return found


def medians(rounds: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the median of each name over all rounds that measured it."""
    found: dict[str, list[float]] = {}
    for each in rounds:
        for name, value in each.items():
            found.setdefault(name, []).append(value)
    return {name: median(values) for name, values in found.items()}
