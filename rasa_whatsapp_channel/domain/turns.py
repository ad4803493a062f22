"""Turns of a bot: which responses its stories, rules and flows say one after the other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import DomainError, parse
from rasa_whatsapp_channel.domain.read import read_text, yaml_files

_HAS_STEPS: Final = re.compile(r"^(stories|rules|flows)[ \t]*:", re.MULTILINE)
# Steps that say nothing and do not wait for the person.
_SILENT: Final = frozenset({"slot_was_set", "set_slots"})


def read_turns(root: Path, names: Collection[str]) -> list[tuple[str, ...]]:
    """
    Return what the bot in *root* says in one turn, where it is at least two responses of *names*.

    An action of the bot's own, a branch and a link end it: what follows is not certain. A file that
    is no YAML is left to Rasa.
    """
    turns: dict[tuple[str, ...], None] = {}
    for file in yaml_files(root / "data"):
        try:
            text = read_text(file)
            value = parse(text, str(file)).value if _HAS_STEPS.search(text) else None
        except DomainError:
            continue
        turns |= dict.fromkeys(_find(value, names))
    return list(turns)


def _find(value: Any, names: Collection[str]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping):
        value = list(value.values())
    elif isinstance(value, list):
        yield from _runs(value, names)
    if isinstance(value, list):
        for part in value:
            yield from _find(part, names)


def _runs(steps: list[Any], names: Collection[str]) -> Iterator[tuple[str, ...]]:
    run: list[str] = []
    for step in [*steps, None]:
        said = _said(step)
        if said in names:
            run.append(said)
        goes_on = said in names and "action" in step and "next" not in step
        if goes_on or (isinstance(step, Mapping) and step.keys() <= _SILENT):
            continue
        if len(run) > 1:
            yield tuple(run)
        run = []


def _said(step: Any) -> str:
    """Return the response that a step says; "" where it is none."""
    if not isinstance(step, Mapping):
        return ""
    asked = f"utter_ask_{step['collect']}" if "collect" in step else ""
    return str(step.get("action") or step.get("utter") or asked)
