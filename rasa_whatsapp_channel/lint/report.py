"""Lint report: findings as text, as JSON, or as annotations for GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rasa_whatsapp_channel.compose.closed_window import Outside, Way
from rasa_whatsapp_channel.compose.foresee import Foreseen, ForeseenTurn
from rasa_whatsapp_channel.domain.read import Variation
from rasa_whatsapp_channel.lint.rules import Finding, Level
from rasa_whatsapp_channel.wording import counted

_COLOURS: Final[Mapping[Level, str]] = {
    Level.ERROR: "red",
    Level.WARNING: "yellow",
    Level.NOTE: "blue",
}
_GITHUB: Final[Mapping[Level, str]] = {
    Level.ERROR: "error",
    Level.WARNING: "warning",
    Level.NOTE: "notice",
}


@dataclass(frozen=True)
class Report:
    """Findings, and the numbers of responses and files that were checked."""

    findings: Sequence[Finding]
    responses: int
    files: int
    #: how many billed messages the variations are
    foreseen: Sequence[tuple[Variation, Foreseen]] = ()
    #: the same of the turns of several responses
    turns: Sequence[ForeseenTurn] = ()
    #: as what the messages of the variations go while the 24-hour window is closed
    outside: Sequence[tuple[Variation, Sequence[Outside]]] = ()

    @property
    def billed(self) -> Sequence[int]:
        """How many billed messages each response is, with the variation that needs most."""
        most: dict[tuple[str, str], int] = {}
        for variation, foreseen in self.foreseen:
            key = variation.source.name, variation.response.name
            most[key] = max(most.get(key, 0), foreseen.messages)
        return list(most.values())

    def count(self, level: Level) -> int:
        return sum(finding.level is level for finding in self.findings)

    def is_clean(self, *, strict: bool = False) -> bool:
        """Return whether there are no errors; with *strict* no warnings either."""
        return not (self.count(Level.ERROR) or (strict and self.count(Level.WARNING)))


def to_text(report: Report) -> Iterator[str]:
    import click  # only this format needs it

    for finding in report.findings:
        level = click.style(f"{finding.level.value} {finding.code}", fg=_COLOURS[finding.level])
        name = click.style(f"{finding.response}: ", bold=True) if finding.response else ""
        yield f"{finding.file}:{finding.line}: {level} {name}{finding.text}"
    if report.findings:
        common = Counter(finding.code for finding in report.findings).most_common(1)[0][0]
        yield ""
        yield f"What is meant as it is: write # whatsapp: ignore {common} at the end of its line."
    yield summary(report)
    if report.billed:
        yield _total(report.billed)
    if any(turn.combined < turn.messages for turn in report.turns):
        yield _turns(report.turns)
    ways = Counter(each.way for _, outside in report.outside for each in outside)
    if set(ways) - {Way.WAIT}:
        yield "Messages outside of the 24-hour window:"
        yield from (f"  {count:>5,}  {way} [{way.value}]" for way, count in sorted(ways.items()))


def summary(report: Report) -> str:
    found = [counted(report.count(level), level.value) for level in Level if report.count(level)]
    looked_at = f"{counted(report.responses, 'response')} in {counted(report.files, 'file')}"
    return f"{', '.join(found) or 'Nothing found'}: {looked_at}"


def _total(billed: Sequence[int]) -> str:
    counts = sorted(Counter(billed).items())
    first, *others = [(f"{messages:,}", count) for messages, count in counts]
    parts = [
        f"{counted(first[1], 'response')} of {first[0]}",
        *(f"{count:,} of {messages}" for messages, count in others),
    ]
    return f"{counted(sum(billed), 'billed message')} if each is said once: {', '.join(parts)}"


def _turns(turns: Sequence[ForeseenTurn]) -> str:
    messages = counted(sum(turn.messages for turn in turns), "billed message")
    combined = sum(turn.combined for turn in turns)
    return (
        f"{messages} in {counted(len(turns), 'turn')} of several responses, by stories, rules and "
        f"flows: {combined:,} with `combine: turn`"
    )


def to_json(report: Report) -> Iterator[str]:
    document = {
        "findings": [asdict(finding) for finding in report.findings],
        "responses": report.responses,
        "files": report.files,
        "billed": {
            "messages": sum(report.billed),
            "turns": [asdict(turn) for turn in report.turns],
            "variations": [
                {
                    "response": variation.response.name,
                    "variation": variation.number,
                    **asdict(foreseen),
                }
                for variation, foreseen in report.foreseen
            ],
        },
        "outside_window": [
            {
                "response": variation.response.name,
                "variation": variation.number,
                "codes": [each.way for each in outside],
            }
            for variation, outside in report.outside
        ],
    }
    yield json.dumps(document, ensure_ascii=False, indent=2)


def to_github(report: Report) -> Iterator[str]:
    """Yield workflow commands, which GitHub shows beside the lines of a pull request."""
    # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    for finding in report.findings:
        title = f"{finding.code} {finding.response or ''}".strip()
        where = f"file={_property(finding.file)},line={finding.line},title={_property(title)}"
        yield f"::{_GITHUB[finding.level]} {where}::{_data(finding.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
