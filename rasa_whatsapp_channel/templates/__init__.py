"""
Templates as code: those of a bot beside those at WhatsApp, and what brings them together. No I/O.

    responses   the responses that are templates
    files       templates without a response, in a file
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.template_definitions import APPROVED, TemplateDefinition
from rasa_whatsapp_channel.whatsapp.template_rules import Flaw, find_doubled, find_flaws

_VERSION: Final = re.compile(r"_v([0-9]+)\Z")
_EDITABLE: Final = ("REJECTED", "PAUSED")


@dataclass(frozen=True)
class Written:
    """A template that the bot has, and where it is written; *response* is its response, if any."""

    template: TemplateDefinition
    file: str
    line: int
    response: str | None = None
    #: what is wrong with the response
    flaws: Sequence[Flaw] = ()

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


class Step(str, Enum):
    """What brings a template of the bot to WhatsApp."""

    NONE = "same"
    CREATE = "create"
    EDIT = "edit"
    VERSION = "new version"  # what is approved keeps its text
    WAIT = "wait"


@dataclass(frozen=True)
class Change:
    """One template of the bot beside the one at WhatsApp; *needed* is what is sent."""

    written: Written
    step: Step
    needed: TemplateDefinition
    found: TemplateDefinition | None = None
    note: str = ""


def compare(written: Sequence[Written], found: Sequence[TemplateDefinition]) -> list[Change]:
    """Return what is to be done for each of *written*."""
    known = {each.key: each for each in found}
    return [_compare(each, known) for each in written]


def _compare(written: Written, known: Mapping[tuple[str, str], TemplateDefinition]) -> Change:
    template = written.template
    found = known.get(template.key)
    if found is None:
        return Change(written, Step.CREATE, template)
    if found.content() == template.content():
        return Change(written, Step.NONE, template, found)
    if found.status in _EDITABLE:
        return Change(written, Step.EDIT, template, found)
    if found.status != APPROVED:
        return Change(written, Step.WAIT, template, found, f"it is {found.status}")
    if found.content() == {**template.content(), "category": found.category}:
        note = f"WhatsApp calls it {found.category}: write that category in {written.place}"
        return Change(written, Step.WAIT, template, found, note)
    base = _VERSION.sub("", template.name)
    versions = {
        int(version[1]) if (version := _VERSION.search(name)) else 1: each
        for (name, language), each in known.items()
        if language == template.language and _VERSION.sub("", name) == base
    }
    for number, each in sorted(versions.items(), reverse=True):
        if each.content() == template.content():
            note = f"{each.name} has this text and is {each.status}: {_write(written, number)}"
            return Change(written, Step.WAIT, template, found, note)
    number = max(versions) + 1
    needed = replace(template, name=f"{base}_v{number}")
    note = f"when {needed.name} is approved, {_write(written, number)}"
    return Change(written, Step.VERSION, needed, found, note)


def _write(written: Written, number: int) -> str:
    base = _VERSION.sub("", written.template.name)
    what = f"version: {number}" if written.response else f"name: {base}_v{number}"
    return f"write `{what}` in {written.place}"


def difference(change: Change) -> list[str]:
    """Return what of the template differs, a line for each part."""
    ours, theirs = change.written.template.content(), change.found.content() if change.found else {}
    return [
        line
        for key in ours
        if ours[key] != theirs.get(key)
        for line in _lines(key, theirs.get(key), ours[key])
    ]


def _lines(key: str, theirs: Any, ours: Any) -> Iterator[str]:
    before, after = (
        [*map(str, each)] if isinstance(each, list) else [str(each)]
        for each in (theirs or [], ours)
    )
    yield from (f"- {key}: {each}" for each in before if each not in after)
    yield from (f"+ {key}: {each}" for each in after if each not in before)


def check(written: Sequence[Written]) -> Iterator[tuple[Written, Flaw]]:
    """Yield what WhatsApp would refuse."""
    doubled = {*find_doubled([each.template for each in written])}
    for each in written:
        for flaw in (*each.flaws, *find_flaws(each.template)):
            yield each, flaw
        if each.template.key in doubled:
            yield (
                each,
                Flaw("name", f"{each.template.name} is there twice in {each.template.language}"),
            )
