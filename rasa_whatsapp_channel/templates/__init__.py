"""
Templates as code: those of a bot beside those at WhatsApp, and what brings them together. No I/O.

    written   the templates that a bot has: its responses, and those in a file
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import ndiff
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

    def advice(self, version: int) -> str:
        """Return what to write so that the bot uses this *version* of it."""
        name = f"name: {_VERSION.sub('', self.template.name)}_v{version}"
        return f"write `{f'version: {version}' if self.response else name}` in {self.place}"


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

    @property
    def difference(self) -> list[str]:
        """Return what differs from what was found, a line for each part."""
        if self.found is None:
            return []
        before, after = map(_lines, (self.found.content(), self.written.template.content()))
        return [line for line in ndiff(before, after) if line[0] in "-+"]


def _lines(content: Mapping[str, Any]) -> list[str]:
    components = [f"components: {each}" for each in content["components"]]
    return [*(f"{key}: {content[key]}" for key in ("category", "parameter_format")), *components]


def compare(written: Sequence[Written], found: Sequence[TemplateDefinition]) -> list[Change]:
    """Return what is to be done for each of *written*."""
    known = {each.key: each for each in found}
    return [_compare(each, known) for each in written]


def _compare(written: Written, known: Mapping[tuple[str, str], TemplateDefinition]) -> Change:
    template, ours = written.template, written.template.content()
    found = known.get(template.key)
    if found is None:
        return Change(written, Step.CREATE, template)
    theirs = found.content()
    if theirs == ours:
        return Change(written, Step.NONE, template, found)
    if found.status in _EDITABLE:
        return Change(written, Step.EDIT, template, found)
    if found.status != APPROVED:
        return Change(written, Step.WAIT, template, found, f"it is {found.status}")
    if theirs == {**ours, "category": found.category}:
        note = f"WhatsApp calls it {found.category}: write that category in {written.place}"
        return Change(written, Step.WAIT, template, found, note)
    base = _VERSION.sub("", template.name)
    versions = {
        int(version[1]) if (version := _VERSION.search(name)) else 1: each
        for (name, language), each in known.items()
        if language == template.language and _VERSION.sub("", name) == base
    }
    for number in sorted(versions, reverse=True):
        if (each := versions[number]).content() == ours:
            note = f"{each.name} has this text and is {each.status}: {written.advice(number)}"
            return Change(written, Step.WAIT, template, found, note)
    number = max(versions) + 1
    needed = replace(template, name=f"{base}_v{number}")
    note = f"when {needed.name} is approved, {written.advice(number)}"
    return Change(written, Step.VERSION, needed, found, note)


def check(written: Sequence[Written]) -> Iterator[tuple[Written, Flaw]]:
    """Yield what WhatsApp would refuse."""
    doubled = {*find_doubled([each.template for each in written])}
    for each in written:
        for flaw in (*each.flaws, *find_flaws(each.template)):
            yield each, flaw
        if each.template.key in doubled:
            name, language = each.template.key
            yield each, Flaw("name", f"{name} is there twice in {language}")
