"""Every call of a logger in the package, as it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2] / "rasa_whatsapp_channel"
LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical", "log")
PLACEHOLDER: Final = re.compile(r"%(?:\.\d+)?([a-zA-Z%])")


@dataclass(frozen=True)
class Call:
    """*words* is the text before anything is filled in; *names* are those that `args` use."""

    file: str
    line: int
    logger: str
    method: str
    words: str
    args: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    extra: dict[str, str] = field(default_factory=dict, hash=False)
    picked: frozenset[str] = frozenset()  # the levels that a call of *log* picks from

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.event}"

    @property
    def event(self) -> str:
        return self.words.split(":")[0]

    @property
    def level(self) -> str:
        """Return the name of its level, of several the highest that is no error."""
        return "ERROR" if self.levels == {"error"} else max(self.levels - {"error"}).upper()

    @property
    def levels(self) -> frozenset[str]:
        if self.method == "log":
            return self.picked
        return frozenset({"error" if self.method == "exception" else self.method})

    def samples(self) -> list[object]:
        """Return a value for each placeholder, told apart in the line that comes out."""
        kinds = [kind for kind in PLACEHOLDER.findall(self.words) if kind != "%"]
        return [
            f"fact-{place}-of-{self.line}" if kind in "sr" else 1000 + place
            for place, kind in enumerate(kinds)
        ]


@cache
def log_calls() -> tuple[Call, ...]:
    return tuple(call for path in sorted(PACKAGE.rglob("*.py")) for call in _calls_of(path))


def _calls_of(path: Path) -> Iterator[Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in LEVELS and "logg" in ast.unparse(node.func.value):
            yield _read(path, node, node.func.attr)


def _read(path: Path, node: ast.Call, method: str) -> Call:
    assert isinstance(node.func, ast.Attribute)
    words, *args = node.args[1:] if method == "log" else node.args
    extra = next((each.value for each in node.keywords if each.arg == "extra"), None)
    assert extra is None or isinstance(extra, ast.Dict), f"{path}:{node.lineno}: is no dict"
    return Call(
        path.relative_to(PACKAGE).as_posix(),
        node.lineno,
        ast.unparse(node.func.value),
        method,
        words.value if isinstance(words, ast.Constant) else f"{ast.unparse(words)} (no literal)",
        tuple(map(ast.unparse, args)),
        frozenset(_names(args)),
        {
            str(getattr(key, "value", key)): ast.unparse(value)
            for key, value in (zip(extra.keys, extra.values, strict=True) if extra else ())
        },
        frozenset(
            part.attr.lower()
            for part in ast.walk(node.args[0])
            if method == "log" and isinstance(part, ast.Attribute) and part.attr.isupper()
        ),
    )


def _names(nodes: list[ast.expr]) -> Iterator[str]:
    """Yield what a value is taken from: of ``event.errors[0].text`` it is event, errors, text."""
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                yield part.attr
            elif isinstance(part, ast.Name):
                yield part.id
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
