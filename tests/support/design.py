"""docs/design.md, taken apart: the ways of messages, the layers and the tables of modules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from support.documents import ROOT

DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")

_FILE = re.compile(r"`([\w/]+\.py)`")


@dataclass(frozen=True)
class Way:
    """The files a message passes: *steps* in order, and those it passes unchanged."""

    steps: Sequence[str]
    passed: frozenset[str]

    @property
    def files(self) -> frozenset[str]:
        return frozenset(self.steps) | self.passed


def way(title: str) -> Way:
    part = _part(f"### {title}\n")
    steps = re.findall(r"^\d+\. `([\w/]+\.py)`: ", part, re.M)
    return Way(steps, frozenset(_FILE.findall(part.partition("Passed on the way")[2])))


def named_files() -> set[str]:
    """Return every file of the package that the page names."""
    named = _part("## Where to begin\n") + _part("## The way of a message\n", until="\n## ")
    return set(_FILE.findall(named))


def layers() -> list[str]:
    """Return the rows of the picture of layers, from the top."""
    picture = _part("## Layers\n").partition("```text\n")[2].partition("```")[0]
    return [re.split(r" {2,}", line)[0] for line in picture.splitlines()]


def described_modules() -> set[str]:
    """Return the modules that have a row in the tables of modules."""
    rows = re.findall(r"^\| (`[^|]+) \|", _part("## Layers\n"), re.M)
    return {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}


def _part(heading: str, *, until: str = "\n#") -> str:
    assert heading in DESIGN, heading
    return DESIGN.partition(heading)[2].partition(until)[0]
