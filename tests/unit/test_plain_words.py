"""Names in the code are the standard words of its field; none of the replaced metaphors returns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from support.documents import ROOT
from support.log_calls import PACKAGE, log_calls

from rasa_whatsapp_channel.metrics import Metrics

MODULES = {
    *("note", "wiring", "seams", "told", "kinds", "elsewhere", "bursts", "facts", "typed", "pace"),
    *("look", "ask", "probe", "storage", "examine", "judge", "guess", "insides", "fit", "starter"),
    *("mishaps", "disorder", "moves", "lanes", "whole", "crowd", "tally", "heal", "fading"),
}
CLASSES = {
    *("Outlet", "SetAside", "GivenUp", "Release", "Again", "Handle", "Line", "Door", "Fading"),
    *("Commits", "Pace", "Proof", "Place", "Machine", "Desk", "Played", "Did", "Entry"),
}
WORDS = re.compile(
    r"(set_aside|give_up|gives_up|given_up|forgiven|lapsed|slips|farewell|breath|heals?|healed"
    r"|without_file|brake|mishaps?|lanes?|purge[sd]?|purging|seams?|tap_not_ours|everyone_waits"
    r"|sent_another_way|goes_again|bursts)(?=_|\b)"
)


def names() -> Iterator[tuple[str, str]]:
    """Yield every name that the package defines, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        yield place, path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{place}:{node.lineno}", node.name
            elif isinstance(node, ast.arg):
                yield f"{place}:{node.lineno}", node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield f"{place}:{node.lineno}", node.id
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
                yield f"{place}:{node.lineno}", node.target.attr


def test_no_module_class_or_function_has_the_name_of_a_metaphor() -> None:
    found = [
        f"{place} {name}"
        for place, name in names()
        if name in CLASSES or WORDS.search(name.lower()) or (":" not in place and name in MODULES)
    ]

    assert found == []


def test_no_log_event_and_no_series_is_a_metaphor() -> None:
    series = [family.name for family in Metrics().registry.collect()]

    assert [name for name in (*series, *(c.event for c in log_calls())) if WORDS.search(name)] == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{n}.md" for n in ("monitoring", "doctor"))])
def test_pages_speak_of_dead_letters(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    assert not re.search(r"set aside|given up|queue purge", text, re.IGNORECASE)
