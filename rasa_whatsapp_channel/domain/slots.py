"""Slots: how Rasa fills slots, environment variables and translations into a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import Marked, Path

# The only parts of a response that Rasa fills in.
FILLED: Final = ("text", "image", "custom", "buttons", "attachment", "quick_replies", "translation")
_NAME: Final = re.compile(r"{([^\n{}]+?)}")
_JINJA_NAME: Final = re.compile(r"{{\s*(\w+)\s*}}")
# What a template gives a value itself: `{% for key, value in …`, `{% set name = …`.
_JINJA_OWN: Final = re.compile(r"{%[-+]?\s*(?:for|set)\s([\w\s,()]+?)(?:\bin\b|[=%-])")
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}|\$(\w+)")
_KEY: Final = "translation"


class BracesError(ValueError):
    """A text that Rasa cannot fill in: it logs an exception, and the response is not sent."""


@dataclass(frozen=True)
class Braces:
    """The braces of a text; *odd* are those that Rasa reads as names but that cannot be slots."""

    names: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


def read_braces(text: str) -> Braces:
    """Return what Rasa would look up for *text*. Raises `BracesError` where it would fail."""
    if "{" not in text and "}" not in text:
        return Braces()
    names: list[str] = []
    odd: list[str] = []
    try:
        for _, field, spec, _ in Formatter().parse(_NAME.sub(r"{0[\1]}", text)):
            if field is None:
                continue
            name = field.removeprefix("0[").removesuffix("]")
            proper = field.startswith("0[") and not spec and not set(name) & set("\"':,")
            (names if proper else odd).append(name)
    except ValueError as error:
        raise BracesError(str(error)) from error
    return Braces(tuple(names), tuple(odd))


def names_in(text: str) -> tuple[str, ...]:
    """Return the slots in *text*; none where Rasa would fail."""
    try:
        return read_braces(text).names
    except BracesError:
        return ()


def find_names(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the slots that Rasa fills into *response*, in order."""
    names: dict[str, None] = {}
    for path, text in texts_of(response):
        if path[0] in FILLED:
            found = _jinja_names(text) if is_jinja(response) else names_in(text)
            names.update(dict.fromkeys(found))
    return tuple(names)


def fill_text(text: str, values: Mapping[str, object]) -> str:
    """Fill in *values*. A name without a value leaves the whole text as it is, as in Rasa."""
    try:
        filled = _NAME.sub(r"{0[\1]}", text).format(values)
        # doubled braces: their content is no name
        return text.format({}) if "0[" in filled else filled
    except KeyError:
        return text
    except (ValueError, IndexError, AttributeError, TypeError) as error:
        raise BracesError(str(error)) from error


def fill(response: Mapping[str, Any], values: Mapping[str, object]) -> dict[str, Any]:
    """Return *response* with *values* in the parts Rasa fills. Raises `BracesError`."""
    texts = fill_jinja if is_jinja(response) else fill_text
    return {
        key: map_texts(value, lambda _, text: texts(text, values)) if key in FILLED else value
        for key, value in response.items()
    }


def is_jinja(response: Mapping[str, Any]) -> bool:
    """Return whether Rasa Pro fills this response in as a Jinja template."""
    metadata = response.get("metadata")
    return isinstance(metadata, Mapping) and metadata.get("template") == "jinja"


def fill_jinja(text: str, values: Mapping[str, object]) -> str:
    """Fill in names; other parts of a template are left unchanged."""
    filled = {name: values[name] for name in _jinja_names(text) if name in values}
    return _JINJA_NAME.sub(lambda found: str(filled.get(found[1], found[0])), text)


def _jinja_names(text: str) -> list[str]:
    own = set(re.findall(r"\w+", " ".join(_JINJA_OWN.findall(text))))
    return [name for name in _JINJA_NAME.findall(text) if name not in own]


def texts_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text inside *value* with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from texts_of(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts_of(part, (*path, number))


def map_texts(value: Any, change: Callable[[Any, str], str], key: Any = None) -> Any:
    """Return *value* with every text inside as *change* makes it of the key above and the text."""
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, Mapping):
        return {name: map_texts(part, change, name) for name, part in value.items()}
    if isinstance(value, list):
        return [map_texts(part, change, key) for part in value]
    return value


@dataclass(frozen=True)
class Unset:
    """A variable without a value: its *key*, such as ``media.store``, and the *text* there."""

    key: str
    variable: str
    text: str


def fill_variables(
    part: Marked, environ: Mapping[str, str], path: tuple[Any, ...] = ()
) -> tuple[Any, list[Unset]]:
    """Return the value of *part* with its variables replaced, and its unset variables."""
    if isinstance(part.value, (Mapping, list)):
        filled = {key: fill_variables(item, environ, (*path, key)) for key, item in part.items()}
        unset = [each for _, missing in filled.values() for each in missing]
        values = {key: value for key, (value, _) in filled.items()}
        return (values if isinstance(part.value, Mapping) else list(values.values())), unset
    if count_variables(part) == 0:
        return part.value, []
    key, text = ".".join(map(str, path)), part.value
    names = [braced or plain for braced, plain in _VARIABLE.findall(text)]
    value = _VARIABLE.sub(lambda found: environ.get(found[1] or found[2], found[0]), text)
    return value, [Unset(key, name, text) for name in names if not environ.get(name, "").strip()]


def count_variables(part: Marked) -> int:
    """Return how many variables Rasa replaces in *part*; quoted strings are left alone."""
    if isinstance(part.value, (Mapping, list)):
        return sum(count_variables(item) for _, item in part.items())
    is_looked_at = isinstance(part.value, str) and "${" in part.value and part.is_plain(())
    return len(_VARIABLE.findall(part.value)) if is_looked_at else 0


def find_languages(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages *response* is translated into."""
    parts = [response, *_buttons(response)]
    return tuple(dict.fromkeys(str(language) for part in parts for language in _of(part)))


def translate(response: Mapping[str, Any], language: str | None) -> dict[str, Any]:
    """Return *response* in *language*, as Rasa sends it; None is the default language."""
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
