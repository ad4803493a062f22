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
PLACES = (ROOT / "docs", ROOT / "examples")
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


# Riddles that people met on the page, in the command line, in errors and on the pages, each with
# its plain word. Everyday words such as "a text" and "without it" are for a reader to judge.
RIDDLES = {
    r"whatsapp on your desk": "WhatsApp simulator",
    r"what the bot hears": "incoming messages",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\b(ends|exits) with 1\b|ends with status 1": "exits with status 1",
    r"\b(right|wrong) proof\b": "valid or invalid signature",
    r"\bsure \d+ ?%": "confidence",
    r"nothing goes wrong": "no active faults",
    r"throw away|take all away": "discard, clear all",
    r"stands? there twice": "is duplicated",
    r"says no source": "has no source",
    r"the one gap": "known limitation",
    r"\bpromises\.md\b|^#+ promises": "delivery guarantees",
    r"be woken for|\bknocks\b": "alerts; unauthorised requests",
    r"\bin hand\b|\bwritten down\b": "in flight; stored",
    r"\bfor programs\b": "JSON output",
    r"\bending of (the|its|a) (file )?name": "file extension",
    r"\bset aside\b|\bgiven up on\b": "dead letter",
}
RIDDLE = re.compile("|".join(RIDDLES), re.IGNORECASE | re.MULTILINE)
SHOWN = ("*.html", "*.js", "*.md", "*.yml")


def strings() -> Iterator[tuple[str, str]]:
    """Yield every text of the package that may be shown, which comments and docstrings are not."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        is_command = path.is_relative_to(PACKAGE / "cli")  # there a docstring is the help
        hidden = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, scopes) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and (is_command or id(node) not in hidden):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def test_no_riddle_is_shown_by_the_command_line_by_an_error_or_by_the_log() -> None:
    found = [f"{place} {told[0]}" for place, text in strings() for told in RIDDLE.finditer(text)]

    assert found == []


def test_no_riddle_is_on_a_page() -> None:
    page = PACKAGE / "simulator" / "page"
    files = [path for kind in SHOWN for top in (page, *PLACES) for path in top.rglob(kind)]
    assert len(files) > 50

    found = [
        f"{path.relative_to(ROOT)}: {told[0]}"
        for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *files]
        for told in RIDDLE.finditer(path.read_text(encoding="utf-8"))
    ]

    assert found == []
