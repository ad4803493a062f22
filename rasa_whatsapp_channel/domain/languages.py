"""The languages of a response: Rasa Pro puts a translation into the place of text and buttons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import Path

_KEY: Final = "translation"


def find_languages(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages *response* is translated into."""
    parts = [response, *_buttons(response)]
    return tuple(dict.fromkeys(str(language) for part in parts for language in _of(part)))


def translate(response: Mapping[str, Any], language: str | None) -> dict[str, Any]:
    """Return *response* as Rasa sends it to those who speak *language*; None is the first one."""
    sent = {key: value for key, value in response.items() if key != _KEY}
    if language in _of(response):
        sent["text"] = _of(response)[language]
    if isinstance(sent.get("buttons"), list):
        sent["buttons"] = [_translate_button(button, language) for button in sent["buttons"]]
    return sent


def original_path(path: Path, response: Mapping[str, Any], language: str | None) -> Path:
    """Return where the part at *path* of a translated response was written."""
    if path == ("text",) and language in _of(response):
        return (_KEY, str(language))
    if len(path) == 3 and path[0] == "buttons" and isinstance(path[1], int):
        button = response["buttons"][path[1]]
        if path[2] in _said(button, language):
            return (*path[:2], _KEY, str(language), path[2])
    return path


def _translate_button(button: Any, language: str | None) -> Any:
    if not isinstance(button, Mapping):
        return button
    said = _said(button, language)
    return {key: said.get(key, value) for key, value in button.items() if key != _KEY}


def _said(button: Any, language: str | None) -> Mapping[Any, Any]:
    said = _of(button).get(language)
    return said if isinstance(said, Mapping) else {}


def _buttons(response: Mapping[str, Any]) -> Iterator[Any]:
    buttons = response.get("buttons")
    return iter(buttons if isinstance(buttons, list) else ())


def _of(part: Any) -> Mapping[Any, Any]:
    translation = part.get(_KEY) if isinstance(part, Mapping) else None
    return translation if isinstance(translation, Mapping) else {}
