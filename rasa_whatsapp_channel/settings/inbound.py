"""
How a bot's author takes what people send without words: the ``inbound:`` group in the settings.

Each kind of message has a way, which `turn`, `event` or `ignore` names, or a template, which is how
a turn of it is worded.

A template with a slash in front is an intent, and ``{...}`` behind it stands for the entities, as
JSON. No single value can stand in it: spliced into a command, a value could add to the command.
Any other template is a text, in which ``{caption}`` stands for the value of that name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

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
        "flow": ("name", "flow_token"),
        "edit": ("message_id", "text"),
        "revoke": ("message_id",),
        "unsupported": ("type", "code"),
    }
)
EVERYWHERE: Final = "profile_name"


class Handling(str, Enum):
    """What becomes of a message."""

    TURN = "turn"  # the bot hears it, and whatever waits for an answer takes it for one
    EVENT = "event"  # it is noted in the tracker; no policy, form or flow is asked
    IGNORE = "ignore"


WAYS: Final = tuple(way.value for way in Handling)
# Nobody waits for an answer to one of these, and no form should take one for an answer.
_NO_TURNS: Final = ("reaction", "edit", "revoke")

_COMMAND: Final = re.compile(r"/[^\s/{}@()\"']+(\{\.\.\.\})?")
_FIELD: Final = re.compile(r"\{(\w*)\}")


def check(kind: str, template: object) -> str:
    """Return *template* if messages of *kind* can be taken so; raises `ValueError` saying how."""
    if not isinstance(template, str) or not template.strip():
        raise ValueError(f'turn, event, ignore, or a text such as "/whatsapp_{kind}{{...}}"')
    template = template.strip()
    if template in WAYS:
        return template
    meant = get_close_matches(template.lower(), WAYS, n=1, cutoff=0.75)
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


def handling_of_kind(kind: str, words: Mapping[str, str]) -> Handling:
    """Return what becomes of messages of *kind*; *words* is the setting ``inbound``."""
    said = words.get(kind)
    if said is None:
        return Handling.EVENT if kind in _NO_TURNS else Handling.TURN
    return Handling(said) if said in WAYS else Handling.TURN


def template_of(kind: str, words: Mapping[str, str]) -> str | None:
    """Return how a turn of *kind* is worded; None where it keeps its own intent."""
    said = words.get(kind)
    return None if said in WAYS else said


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """Return the text *template* makes of *fields*; what is missing leaves nothing."""
    if template.startswith("/"):
        return template.replace("{...}", to_entities(fields))
    return _FIELD.sub(lambda found: _written(fields.get(found[1])), template).strip()


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
        return ", ".join(map(_written, value))
    return "" if value is None else str(value)
