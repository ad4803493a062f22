"""Slots: braces in the texts of a variation, and slots of forms that any message would fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.domain.slots import (
    FILLED,
    BracesError,
    fill_text,
    is_jinja,
    names_in,
    read_braces,
    texts_of,
)
from rasa_whatsapp_channel.lint.rules import Remark, nearest, remark, write_path

# Slots Rasa 3.6 and Rasa Pro add by themselves, and what Pro's flows hand to their responses.
BUILT_IN: Final = frozenset(
    {
        *("requested_slot", "session_started_metadata", "flow_hashes", "mocked_datetime"),
        *("silence_timeout", "consecutive_silence_timeouts", "language", "context"),
        *("knowledge_base_listed_objects", "knowledge_base_last_object"),
        *("knowledge_base_last_object_type", "confirm_correction", "csat_score"),
        *("interrupted_flow_to_continue", "continue_interrupted_flow_confirmation"),
        *("max_clarification_options", "continue_conversation"),
    }
)
_DOLLAR: Final = re.compile(r"\$\{([^{}\n]+)\}")
_FEW: Final = 3
_REQUIRED: Final = "required_slots"


def check_braces(
    variation: Mapping[str, Any],
    slots: Collection[str] | None,
    is_plain: Callable[[Path], bool] = lambda path: False,
) -> Iterator[Remark]:
    """
    Yield what is wrong with braces.

    *slots* are the names in the domain, None when not known; *is_plain* tells which texts stand
    outside of quotes.
    """
    for path, text in texts_of(variation):
        if "{" not in text and "}" not in text:
            continue
        dollar = _DOLLAR.search(text)
        if dollar and is_plain(path):
            yield remark("WA610", path, name=dollar[1], field=write_path(path))
        elif is_jinja(variation):
            continue
        elif path[0] in FILLED:
            yield from _check_filled(path, text, slots)
        elif path[0] in ("elements", "metadata"):
            yield from _check_unfilled(path, text, slots or ())


def _check_filled(path: Path, text: str, slots: Collection[str] | None) -> Iterator[Remark]:
    field = write_path(path)
    try:
        braces = read_braces(text)
    except BracesError as error:
        yield remark("WA612", path, field=field, problem=error)
        return
    if "" in braces.odd:
        yield remark("WA612", path, field=field, problem="{} stands for all slots at once")
        return
    for name in braces.odd[:1]:
        yield remark("WA613", path, name=name, field=field)
    names = dict.fromkeys(braces.names)
    if names and not braces.odd and fill_text(text, dict.fromkeys(names, "")) == text:
        yield remark("WA614", path, name=next(iter(names)), field=field)
    dollars = set(_DOLLAR.findall(text))
    for name in names:
        known = slots is None or name in slots or name in BUILT_IN
        if name in dollars:
            yield _dollar(path, name, slots)
        elif not known:
            yield remark("WA611", path, name=name, hint=nearest(name, slots or (), form="{{{}}}"))


def _dollar(path: Path, name: str, slots: Collection[str] | None) -> Remark:
    if name in (slots or ()) or name in BUILT_IN:
        return remark("WA608", path, name=name)
    return remark("WA609", path, name=name, hint=nearest(name.lower(), slots or (), form="{{{}}}"))


def _check_unfilled(path: Path, text: str, slots: Collection[str]) -> Iterator[Remark]:
    ours = path[0] == "elements" or path[1:2] == ("whatsapp",)
    names = [name for name in names_in(text) if ours or name in slots]
    doubled = re.search(r"{{|}}", text) if path[0] == "elements" else None
    if path[-1] == "rephrase_prompt" or not (names or doubled):
        return
    what = f"{{{names[0]}}}" if names else str(doubled and doubled[0])
    yield remark("WA604", path, field=write_path(path), text=what)


def check_slot(
    name: str, slot: object, forms: Mapping[str, Any], wordless: Sequence[str]
) -> Iterator[Remark]:
    """
    Yield mappings of the slot *name* that any of the intents *wordless* would fill.

    *forms* are those of the domain, by their names.
    """
    mappings = slot.get("mappings") if isinstance(slot, Mapping) else None
    for number, mapping in enumerate(mappings if isinstance(mappings, list) else ()):
        if not isinstance(mapping, Mapping) or mapping.get("type") != "from_text":
            continue
        if mapping.get("intent"):
            continue
        loops = _loops(mapping) or _asking(name, forms)
        if not loops:
            continue  # no form asks for it
        refused = {*_names(mapping.get("not_intent")), *_ignored(loops, forms)}
        taken = [intent for intent in wordless if intent not in refused]
        if taken:
            more = f" and {len(taken) - _FEW} more" if len(taken) > _FEW else ""
            yield remark(
                "WA620",
                ("mappings", number),
                slot=name,
                names=", ".join(taken[:_FEW]) + more,
                form=loops[0],
            )


def _loops(mapping: Mapping[str, Any]) -> Sequence[str]:
    """Return the forms that the mapping is restricted to."""
    conditions = mapping.get("conditions")
    each = conditions if isinstance(conditions, list) else ()
    found = (_of(condition).get("active_loop") for condition in each)
    return [str(loop) for loop in found if loop]


def _asking(name: str, forms: Mapping[str, Any]) -> Sequence[str]:
    """Return the forms that ask for the slot."""
    return [form for form, value in forms.items() if name in _names(_of(value).get(_REQUIRED))]


def _ignored(loops: Sequence[str], forms: Mapping[str, Any]) -> set[str]:
    """Return the intents that every form of *loops* ignores."""
    found = [_names(_of(forms.get(loop)).get("ignored_intents")) for loop in loops]
    return set.intersection(*map(set, found)) if found else set()


def _of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: object) -> list[str]:
    """Return a list of names; Rasa also accepts a single name in its place."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
