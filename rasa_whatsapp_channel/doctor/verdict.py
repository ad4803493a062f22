"""What one check found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """*error*: must be mended. *warning*: works, but look at it. *skipped*: could not be tried."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """*check* is the area and its name, such as ``account.token``; *remedy* what to do."""

    check: str
    state: State
    text: str
    remedy: str = ""

    @property
    def area(self) -> str:
        return self.check.partition(".")[0]

    @property
    def name(self) -> str:
        return self.check.partition(".")[2]


def ok(check: str, text: str) -> Verdict:
    return Verdict(check, State.OK, text)


def warning(check: str, text: str, remedy: str) -> Verdict:
    return Verdict(check, State.WARNING, text, remedy)


def error(check: str, text: str, remedy: str) -> Verdict:
    return Verdict(check, State.ERROR, text, remedy)


def skipped(check: str, text: str, remedy: str = "") -> Verdict:
    return Verdict(check, State.SKIPPED, text, remedy)


def is_healthy(verdicts: Iterable[Verdict]) -> bool:
    """Return whether nothing must be mended."""
    return not any(verdict.state is State.ERROR for verdict in verdicts)
