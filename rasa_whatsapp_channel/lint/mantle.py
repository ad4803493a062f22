"""Mantle: what Rasa Pro's newer engine refuses in responses, and what harms people on WhatsApp."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import READ
from rasa_whatsapp_channel.domain.marked import Marked
from rasa_whatsapp_channel.domain.project import UNREAD, problem_of_layout, read_channels
from rasa_whatsapp_channel.domain.read import DomainFile, TextFile
from rasa_whatsapp_channel.lint.rules import Remark, kind_of, nearest, remark, write_path
from rasa_whatsapp_channel.settings import CHANNEL

KEYS: Final = ("text", "metadata", "condition", "buttons")
_BUTTON_KEYS: Final = ("title", "payload")
_SET: Final = "set:"
_SET_PAYLOAD: Final = re.compile(r"set:\s*session\.[^.=]+\.[^.=]+=.+", re.DOTALL)
_HANGUP: Final = re.compile(r"""^\s*(?:-\s+)?action:\s*["']?hangup["']?\s*(?:#.*)?$""")
PlacedRemark = tuple[TextFile, Remark, int]


def check_written(variation: Mapping[Any, Any]) -> Iterator[Remark]:
    """Yield what Mantle refuses in *variation*."""
    for key in variation:
        if key not in KEYS:
            yield remark("WA622", (key,), field=key, hint=_hint(str(key)))
    text = variation.get("text")
    if text is None or not str(text).strip():
        yield remark("WA623", ("text",))
    condition, buttons = variation.get("condition"), variation.get("buttons")
    if condition is not None and not isinstance(condition, str):
        yield _wrong(("condition",), "a string", condition)
    if isinstance(buttons, list):
        for number, button in enumerate(buttons):
            yield from _check_button(("buttons", number), button)
    elif buttons is not None and set(buttons if isinstance(buttons, Mapping) else ()) != {"source"}:
        yield _wrong(("buttons",), "a list of maps, or {source: TOOL}", buttons)


def _check_button(path: tuple[str, int], button: object) -> Iterator[Remark]:
    if not isinstance(button, Mapping):
        yield _wrong(path, "a map with title and payload", button)
        return
    for key in button:
        if key not in _BUTTON_KEYS:
            hint = f"a button has {' and '.join(_BUTTON_KEYS)} only; others go below " + _ours("…")
            yield remark("WA622", (*path, key), field=write_path((*path, key)), hint=hint)
    for key in _BUTTON_KEYS:
        value = button.get(key)
        if (key in button or key == "title") and not (isinstance(value, str) and value.strip()):
            yield _wrong((*path, key), "a string that is not empty", value)
    payload = button.get("payload")
    if isinstance(payload, str) and payload.startswith(_SET) and not _SET_PAYLOAD.match(payload):
        yield remark("WA624", (*path, "payload"), payload=payload)


def _wrong(path: tuple[str | int, ...], wanted: str, value: object) -> Remark:
    field = write_path(path)
    return remark("WA603", path, field=field, wanted=wanted, kind=kind_of(value), hint="")


def _hint(key: str) -> str:
    if key in READ or key == "template":
        return f"write it below {_ours(f'{key}: …')}"
    if key == "channel":
        return "a response is for every channel"
    return nearest(key, KEYS)


def _ours(text: str) -> str:
    return f"metadata: {{whatsapp: {{{text}}}}}"


def sets_memory(variation: object) -> bool:
    """Return whether a tap on a button of *variation* writes the memory of the bot."""
    buttons = variation.get("buttons") if isinstance(variation, Mapping) else None
    return any(
        isinstance(button, Mapping) and str(button.get("payload")).startswith(_SET)
        for button in (buttons if isinstance(buttons, list) else ())
    )


def check_skill(skill: TextFile) -> Iterator[PlacedRemark]:
    for number, line in enumerate(skill.lines, start=1):
        if _HANGUP.match(line):
            yield skill, remark("WA626"), number


def check_project(root: Path, settings: DomainFile | None) -> Iterator[PlacedRemark]:
    """Yield what is wrong with the files in *root*; *settings* is the one with the channels."""
    if problem := problem_of_layout(root):
        yield TextFile(str(root), ""), remark("WA628", problem=" ".join(problem)), 1
    for name in UNREAD:
        if (root / name).exists():
            yield TextFile(str(root / name), ""), remark("WA629", name=name), 1
    block: Marked | None = read_channels(settings.document).get(CHANNEL) if settings else None
    key = ("failure_intent",)
    if settings and block and isinstance(block.value, Mapping) and block.value.get(key[0]):
        yield settings, remark("WA627"), block.line_of(key)
