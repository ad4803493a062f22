"""Slots of forms that are filled with what somebody says, and would be with what says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.lint.finding import Remark, remark

_FEW: Final = 3
_REQUIRED: Final = "required_slots"


def check_slot(
    name: str, slot: object, forms: Mapping[str, Any], wordless: Sequence[str]
) -> Iterator[Remark]:
    """
    Yield where the slot *name*, as the domain writes it, takes any of the intents *wordless*.

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
            continue  # nobody waits for it to be filled
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
    """Return the forms that the mapping is for."""
    conditions = mapping.get("conditions")
    each = conditions if isinstance(conditions, list) else ()
    found = (_of(condition).get("active_loop") for condition in each)
    return [str(loop) for loop in found if loop]


def _asking(name: str, forms: Mapping[str, Any]) -> Sequence[str]:
    """Return the forms that ask for the slot."""
    return [form for form, value in forms.items() if name in _names(_of(value).get(_REQUIRED))]


def _ignored(loops: Sequence[str], forms: Mapping[str, Any]) -> set[str]:
    """Return what every form of *loops* takes for no answer."""
    found = [_names(_of(forms.get(loop)).get("ignored_intents")) for loop in loops]
    return set.intersection(*map(set, found)) if found else set()


def _of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: object) -> list[str]:
    """Return a list of names, or the one that stands instead of it, as Rasa takes both."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
