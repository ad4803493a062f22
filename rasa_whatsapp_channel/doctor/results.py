"""Check results, and how they are printed: text for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Final


class State(str, Enum):
    """The outcome of a check; an error must be fixed, a skipped check could not run."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CheckResult:
    """The result of *check*, an area and a name such as ``account.token``, with its remedy."""

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


def ok(check: str, text: str) -> CheckResult:
    return CheckResult(check, State.OK, text)


def warning(check: str, text: str, remedy: str) -> CheckResult:
    return CheckResult(check, State.WARNING, text, remedy)


def error(check: str, text: str, remedy: str) -> CheckResult:
    return CheckResult(check, State.ERROR, text, remedy)


def skipped(check: str, text: str, remedy: str = "") -> CheckResult:
    return CheckResult(check, State.SKIPPED, text, remedy)


def is_healthy(results: Iterable[CheckResult]) -> bool:
    """Return whether nothing must be fixed."""
    return not any(result.state is State.ERROR for result in results)


_MARKS: Final[Mapping[State, tuple[str, str]]] = {
    State.OK: ("✔", "green"),
    State.WARNING: ("!", "yellow"),
    State.ERROR: ("✘", "red"),
    State.SKIPPED: ("–", "bright_black"),
}
_COUNTED: Final[Mapping[State, str]] = {
    State.ERROR: "to fix",
    State.WARNING: "to look at",
    State.SKIPPED: "not tried",
    State.OK: "OK",
}
_NAME: Final = 14
_MARGIN: Final = " " * (4 + _NAME + 1)
_WIDEST: Final = 110


class Lines:
    """Formats results one by one, with a heading for each area."""

    def __init__(self, width: int | None = None) -> None:
        self._area = ""
        self._width = min(width or shutil.get_terminal_size().columns, _WIDEST)

    def of(self, result: CheckResult) -> Iterator[str]:
        import click

        if result.area != self._area:
            if self._area:
                yield ""
            self._area = result.area
            yield click.style(result.area.capitalize(), bold=True)
        mark, colour = _MARKS[result.state]
        name = result.name.replace("_", " ")
        dim = result.state is State.SKIPPED
        first, *rest = self._wrap(result.text, 4 + max(_NAME, len(name)) + 1)
        label = click.style(f"{name:<{_NAME}}", dim=True)
        yield f"  {click.style(mark, fg=colour, bold=True)} {label} {click.style(first, dim=dim)}"
        for line in rest:
            yield _MARGIN + click.style(line, dim=dim)
        for number, line in enumerate(self._wrap(result.remedy, len(_MARGIN) + 2)):
            arrow = click.style("→ ", fg=colour, bold=True) if number == 0 else "  "
            yield f"{_MARGIN}{arrow}{line}"

    def _wrap(self, text: str, indent: int) -> list[str]:
        width = max(self._width - indent, 30)
        return [
            line
            for part in text.split("\n")
            for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False)
        ] or ([""] if not text and indent < len(_MARGIN) else [])


def summary(results: Sequence[CheckResult]) -> str:
    import click

    counts = Counter(result.state for result in results)
    parts = [
        click.style(f"{counts[state]} {words}", fg=_MARKS[state][1], bold=state is State.ERROR)
        for state, words in _COUNTED.items()
        if counts[state]
    ]
    return ", ".join(parts)


def to_json(results: Sequence[CheckResult]) -> str:
    document = {
        "healthy": is_healthy(results),
        "checks": [{**asdict(result), "state": result.state.value} for result in results],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
