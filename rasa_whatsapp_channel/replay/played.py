"""What happened when a transcript was played. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp_channel.transcript.expect import Pair


@dataclass(frozen=True)
class Did:
    """A step that was done, as a line says it; *problem* is why it could not be."""

    who: str
    words: Mapping[str, Any]
    problem: str | None = None


@dataclass
class Played:
    """What happened, in order. *broken*: a step could not be done, and the rest was left out."""

    name: str
    lines: list[Did | Pair] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        return any(isinstance(line, Did) and line.problem is not None for line in self.lines)

    @property
    def faults(self) -> int:
        return sum(
            not line.fits if isinstance(line, Pair) else line.problem is not None
            for line in self.lines
        )
