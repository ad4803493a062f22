"""Lint rules: the codes, and the remarks and findings that are made from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.wording import suggest

_SHOWN: Final = 12
_KINDS: Final = (
    (type(None), "nothing"),
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a string"),
    (date, "a date"),
    (Mapping, "a map"),
    (list, "a list"),
)


class Level(str, Enum):
    """error: content does not reach the person; warning: it differs from what is written; note."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class LintRule:
    """A rule: its meaning for the list of codes, and the template of a finding's text."""

    meaning: str
    level: Level
    says: str


RULES: Final[Mapping[str, LintRule]] = MappingProxyType(
    {
        "WA601": LintRule(
            "a key Rasa does not know",
            Level.ERROR,
            "Rasa refuses the key {key}; {hint}",
        ),
        "WA602": LintRule(
            "a variation without text and custom",
            Level.ERROR,
            'Rasa refuses a variation without text or custom; write text: ""',
        ),
        "WA603": LintRule(
            "a value of a kind Rasa refuses",
            Level.ERROR,
            "Rasa refuses {field}: it must be {wanted}, not {kind}{hint}",
        ),
        "WA604": LintRule(
            "a slot where Rasa fills none in",
            Level.ERROR,
            "Rasa fills nothing into {field}: {text} goes out as it stands",
        ),
        "WA605": LintRule(
            "a channel that does not exist",
            Level.WARNING,
            "is only for the channel {channel!r}, which neither Rasa nor this package has; {hint}",
        ),
        "WA606": LintRule(
            "a slot's longest value does not fit",
            Level.WARNING,
            "with {value!r} in {{{slot}}}: {meaning} ({code})",
        ),
        "WA607": LintRule(
            "a slot may not fit",
            Level.NOTE,
            "nobody knows how long {slots} will be; with {length} characters: {meaning} ({code})",
        ),
        "WA608": LintRule(
            "a dollar sign before a slot",
            Level.NOTE,
            "shows a dollar sign before the slot's value; without it write {{{name}}}",
        ),
        "WA609": LintRule(
            "a variable of the environment",
            Level.WARNING,
            "Rasa puts no variables of the environment into quotes, and the domain has no slot "
            "{name!r} ({hint}); the person sees ${{{name}}}",
        ),
        "WA610": LintRule(
            "a dollar sign and a brace outside of quotes",
            Level.WARNING,
            "Rasa takes ${{{name}}} for a variable of the environment: Rasa 3.6 refuses the file, "
            "Rasa Pro fails where it is not set; put {field} in quotes",
        ),
        "WA611": LintRule(
            "a slot that is not in the domain",
            Level.WARNING,
            "the domain has no slot {name!r} ({hint}); unless an action hands it over, "
            "Rasa leaves the whole text as it stands",
        ),
        "WA612": LintRule(
            "braces Rasa cannot read",
            Level.ERROR,
            "Rasa fails on the braces in {field} and sends nothing: {problem}; "
            "write {{{{ and }}}} for braces that are meant",
        ),
        "WA613": LintRule(
            "braces Rasa takes for a slot",
            Level.WARNING,
            "Rasa takes {{{name}}} for a slot, finds none, logs an error and fills nothing into "
            "{field}; write {{{{ and }}}} around it",
        ),
        "WA614": LintRule(
            "doubled braces beside a slot",
            Level.WARNING,
            "Rasa fills nothing into {field}, because doubled braces around a name stand beside "
            "{{{name}}}; the person sees all of it as it stands",
        ),
        "WA615": LintRule(
            "a response that is not a list of variations",
            Level.ERROR,
            'Rasa refuses it: a response is a list of maps, such as - text: "…"; this is {kind}',
        ),
        "WA616": LintRule(
            "a response without a variation for WhatsApp",
            Level.WARNING,
            "has {what}; on WhatsApp Rasa says nothing",
        ),
        "WA617": LintRule(
            "a type that comes from a slot",
            Level.NOTE,
            "{field} comes from a slot, so nothing of this variation can be checked",
        ),
        "WA618": LintRule(
            "a duplicated key",
            Level.ERROR,
            "{key!r} is duplicated in one map; Rasa refuses the file",
        ),
        "WA619": LintRule(
            "intents of the channel are missing",
            Level.NOTE,
            "the domain lists no {names}; Rasa takes what people send without words for plain text",
        ),
        "WA620": LintRule(
            "a slot that takes messages without words",
            Level.WARNING,
            "the slot {slot} takes {names} for an answer; list what is none in not_intent or in "
            "ignored_intents of {form}, or let `inbound:` in credentials.yml make events of it",
        ),
        "WA621": LintRule("a response is several billed messages", Level.NOTE, "{foreseen}"),
        "WA622": LintRule(
            "a key Mantle does not take",
            Level.ERROR,
            "Rasa refuses {field} in a bot for Mantle; {hint}",
        ),
        "WA623": LintRule(
            "a response for Mantle without a text",
            Level.ERROR,
            "Rasa refuses a response without a text in a bot for Mantle; write the caption there",
        ),
        "WA624": LintRule(
            "a payload that sets nothing",
            Level.ERROR,
            "Rasa refuses the payload {payload!r}; write set:session.SKILL.FIELD=VALUE",
        ),
        "WA625": LintRule(
            "a tap that counts in the last message only",
            Level.NOTE,
            "Rasa takes a tap on a set: button only while this is the bot's last message; WhatsApp "
            "lets people tap it for ever, and a later tap hears that it is no longer available: "
            "let the skill ask again",
        ),
        "WA626": LintRule(
            "a skill that hangs up",
            Level.WARNING,
            "hangup ends the tracker for ever: the next message of this person begins a new one, "
            "or is ignored with on_hangup: silence; to end the task only, write next: END",
        ),
        "WA627": LintRule(
            "an intent Mantle cannot be given",
            Level.ERROR,
            "Mantle has no intents, so failure_intent cannot be triggered; take it away: an event "
            "in the tracker tells of what did not arrive",
        ),
        "WA628": LintRule(
            "files of two engines, or too few of Mantle",
            Level.ERROR,
            "{problem}",
        ),
        "WA629": LintRule(
            "a file Mantle does not read",
            Level.WARNING,
            "Rasa does not read {name} beside a bot for Mantle; move what counts to "
            "integrations.yml, channels below channels:, and delete it",
        ),
        "WA630": LintRule(
            "a template that WhatsApp would refuse",
            Level.ERROR,
            "template {name} ({language}): {place} {problem}",
        ),
        "WA631": LintRule(
            "a translation without its template",
            Level.WARNING,
            "outside of the 24-hour window the template goes in {language}, not in {others}; write "
            "a variation for each language, with a condition and a template",
        ),
        "WA701": LintRule("a file that is not there, or is not sent", Level.ERROR, "{problem}"),
        "WA702": LintRule("a file that is empty or too big", Level.ERROR, "{problem}"),
        "WA703": LintRule("a file of a type WhatsApp does not take", Level.ERROR, "{problem}"),
        "WA704": LintRule(
            "a file that has to be made to fit",
            Level.WARNING,
            "{path}: is {what}, which WhatsApp does not take as {kind}; "
            "the channel makes it fit where its extra [convert] is installed",
        ),
        "WA705": LintRule(
            "a link WhatsApp cannot reach",
            Level.ERROR,
            "{link}: WhatsApp fetches links itself and does not reach {host}",
        ),
        "WA706": LintRule(
            "a link to a type WhatsApp does not take",
            Level.WARNING,
            "{link}: looks like {mime_type}; WhatsApp takes {known} as {kind}",
        ),
        "WA707": LintRule("a link that does not answer", Level.ERROR, "{link}: {problem}"),
        "WA708": LintRule(
            "a file of another kind than its name says",
            Level.WARNING,
            "{path}: goes as {new} and not as {kind}, because that is what is inside",
        ),
        "WA709": LintRule(
            "a document of a type that is not on WhatsApp's list",
            Level.WARNING,
            "{path}: is {mime_type}; the Cloud API lists PDF, plain text and the types of Office "
            "for documents, and may refuse it",
        ),
    }
)


@dataclass(frozen=True)
class Remark:
    """A remark about the part of a variation at *path*."""

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


def kind_of(value: object) -> str:
    """Name the kind of *value* in the words of YAML."""
    return next(name for kinds, name in _KINDS if isinstance(value, kinds))


def nearest(name: str, known: Collection[str], *, form: str = "{}") -> str:
    """Return a hint for a *name* that is not *known*; *form* is how a known one is written."""
    return suggest(name, sorted(known), form=form, most=_SHOWN)
