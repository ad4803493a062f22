"""Where in a response a change of composing belongs: changes say it in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose import Change
from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.domain.slots import texts_of

# by the hundreds of a change's code
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


def find_path(change: Change, response: Mapping[str, Any]) -> Path:
    """Return the path of what *change* is about: what it quotes, names, or usually is about."""
    words = f"{change.before} {change.text}"
    for path in (*_quoted(change.text, response), *_named(words, response)):
        return path
    for key in _KEYS.get(change.code[2:3], ()):
        if response.get(key):
            return (key,)
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
            int(step) if step.isdigit() else step for step in _STEP.findall(found[0])
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
