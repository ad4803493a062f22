"""
Composed variations: what composing changes, and what longer slot values would change beyond it.

A slot whose values are known is filled with the shortest of them, any other with one letter, each
with another one, so that titles stay unique. Where a URL or a number belongs, one is put there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.compose import Change, Composed
from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.compose.foresee import OutgoingSettings
from rasa_whatsapp_channel.compose.template import written_template
from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.domain.read import Slot
from rasa_whatsapp_channel.domain.slots import (
    FILLED,
    BracesError,
    fill,
    find_languages,
    find_names,
    is_jinja,
    map_texts,
    names_in,
    original_path,
    texts_of,
    translate,
)
from rasa_whatsapp_channel.lint.rules import Level, Remark, remark
from rasa_whatsapp_channel.whatsapp.apis import Api

Slots = Mapping[str, Slot]
# Every message takes 1,024 characters of text at least, and formatting adds few.
_ROOMY: Final = 900
# Nearly every response answers a message, so that it may quote one.
_ANSWERED: Final = "wamid.1"
# About as long as a full name or the name of a product.
TYPICAL: Final = 30
_ADDRESS: Final = "https://slot.invalid/x"
_ADDRESS_KEYS: Final = ("image", "link", "url", "src", "image_url")
_NUMBER_KEYS: Final = ("latitude", "longitude")
_AT_START: Final = re.compile(r"^\$?\{[^{}\n]+\}")
_JINJA: Final = re.compile(r"{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)
# By the hundreds digit of a change's code.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "1": ("text", "image", "attachment", "elements", "custom"),
    "2": ("attachment", "image", "elements", "custom"),
    "3": ("buttons", "quick_replies", "elements"),
    "4": ("elements",),
    "5": ("custom",),
}
_STYLE: Final = re.compile(r"\b(?:whatsapp\.(\w+)|(header|footer|list_button|template))\b")
_FIELD: Final = re.compile(
    r"\b(?:text|image|attachment|buttons|button_type|quick_replies|elements|custom)"
    r"(?:\[\d+\]|\.\w+)*"
)
_STEP: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Sent:
    """
    A variation in one language, composed for one API.

    *written* has slots, *filled* the shortest possible *values* in their place.
    """

    api: Api
    language: str | None
    written: Mapping[str, Any]
    names: tuple[str, ...]
    values: Mapping[str, str]
    filled: Mapping[str, Any]
    composed: Composed
    settings: OutgoingSettings


def check_translations(variation: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield a remark where Rasa Pro translates a response, whose template has one language."""
    written = written_template(variation).get("language") or ""
    language = str(written.get("code", "") if isinstance(written, Mapping) else written)
    others = [each for each in find_languages(variation) if _family(each) != _family(language)]
    if others and language and "{" not in language:
        yield remark("WA631", ("translation",), language=language, others=", ".join(others))


def _family(language: str) -> str:
    return re.split("[_-]", language.lower())[0]


def send_all(
    variation: Mapping[str, Any], slots: Slots, api: Api, settings: OutgoingSettings
) -> list[Sent]:
    """Compose *variation* in each of its languages."""
    languages = (None, *find_languages(variation))
    return [_send(variation, slots, api, lang, settings) for lang in languages]


def check_fit(
    variation: Mapping[str, Any], sents: Sequence[Sent], slots: Slots
) -> Iterator[Remark]:
    """Yield the changes in *sents*: all languages of *variation* for one API."""
    for sent in sents:
        for said in (*_changes(sent), *_growth(sent, slots)):
            yield replace(said, path=original_path(said.path, variation, sent.language))


def _send(
    variation: Mapping[str, Any],
    slots: Slots,
    api: Api,
    language: str | None,
    settings: OutgoingSettings,
) -> Sent:
    written = translate(variation, language)
    names = find_names(written)
    values = shortest_values(names, slots)
    filled = fill_in(written, values)
    composed = _compose(filled, api, settings)
    return Sent(api, language, written, names, values, filled, composed, settings)


def _compose(response: Mapping[str, Any], api: Api, settings: OutgoingSettings) -> Composed:
    return replace(settings, combine="off").compose(response, api, reply_to=_ANSWERED)


def _changes(sent: Sent) -> Iterator[Remark]:
    for change in sent.composed.changes:
        level = Level.NOTE if change.as_set else Level.WARNING
        level = Level.ERROR if change.lost else level
        yield Remark(change.code, level, change.text, find_path(change, sent.filled))


def _growth(sent: Sent, slots: Slots) -> Iterator[Remark]:
    """Yield further changes with longer slot values than the shortest."""
    known = {name: longest_value(name, slots) or sent.values[name] for name in sent.names}
    names = [name for name in sent.names if is_unbounded(name, slots)]
    long = {name: typical_value(number) for number, name in enumerate(names)}
    if not sent.names or not _more(
        sent, {**known, **long}
    ):  # the usual case, so it is checked first
        return
    for name, value in known.items():
        code = _more(sent, {name: value})
        if code:
            yield _remark(sent, "WA606", name, code, slot=name, value=value)
    codes = {name: _more(sent, {name: long[name]}) for name in names}
    for name, code in codes.items():
        if code:
            yield _open(sent, [name], code)
    together = _more(sent, long) if len(names) > 1 and not any(codes.values()) else None
    if together:
        yield _open(sent, names, together)


