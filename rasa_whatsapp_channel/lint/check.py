"""Linter: runs all checks on a domain and gives each remark its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from rasa_whatsapp_channel.compose.closed_window import Outside
from rasa_whatsapp_channel.compose.foresee import (
    Foreseen,
    ForeseenTurn,
    OutgoingSettings,
    foresee,
    foresee_turn,
)
from rasa_whatsapp_channel.domain.read import (
    Domain,
    DomainFile,
    DomainResponse,
    TextFile,
    Variation,
)
from rasa_whatsapp_channel.domain.turns import read_turns
from rasa_whatsapp_channel.inbound.intents import wordless_intents
from rasa_whatsapp_channel.lint.composed import (
    Sent,
    check_fit,
    check_translations,
    find_open_type,
    send_all,
)
from rasa_whatsapp_channel.lint.mantle import (
    check_project,
    check_skill,
    check_written,
    sets_memory,
)
from rasa_whatsapp_channel.lint.media import LinkAnswer, Use, check_file, check_link, find_uses
from rasa_whatsapp_channel.lint.rules import Finding, Level, Remark, kind_of, remark, write_path
from rasa_whatsapp_channel.lint.schema import check_channel, check_reach, check_schema, is_for_us
from rasa_whatsapp_channel.lint.slots import check_braces, check_slot
from rasa_whatsapp_channel.templates import check
from rasa_whatsapp_channel.templates.written import read_responses
from rasa_whatsapp_channel.whatsapp.apis import Api

# Missing content is not reported where Rasa has refused a part of the variation.
_MISSING: Final = ("WA103", "WA308")
_COMMENT: Final = re.compile(r"#\s*whatsapp:\s*ignore\s+(WA\d{3}(?:[\s,]+WA\d{3})*)")
_CODE: Final = re.compile(r"WA\d{3}")


@dataclass(frozen=True)
class Linter:
    """Checks *domain* for *apis*."""

    domain: Domain
    apis: Sequence[Api]
    #: What the servers of links answered, where they were asked.
    answers: Mapping[str, LinkAnswer] = field(default_factory=dict)
    #: Intents of messages without text.
    wordless: Sequence[str] = field(default_factory=lambda: wordless_intents({}))
    #: Which settings say which files may be sent, and how many messages there are.
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)
    #: How many billed messages a response may be.
    budget: int | None = None
    #: The file with the channels of a bot for Mantle.
    integrations: DomainFile | None = None

    @cached_property
    def foreseen(self) -> Sequence[tuple[Variation, Foreseen]]:
        """How many billed messages each variation is, in the language and API that need most."""
        return [
            (variation, self._foresee(variation))
            for response in self.domain.responses
            for variation in response.variations
            if is_for_us(variation.channel)
        ]

    @cached_property
    def outside(self) -> Sequence[tuple[Variation, Sequence[Outside]]]:
        """As what the messages of each variation go while the 24-hour window is closed."""
        return [
            (variation, self.outgoing.ways(sent.composed, variation.response.name))
            for variation, _ in self.foreseen
            for sent in self._send_all(self._usable(variation), self.apis[0])[:1]
        ]

    @cached_property
    def turns(self) -> Sequence[ForeseenTurn]:
        """How many billed messages the turns of several responses are, in their first words."""
        filled: dict[str, Mapping[str, Any]] = {}
        for variation, _ in self.foreseen:
            if variation.response.name not in filled:
                sents = self._send_all(self._usable(variation), self.apis[0])
                filled[variation.response.name] = sents[0].filled
        return [
            foresee_turn(
                [(name, filled[name]) for name in turn], api=self.apis[0], settings=self.outgoing
            )
            for turn in read_turns(self.domain.root, filled)
        ]

    def findings(self) -> list[Finding]:
        """Return all findings that are not ignored, in the order of the files."""
        found = [*self._check_files(), *self._check_slots(), *self._check_responses()]
        found += self._check_templates()
        if self.domain.is_mantle:
            found = [*self._check_mantle(), *found]
        sources = (source.name for source in self.domain.sources)
        files = dict.fromkeys((*sources, *(finding.file for finding in found)))
        order = {name: number for number, name in enumerate(files)}
        return sorted(dict.fromkeys(found), key=lambda finding: (order[finding.file], finding.line))

    def check_billed(self) -> Iterator[Finding]:
        """Yield what is several billed messages, and what would make them fewer."""
        for variation, foreseen in self.foreseen:
            if foreseen.messages > 1:
                said = remark("WA621", foreseen=foreseen)
                if self.budget is not None and foreseen.messages > self.budget:
                    said = replace(said, level=Level.ERROR)
                yield from _find(variation.response, [said], variation)

    def links(self) -> list[str]:
        """Return the links of all responses, except those that slots are part of."""
        uses = (
            use
            for response in self.domain.responses
            for variation in response.variations
            for api in self.apis
            for use in self._uses(self._usable(variation), api)
        )
        return list(dict.fromkeys(use.source for use in uses if use.is_link))

    def _check_files(self) -> Iterator[Finding]:
        for source in self.domain.sources:
            for key, line in source.document.repeated:
                yield from _place(source, remark("WA618", key=key), line)
        if self.domain.intents is None:
            return
        missing = [name for name in self.wordless if name not in self.domain.intents]
        sources = [source for source in self.domain.sources if "intents" in source.keys]
        if missing and sources:
            line = sources[0].document.line_of(("intents",))
            names = ", ".join(missing)
            yield from _place(sources[0], remark("WA619", names=names), line)

    def _check_mantle(self) -> Iterator[Finding]:
        for skill in self.domain.skills:
            for placed in check_skill(skill):
                yield from _place(*placed)
        for placed in check_project(self.domain.root, self.integrations):
            yield from _place(*placed)
        variations = (each for response in self.domain.responses for each in response.variations)
        for variation in variations:
            if sets_memory(variation.part.value):  # to be told once is enough
                yield from _find(variation.response, [remark("WA625", ("buttons",))], variation)
                return

    def _check_templates(self) -> Iterator[Finding]:
        files = {source.name: source for source in self.domain.sources}
        for written, flaw in check(list(read_responses(self.domain))):
            template = written.template
            said = remark(
                "WA630",
                name=template.name,
                language=template.language,
                place=flaw.place,
                problem=flaw.problem,
            )
            yield from _place(files[written.file], said, written.line, written.response)

    def _check_slots(self) -> Iterator[Finding]:
        for source in self.domain.sources:
            for name, part in source.section("slots").items():
                for said in check_slot(str(name), part.value, self.domain.forms, self.wordless):
                    yield from _place(source, said, part.line_of(said.path), None, part.line)

    def _check_responses(self) -> Iterator[Finding]:
        for response in self.domain.responses:
            if not isinstance(response.part.value, list):
                kind = kind_of(response.part.value)
                yield from _find(response, [remark("WA615", kind=kind)])
                continue
            yield from _find(response, check_reach(each.channel for each in response.variations))
            for variation in response.variations:
                yield from _find(response, self._check_variation(variation), variation)

    def _check_variation(self, variation: Variation) -> Iterator[Remark]:
        written = variation.part.value
        if not isinstance(written, Mapping):
            yield remark("WA615", kind=f"{kind_of(written)} in the list")
            return
        refused = list(self._refused(written))
        yield from refused
        if self.domain.is_mantle:
            yield from check_braces({"metadata": written.get("metadata")}, None)
        else:
            yield from check_channel(variation.channel)
            yield from check_braces(written, self.domain.slots, variation.part.is_plain)
        if not is_for_us(variation.channel):
            return
        yield from check_translations(written)
        open_type = find_open_type(written)
        if open_type:
            yield remark("WA617", open_type, field=write_path(open_type))
            return
        for said in self._on_every_api(self._usable(variation)):
            if not (refused and said.code in _MISSING):
                yield said

    def _on_every_api(self, variation: Mapping[str, Any]) -> Iterator[Remark]:
        """Yield remarks that hold for every API once, others with the names of the APIs."""
        found = {api.name: dict.fromkeys(self._check_sent(variation, api)) for api in self.apis}
        for said in dict.fromkeys(item for remarks in found.values() for item in remarks):
            names = [name for name, remarks in found.items() if said in remarks]
            everywhere = len(names) == len(found)
            if everywhere or all(f"api {name}" in said.text for name in names):
                yield said
            else:
                yield replace(said, text=f"{said.text} (api {', '.join(names)})")

    def _check_sent(self, variation: Mapping[str, Any], api: Api) -> Iterator[Remark]:
        sents = self._send_all(variation, api)
        yield from check_fit(variation, sents, self.domain.slots or {})
        for use in find_uses(variation, sents):
            yield from self._check_use(use, api)

    def _check_use(self, use: Use, api: Api) -> Iterator[Remark]:
        if use.is_link:
            yield from check_link(use, api, self.answers.get(use.source))
        else:
            yield from check_file(use, self.domain.root, api, self.outgoing.access)

    def _foresee(self, variation: Variation) -> Foreseen:
        foreseen = (
            foresee(sent.filled, api=api, settings=self.outgoing)
            for api in self.apis
            for sent in self._send_all(self._usable(variation), api)
        )
        return max(foreseen, key=lambda each: each.messages)

    def _send_all(self, variation: Mapping[str, Any], api: Api) -> list[Sent]:
        return send_all(variation, self.domain.slots or {}, api, self.outgoing)

    def _uses(self, variation: Mapping[str, Any], api: Api) -> Iterator[Use]:
        yield from find_uses(variation, self._send_all(variation, api))

    def _refused(self, written: Mapping[Any, Any]) -> Iterator[Remark]:
        """Yield what the bot's engine refuses in a variation."""
        return check_written(written) if self.domain.is_mantle else check_schema(written)

    def _usable(self, variation: Variation) -> Mapping[str, Any]:
        """Return the keys of a variation that Rasa accepts and sends to the channel."""
        written = variation.part.value
        if not isinstance(written, Mapping) or not is_for_us(variation.channel):
            return {}
        refused = {
            said.path[0]
            for said in self._refused(written)
            if said.path and said.path[-1] not in ("title", "payload")
        }
        if self.domain.is_mantle and isinstance(written.get("buttons"), Mapping):
            refused.add("buttons")  # a tool names them
        used = {key: value for key, value in written.items() if key not in refused}
        return {**used, "utter_action": variation.response.name}


def _find(
    response: DomainResponse, remarks: Iterable[Remark], variation: Variation | None = None
) -> Iterator[Finding]:
    part = variation.part if variation else response.part
    for said in remarks:
        line = part.line_of(said.path)
        yield from _place(response.source, said, line, response.name, response.part.line)


def _place(
    source: TextFile, said: Remark, line: int, response: str | None = None, *others: int
) -> Iterator[Finding]:
    """Yield the finding, unless a comment in its line, or in one of *others*, says to ignore it."""
    if not is_ignored(said.code, source.lines, line, *others):
        yield Finding(said.code, said.level, source.name, line, response, said.text)


def is_ignored(code: str, lines: Sequence[str], *numbers: int) -> bool:
    """Return whether one of the lines with *numbers*, from 1, says to ignore *code*."""
    return any(code in _ignored(lines[number - 1]) for number in numbers if number <= len(lines))


def _ignored(line: str) -> list[str]:
    found = _COMMENT.search(line)
    return _CODE.findall(found[1]) if found else []
