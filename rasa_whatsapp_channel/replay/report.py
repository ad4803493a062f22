"""Results of a played transcript, and their report: differences are marked as in a diff. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from rasa_whatsapp_channel.replay.budget import write
from rasa_whatsapp_channel.transcript.expect import Difference, Pair, shown
from rasa_whatsapp_channel.transcript.words import Words, line_of
from rasa_whatsapp_channel.wording import counted

_WHO = 8


@dataclass(frozen=True)
class StepResult:
    """A step as the report prints it; *problem* is why it could not be done."""

    who: str
    words: Mapping[str, Any]
    problem: str | None = None


@dataclass
class Result:
    """
    What happened, in order; *broken* if a step could not be done and the rest was skipped.

    *billed* is how many billed messages each response was, *overruns* what of it is too much.
    """

    name: str
    lines: list[StepResult | Pair] = field(default_factory=list)
    billed: Counter[str] = field(default_factory=Counter)
    overruns: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        return any(isinstance(line, StepResult) and line.problem is not None for line in self.lines)

    @property
    def faults(self) -> int:
        return sum(
            not line.fits if isinstance(line, Pair) else line.problem is not None
            for line in self.lines
        )

    @property
    def failed(self) -> bool:
        return bool(self.faults or self.overruns)


def report(result: Result, *, whole: bool = False) -> Iterator[str]:
    """Yield the lines on *result*; those of a conversation without faults only if *whole*."""
    said = [counted(result.faults, "difference")] if result.faults else []
    said.append(counted(result.billed.total(), "billed message"))
    ok, fail = click.style("ok", fg="green") + "    ", click.style("FAIL", fg="red") + "  "
    yield f"{fail if result.failed else ok}{result.name}: {', '.join(said)}"
    if result.faults or whole:
        for line in result.lines:
            yield from _step(line) if isinstance(line, StepResult) else _pair(line)
    for overrun in result.overruns:
        yield click.style(f"    ! {overrun}", fg="red")
    if whole and result.billed:
        yield f"      {'billed':<{_WHO}}{write(result.billed)}"


def _step(step: StepResult) -> Iterator[str]:
    yield f"      {step.who:<{_WHO}}{line_of(step.words)}"
    if step.problem is not None:
        yield click.style(f"    ! {step.problem}", fg="red")


def _pair(pair: Pair) -> Iterator[str]:
    if pair.fits and pair.got is not None:
        yield f"      {'bot':<{_WHO}}{line_of(pair.got)}"
        return
    if pair.expected is not None:
        yield click.style(f"    - {'bot':<{_WHO}}{line_of(_written(pair.expected))}", fg="red")
    if pair.got is not None:
        yield click.style(f"    + {'bot':<{_WHO}}{line_of(pair.got)}", fg="green")
    for difference in pair.differences:
        yield from _difference(difference)


def _difference(difference: Difference) -> Iterator[str]:
    for line in difference.lines():
        yield f"        {'':<{_WHO - 2}}{line}"


def _written(expected: object) -> Words:
    """Return expected words with their patterns as they are written."""
    words = dict(expected) if isinstance(expected, dict) else {}
    return {
        key: value if isinstance(value, (str, list, dict)) else shown(value)
        for key, value in words.items()
    }