def _more(sent: Sent, values: Mapping[str, str]) -> str | None:
    """Return the code of the first change that only *values* cause."""
    filled = fill_in(sent.written, {**sent.values, **values})
    if _is_roomy(filled, sent.filled):
        return None
    codes = Counter(change.code for change in _compose(filled, sent.api, sent.settings).changes)
    codes -= Counter(change.code for change in sent.composed.changes)
    return next(iter(codes), None)


def _is_roomy(filled: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether only the text grew, and stays below every limit; composing takes longer."""
    pairs = zip(texts_of(filled), texts_of(before), strict=True)
    grown = [path for (path, new), (_, old) in pairs if new != old]
    return all(path == ("text",) and len(filled["text"]) <= _ROOMY for path in grown)


def _open(sent: Sent, names: Sequence[str], code: str) -> Remark:
    slots = " and ".join(f"{{{name}}}" for name in names)
    return _remark(sent, "WA607", names[0], code, slots=slots, length=TYPICAL)


def _remark(sent: Sent, rule: str, name: str, code: str, **values: object) -> Remark:
    texts = texts_of(sent.written)
    path = next(path for path, text in texts if f"{{{name}}}" in text)
    return remark(rule, path, code=code, meaning=RULES[code].meaning, **values)


def find_open_type(variation: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """Return the path of a `type` with a slot in it: the message is not known before it is sent."""
    for path, text in texts_of({key: variation.get(key) for key in ("custom", "attachment")}):
        if path[-1] == "type" and names_in(text):
            return path
    return None


def shortest_values(names: Iterable[str], slots: Slots) -> dict[str, str]:
    """Return the shortest possible value of each slot."""
    return {
        name: min(_values(name, slots), key=len, default=_letter(number))
        for number, name in enumerate(names)
    }


def longest_value(name: str, slots: Slots) -> str | None:
    """Return the longest known value of the slot *name*, None where none is known."""
    return max(_values(name, slots), key=len, default=None)


def is_unbounded(name: str, slots: Slots) -> bool:
    """Return whether the slot *name* may have any value."""
    return name not in slots or not slots[name].values


def typical_value(number: int) -> str:
    return _letter(number) * TYPICAL


def fill_in(variation: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return *variation* with *values*, and with a URL or number where one is required."""
    if is_jinja(variation):
        return {
            key: map_texts(value, lambda _, text: _JINJA.sub("x", text)) if key in FILLED else value
            for key, value in variation.items()
        }
    settled = {key: map_texts(value, _settle, key) for key, value in variation.items()}
    try:
        return fill(settled, values)
    except BracesError:  # reported by `slots`
        return settled


def _settle(key: Any, text: str) -> str:
    if key in _NUMBER_KEYS and names_in(text):
        return "0"
    return _AT_START.sub(_ADDRESS, text) if key in _ADDRESS_KEYS else text


def _values(name: str, slots: Slots) -> tuple[str, ...]:
    slot = slots.get(name)
    if slot is None:
        return ()
    return slot.values or ((slot.initial,) if slot.initial else ())


def _letter(number: int) -> str:
    return chr(ord("a") + number % 26)


def find_path(change: Change, response: Mapping[str, Any]) -> Path:
    """Return the path that *change* is about: a part it quotes or names, else the usual one."""
    words = f"{change.before} {change.text}"
    for path in (*_quoted(change.text, response), *_named(words, response)):
        return path
    for key in _KEYS.get(change.code[2:3], ()):
        if response.get(key):
            return (key,)
        if _exists(("metadata", "whatsapp", key), response):
            return ("metadata", "whatsapp", key)
    return ()


def _quoted(words: str, response: Mapping[str, Any]) -> Iterator[Path]:
    for path, text in texts_of(response):
        if text and repr(" ".join(text.split())) in words:
            yield path


def _named(words: str, response: Mapping[str, Any]) -> Iterator[Path]:
    for found in _STYLE.finditer(words):
        for start in ("metadata", "custom"):
            style: Path = (start, "whatsapp", found[1] or found[2])
            if _exists(style, response):
                yield style
    for found in _FIELD.finditer(words):
        path: Path = tuple(
            int(step) if step.isdecimal() else step for step in _STEP.findall(found[0])
        )
        while path and not _exists(path, response):
            path = path[:-1]
        if path:
            yield path


def _exists(path: Path, value: Any) -> bool:
    try:
        for key in path:
            value = value[key]
    except (LookupError, TypeError):
        return False
    return True
