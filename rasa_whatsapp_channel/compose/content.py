"""Response content: any value an action passes → plain JSON values and known keys."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import is_link
from rasa_whatsapp_channel.compose.text import cut, is_blank, one_line
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.wording import suggest

DEPTH: Final = 32  # WhatsApp's bodies need ten; a dict that contains itself needs an end
_INTEGER: Final = 2**63
_SHOWN: Final = 60
# Keys of a response that an action may pass, beside Rasa's own `image` and `attachment`.
MEDIA_KEYS: Final = ("document", "video", "audio", "voice", "sticker")
READ: Final = (
    *("text", "image", "attachment", "buttons", "button_type", "quick_replies", "elements"),
    *("custom", "metadata", *MEDIA_KEYS),
)
# Parts of a response that may also stand below `whatsapp`: Rasa Pro's engine Mantle has no place
# for them in a response.
PARTS: Final = tuple(key for key in READ if key != "metadata")
# Keys that Rasa 3.6, Rasa Pro and the SDK of actions add for themselves.
_RASAS: Final = frozenset(
    {
        "active_flow",
        "allow_interruptions",
        "assistant_id",
        "channel",
        "condition",
        "default_language",
        "domain_ground_truth",
        "execution_times",
        "flow_id",
        "id",
        "json_message",
        "llm_response_metadata",
        "model_id",
        "model_name",
        "parse_mode",
        "prompts",
        "response",
        "sender_id",
        "session_id",
        "step_id",
        "template",
        "timestamp",
        "translation",
        "use_rephraser",
        "utter_action",
        "utter_source",
        "utter_type",
    }
)
# What is composed does not depend on these; a time and the traces of a model differ each time.
IGNORED: Final = _RASAS - {"utter_action", "utter_source"}


class _Plain:
    def __init__(self) -> None:
        self.odd: set[str] = set()  # types that had to be written out

    def value(self, value: Any, depth: int = DEPTH) -> Any:
        if value is None or (type(value) is str and value.isascii()):  # most values
            return value
        if isinstance(value, str):
            return _encodable(value)
        if isinstance(value, bool):
            return value
        if depth and isinstance(value, (dict, Mapping)):  # to ask for a dict first is faster
            return {
                key if type(key) is str and key.isascii() else self._key(key): (
                    item if item is None else self.value(item, depth - 1)
                )
                for key, item in value.items()
            }
        if depth and isinstance(value, (list, tuple)):
            return [self.value(item, depth - 1) for item in value]
        if isinstance(value, int) and -_INTEGER <= value < _INTEGER:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        return self._words(value)

    def _key(self, key: Any) -> str:
        return _encodable(key) if isinstance(key, str) else self._words(key)

    def _words(self, value: object) -> str:
        name = type(value).__name__
        self.odd.add(name)
        try:
            return _encodable(str(value))
        except Exception:  # a value's own __str__ may raise, as may a number too long to write
            return f"<{name}>"


def to_plain(draft: Draft, response: object) -> Mapping[str, Any]:
    """Return a copy of *response* in which everything is JSON and can be encoded."""
    plain = _Plain()
    copy = plain.value(response)
    if plain.odd:
        draft.change("WA105", kinds=", ".join(sorted(plain.odd)))
    return copy if isinstance(copy, dict) else {}


def plain(value: object) -> Any:
    """Return a copy of *value* in which everything is JSON and can be encoded."""
    return _Plain().value(value)


def move_parts(
    content: Mapping[str, Any], sources: Iterable[Any]
) -> tuple[Mapping[str, Any], list[Any]]:
    """
    Return *content* with the `PARTS` that are in *sources*, and what is left of these.

    A text, and a type of buttons, replace those of *content*; everything else is added to them.
    """
    whole, rests = dict(content), []
    for source in sources:
        if not isinstance(source, dict):
            rests.append(source)
            continue
        rests.append({key: value for key, value in source.items() if key not in PARTS})
        for key, value in source.items():
            if key not in PARTS:
                continue
            is_one = key in ("text", "button_type")
            whole[key] = value if is_one else [*_listed(whole.get(key)), *_listed(value)]
    return whole, rests


def _listed(value: Any) -> list[Any]:
    if value in (None, "", {}):
        return []
    return value if isinstance(value, list) else [value]


def read_json(text: str) -> Any:
    """Return *text* parsed as JSON, as some actions pass it; None if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    value = plain(value)  # NaN, and numbers without end
    return value if isinstance(value, (dict, list)) else None


def kind_name(value: object) -> str:
    """Name the kind of a plain value in the words of YAML."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, (int, float)) else "a string"


def _encodable(value: str) -> str:
    # str.__str__: an Enum of strings means its value, not its name
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of a character, as JavaScript and old JSON leave them
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_text(draft: Draft, field: str, value: Any) -> str | None:
    """Return *value* as text without outer space; None if there is nothing to show."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        draft.change("WA104", field=field, kind=kind_name(value))
        return None
    if is_blank(value):
        draft.change("WA102", field=field)
        return None
    return value.strip()


def read_keys(draft: Draft, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return the keys of *content* that are read, and report the others.

    Keys that an action passes beside the name of a response fill its variables, so they are not
    reported, and `document="passport"` is a word and no file.
    """
    named = draft.name is not None
    # Rasa Pro tells the source: an action, or the class of a policy or agent.
    source = content.get("utter_source")
    foreign = named or (isinstance(source, str) and source[:1].isupper())
    read: dict[str, Any] = {}
    for key, value in content.items():
        if value is None or key in _RASAS or value in ("", [], {}):
            continue
        if key in READ:
            if not (key in MEDIA_KEYS and named) or _is_file(value):
                read[key] = value
        elif not foreign:
            shown = cut(one_line(key), _SHOWN)
            draft.change("WA113", key=shown, hint=suggest(shown, READ))
    return read


def _is_file(value: Any) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, (bool, int, float))
    return is_link(value) or mime.from_extension(value) is not None
