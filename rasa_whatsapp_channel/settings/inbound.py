"""
Inbound settings: the group ``inbound:``, how messages without text are handled.

Each type of message is handled as `turn`, `event` or `ignore`, or has a template, the text of its
turn.

A template that begins with a slash is an intent; ``{...}`` behind it stands for all entities, as
JSON. No single value can stand there: spliced into a command, a value could add to the command.
Any other template is a text, in which ``{caption}`` stands for the value of that name.
Without one it is an intent, or for engines whose model reads the text a line such as
``[image: The lake]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.settings.keys import unknown_key
from rasa_whatsapp_channel.settings.parsers import SettingsError

_FILE: Final = ("id", "mime_type", "filename", "path")

# What each kind of message can fill in; `profile_name` stands for the sender's name in texts.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "image": (*_FILE, "caption"),
        "video": (*_FILE, "caption"),
        "audio": _FILE,
        "voice": (*_FILE, "transcript"),
        "document": (*_FILE, "caption"),
        "sticker": _FILE,
        "location": ("latitude", "longitude", "name", "address"),
        "contacts": ("name", "phone"),
        "order": ("catalog_id", "text", "product_retailer_id"),
        "reaction": ("emoji", "removed", "message_id"),
        "flow": ("name", "flow_token", "answers"),
        "edit": ("message_id", "text"),
        "revoke": ("message_id",),
        "unsupported": ("type", "code"),
        "payment": ("reference_id", "status", "amount", "currency"),
        "call": ("call_id",),
    }
)
NO_MESSAGES: Final = ("payment", "call")  # kinds that are no types of messages
EVERYWHERE: Final = "profile_name"
# What a line tells of each kind beside its name; a tool finds the rest in the metadata.
_IN_LINE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "image": ("caption",),
        "video": ("caption",),
        "document": ("filename", "caption"),
        "location": ("name", "address", "latitude", "longitude"),
        "contacts": ("name", "phone"),
        "order": ("text", "product_retailer_id"),
        "reaction": ("emoji",),
        "flow": ("answers",),
        "edit": ("text",),
        "unsupported": ("type",),
        "payment": ("status", "amount", "currency", "reference_id"),
    }
)


class Handling(str, Enum):
    """How a message is handled."""

    TURN = "turn"  # it is a turn of the bot, and answers what waits for an answer
    EVENT = "event"  # it is noted in the tracker; no policy, form or flow is asked
    IGNORE = "ignore"


_HANDLINGS: Final = tuple(each.value for each in Handling)
# No form should take one of these for an answer.
_DEFAULTS: Final = {
    **dict.fromkeys(("reaction", "edit", "revoke"), Handling.EVENT),
    "call": Handling.IGNORE,
}

_COMMAND: Final = re.compile(r"/[^\s/{}@()\"']+(\{\.\.\.\})?")
_FIELD: Final = re.compile(r"\{(\w*)\}")


def check(kind: str, template: object) -> str:
    """Return *template*, stripped; raises `ValueError` with what it must be for *kind*."""
    if not isinstance(template, str) or not template.strip():
        raise ValueError(f'turn, event, ignore, or a text such as "/whatsapp_{kind}{{...}}"')
    template = template.strip()
    if template in _HANDLINGS:
        return template
    meant = get_close_matches(template.lower(), _HANDLINGS, n=1, cutoff=0.75)
    if meant and template.isalpha():
        raise ValueError(f"{meant[0]}, or a text that is not mistaken for it")
    if template.startswith("/"):
        if not _COMMAND.fullmatch(template):
            raise ValueError(
                f'an intent such as "/whatsapp_{kind}{{...}}", {{...}} for all entities'
            )
        return template
    known = (*FIELDS[kind], EVERYWHERE)
    rest = _FIELD.sub(lambda found: "" if found[1] in known else found[0], template)
    if "{" in rest or "}" in rest:
        names = ", ".join(f"{{{name}}}" for name in known)
        raise ValueError(f"a text with no other fields than {names}")
    return template


def parse_group(value: object) -> Mapping[str, str]:
    """Return the handling, or the template, of each type of message."""
    if not isinstance(value, Mapping):
        raise ValueError(
            'a group of keys, such as `inbound: {sticker: ignore, image: "[picture] {caption}"}`'
        )
    words: dict[str, str] = {}
    problems: list[str] = []
    for kind, template in value.items():
        if kind not in FIELDS:
            problems.append(unknown_key(str(kind), FIELDS, "inbound."))
            continue
        try:
            words[kind] = check(kind, template)
        except ValueError as error:
            problems.append(f"'inbound.{kind}' must be {error}, not {template!r}.")
    if problems:
        raise SettingsError("\n".join(problems))
    return words


def handling_of_kind(kind: str, wording: Mapping[str, str]) -> Handling:
    """Return how messages of *kind* are handled; *wording* is the setting ``inbound``."""
    said = wording.get(kind)
    if said is None:
        return _DEFAULTS.get(kind, Handling.TURN)
    return Handling(said) if said in _HANDLINGS else Handling.TURN


def template_of(kind: str, wording: Mapping[str, str]) -> str | None:
    """Return the template of *kind*; None where it keeps its own intent."""
    said = wording.get(kind)
    return None if said in _HANDLINGS else said


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """Return *template* with *fields* filled in; a missing one leaves nothing."""
    if template.startswith("/"):
        return template.replace("{...}", to_entities(fields))
    return _FIELD.sub(lambda found: _written(fields.get(found[1])), template).strip()


def to_line(kind: str, fields: Mapping[str, Any]) -> str:
    """Return a line that tells a model of a message of *kind*: ``[document: a.pdf, My form]``."""
    told = filter(None, (_written(fields.get(name)) for name in _IN_LINE.get(kind, ())))
    return f"[{': '.join(filter(None, (kind, ', '.join(told))))}]"


def to_entities(fields: Mapping[str, Any]) -> str:
    """
    Return *fields* as Rasa reads entities behind an intent.

    JSON escapes line breaks and quotes, so no value can end the entities and go on behind them.
    """
    given = {key: value for key, value in fields.items() if value not in (None, "", [])}
    # Rasa takes "{}" for a part of the name.
    return json.dumps(given, ensure_ascii=False) if given else ""


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        # A contact card with two numbers has its name twice.
        return ", ".join(dict.fromkeys(filter(None, map(_written, value))))
    return "" if value is None else str(value)
