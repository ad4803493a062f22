"""Verdicts → text for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from rasa_whatsapp_channel.doctor.verdict import State, Verdict, is_healthy

_MARKS: Final[Mapping[State, tuple[str, str]]] = {
    State.OK: ("✔", "green"),
    State.WARNING: ("!", "yellow"),
    State.ERROR: ("✘", "red"),
    State.SKIPPED: ("–", "bright_black"),
}
_COUNTED: Final[Mapping[State, str]] = {
    State.ERROR: "to mend",
    State.WARNING: "to look at",
    State.SKIPPED: "not tried",
    State.OK: "OK",
}
_NAME: Final = 14
_MARGIN: Final = " " * (4 + _NAME + 1)
_WIDEST: Final = 110


class Lines:
    """Writes verdicts one by one, with a heading where an area begins."""

    def __init__(self, width: int | None = None) -> None:
        self._area = ""
        self._width = min(width or shutil.get_terminal_size().columns, _WIDEST)

    def of(self, verdict: Verdict) -> Iterator[str]:
        import click

        if verdict.area != self._area:
            if self._area:
                yield ""
            self._area = verdict.area
            yield click.style(verdict.area.capitalize(), bold=True)
        mark, colour = _MARKS[verdict.state]
        name = verdict.name.replace("_", " ")
        dim = verdict.state is State.SKIPPED
        first, *rest = self._wrap(verdict.text, 4 + max(_NAME, len(name)) + 1)
        label = click.style(f"{name:<{_NAME}}", dim=True)
        yield f"  {click.style(mark, fg=colour, bold=True)} {label} {click.style(first, dim=dim)}"
        for line in rest:
            yield _MARGIN + click.style(line, dim=dim)
        for number, line in enumerate(self._wrap(verdict.remedy, len(_MARGIN) + 2)):
            arrow = click.style("→ ", fg=colour, bold=True) if number == 0 else "  "
            yield f"{_MARGIN}{arrow}{line}"

    def _wrap(self, text: str, indent: int) -> list[str]:
        width = max(self._width - indent, 30)
        return [
            line
            for part in text.split("\n")
            for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False)
        ] or ([""] if not text and indent < len(_MARGIN) else [])


def summary(verdicts: Sequence[Verdict]) -> str:
    import click

    counts = Counter(verdict.state for verdict in verdicts)
    parts = [
        click.style(f"{counts[state]} {words}", fg=_MARKS[state][1], bold=state is State.ERROR)
        for state, words in _COUNTED.items()
        if counts[state]
    ]
    return ", ".join(parts)


def to_json(verdicts: Sequence[Verdict]) -> str:
    document = {
        "healthy": is_healthy(verdicts),
        "checks": [{**asdict(verdict), "state": verdict.state.value} for verdict in verdicts],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
