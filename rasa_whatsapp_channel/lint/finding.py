"""What the linter says: a remark about a part of a variation, and a finding with its place."""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.lint.rules import RULES, Level


@dataclass(frozen=True)
class Remark:
    """*path* leads to what it is about, from the map of a variation on."""

    code: str
    level: Level
    text: str
    path: Path = ()


@dataclass(frozen=True)
class Finding:
    code: str
    level: Level
    file: str
    line: int
    response: str | None  # None: it is about the file
    text: str


def remark(code: str, path: Path = (), /, **values: object) -> Remark:
    rule = RULES[code]
    return Remark(code, rule.level, rule.says.format(**values), path)


def write_path(path: Path) -> str:
    """Write *path* as people do: ``buttons[0].title``."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(parts).removeprefix(".")
