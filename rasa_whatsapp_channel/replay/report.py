"""Results of a played transcript, and their report: differences are marked as in a diff. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from rasa_whatsapp_channel.transcript.expect import Difference, Pair, shown
from rasa_whatsapp_channel.transcript.words import Words, line_of

_WHO = 8


@dataclass(frozen=True)
class StepResult:
    """A step as the report prints it; *problem* is why it could not be done."""

    who: str
    words: Mapping[str, Any]
    problem: str | None = None


@dataclass
class Result:
    """What happened, in order; *broken* if a step could not be done and the rest was skipped."""

    name: str
    lines: list[StepResult | Pair] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        return any(isinstance(line, StepResult) and line.problem is not None for line in self.lines)

    @property
    def faults(self) -> int:
        return sum(
            not line.fits if isinstance(line, Pair) else line.problem is not None
            for line in self.lines
        )


def report(result: Result, *, whole: bool = False) -> Iterator[str]:
    """Yield the lines on *result*; those of a conversation without faults only if *whole*."""
    if result.faults == 0:
        yield f"{click.style('ok', fg='green')}    {result.name}"
    else:
        count = "1 difference" if result.faults == 1 else f"{result.faults} differences"
        yield f"{click.style('FAIL', fg='red')}  {result.name}: {count}"
    if result.faults or whole:
        for line in result.lines:
            yield from _step(line) if isinstance(line, StepResult) else _pair(line)


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
