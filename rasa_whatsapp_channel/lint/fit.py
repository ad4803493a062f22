"""What composing changes about a variation, and what longer slots would add to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.compose import Composed, compose
from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.domain.read import Slot
from rasa_whatsapp_channel.domain.slots import (
    find_languages,
    find_names,
    original_path,
    texts_of,
    translate,
)
from rasa_whatsapp_channel.lint import guess
from rasa_whatsapp_channel.lint.finding import Remark, remark
from rasa_whatsapp_channel.lint.place import find_path
from rasa_whatsapp_channel.lint.rules import Level
from rasa_whatsapp_channel.whatsapp.apis import Api

Slots = Mapping[str, Slot]

# Whatever a text becomes part of takes 1,024 characters at least, and formatting adds few.
_ROOMY: Final = 900
# Nearly every response answers a message, so one that quotes it is right.
_ANSWERED: Final = "wamid.1"


@dataclass(frozen=True)
class Sent:
    """
    A variation in one language, composed for one API.

    *written* has its slots, *filled* has *values* in their place: the shortest there may be.
    """

    api: Api
    language: str | None
    written: Mapping[str, Any]
    names: tuple[str, ...]
    values: Mapping[str, str]
    filled: Mapping[str, Any]
    composed: Composed


def send_all(variation: Mapping[str, Any], slots: Slots, api: Api) -> list[Sent]:
    """Compose *variation* in each of its languages."""
    return [_send(variation, slots, api, lang) for lang in (None, *find_languages(variation))]


def check_fit(
    variation: Mapping[str, Any], sents: Sequence[Sent], slots: Slots
) -> Iterator[Remark]:
    """Yield what was changed in any of *sents*, all of *variation* for one API."""
    for sent in sents:
        for said in (*_changes(sent), *_growth(sent, slots)):
            yield replace(said, path=original_path(said.path, variation, sent.language))


def _send(variation: Mapping[str, Any], slots: Slots, api: Api, language: str | None) -> Sent:
    written = translate(variation, language)
    names = find_names(written)
    values = guess.shortest(names, slots)
    filled = guess.fill_in(written, values)
    composed = compose(filled, api=api, reply_to=_ANSWERED)
    return Sent(api, language, written, names, values, filled, composed)


def _changes(sent: Sent) -> Iterator[Remark]:
    for change in sent.composed.changes:
        level = Level.ERROR if change.lost else Level.WARNING
        yield Remark(change.code, level, change.text, find_path(change, sent.filled))


def _growth(sent: Sent, slots: Slots) -> Iterator[Remark]:
    """Yield what changes more when slots hold longer texts than the shortest."""
    known = {name: guess.longest(name, slots) or sent.values[name] for name in sent.names}
    names = [name for name in sent.names if guess.is_open(name, slots)]
    long = {name: guess.typical(number) for number, name in enumerate(names)}
    if not sent.names or not _more(sent, {**known, **long}):  # the rule, so it is asked first
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
    """Return the code of the first change that only *values* bring about."""
    filled = guess.fill_in(sent.written, {**sent.values, **values})
    if _is_roomy(filled, sent.filled):
        return None
    codes = Counter(change.code for change in compose(filled, api=sent.api).changes)
    codes -= Counter(change.code for change in sent.composed.changes)
    return next(iter(codes), None)


def _is_roomy(filled: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Tell without composing, which takes long, that only a text grew, and not up to a limit."""
    pairs = zip(texts_of(filled), texts_of(before), strict=True)
    grown = [path for (path, new), (_, old) in pairs if new != old]
    return all(path == ("text",) and len(filled["text"]) <= _ROOMY for path in grown)


def _open(sent: Sent, names: Sequence[str], code: str) -> Remark:
    slots = " and ".join(f"{{{name}}}" for name in names)
    return _remark(sent, "WA607", names[0], code, slots=slots, length=guess.TYPICAL)


def _remark(sent: Sent, rule: str, name: str, code: str, **values: object) -> Remark:
    texts = texts_of(sent.written)
    path = next(path for path, text in texts if f"{{{name}}}" in text)
    return remark(rule, path, code=code, meaning=RULES[code].meaning, **values)
