"""Load test results: messages lost, duplicated or out of order, and latencies. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

Answer = Sequence[str]  # what each message of an answer shows, in order


@dataclass(frozen=True)
class Comparison:
    """*lost* and *doubled* count messages; *out_of_order* is 1 for an answer in another order."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0


def compare(wanted: Answer, got: Answer) -> Comparison:
    """
    Compare an answer with the one that a single user received before the load.

    A message with another text replaces a missing one, since bots vary their texts. A repeated
    message is doubled.
    """
    missing, extra = Counter(wanted), Counter(got)
    missing.subtract(got)
    extra.subtract(wanted)
    lost = sum(count for count in missing.values() if count > 0)
    doubled = sum(count for what, count in extra.items() if count > 0 and what in wanted)
    others = sum(count for what, count in extra.items() if count > 0 and what not in wanted)
    return Comparison(
        lost=max(lost - others, 0),
        doubled=doubled + max(others - lost, 0),
        out_of_order=int(not _in_order(wanted, got)),
    )


@dataclass
class LoadResults:
    """Figures of a running load test; latencies are those of first messages, in seconds."""

    written: int = 0
    answered: int = 0
    unanswered: int = 0  # within the patience of a user
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return self.written - self.answered - self.unanswered

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.out_of_order

    def add(self, verdict: Comparison) -> None:
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.out_of_order += verdict.out_of_order

    def figures(self) -> list[tuple[str, str]]:
        """Return name and value of each figure, as a table shows them."""
        per_second = self.messages / self.seconds if self.seconds else 0.0
        return [
            ("seconds", f"{self.seconds:.0f}"),
            ("written", str(self.written)),
            ("answered", str(self.answered)),
            ("answers per second", f"{self.answered / self.seconds if self.seconds else 0:.1f}"),
            ("messages per second", f"{per_second:.1f}"),
            ("p50 of the answer", in_words(percentile(self.latencies, 50))),
            ("p99 of the answer", in_words(percentile(self.latencies, 99))),
            ("lost", str(self.lost)),
            ("doubled", str(self.doubled)),
            ("out of order", str(self.out_of_order)),
        ]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the smallest value that *percent* of them do not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(int(place), 1) - 1]


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _in_order(wanted: Answer, got: Answer) -> bool:
    """Return whether the wanted messages came in the wanted order."""
    places = [got.index(what) for what in dict.fromkeys(wanted) if what in got]
    return places == sorted(places)
