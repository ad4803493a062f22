"""Keys of a block: declares one at its field, and reads a block or a group by them."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from rasa_whatsapp_channel.settings.foreign_keys import replacement_of
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.apis import APIS, Api
from rasa_whatsapp_channel.wording import closest

G = TypeVar("G", bound="Group")

_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
# Rasa Pro leaves the variable of such a key to whoever reads it.
_LEFT_TO_US: Final = "api_key"


def key(
    read: Callable[[object], Any],
    default: Any = None,
    *,
    apis: Sequence[Api] = tuple(APIS.values()),
    required: Sequence[Api] = (),
    secret: bool = False,
    line: str = "",
    means: str,
    section: str = "",
) -> Any:
    """
    Declare a key at its field.

    *read* parses its value, *line* is what to write where it is missing. The page of settings shows
    *means*; *section* is the title of a section that begins with this key.
    """
    metadata = {
        "read": read,
        "apis": [api.name for api in apis],
        "required": [api.name for api in required],
        "secret": secret,
        "line": line,
        "section": section,
        "means": means,
    }
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


def read_keys(
    cls: type, block: Mapping[str, Any], *, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """
    Return the values in *block* of the keys that *cls* declares, and what is wrong with others.

    *prefix* is the name of the group with a point behind it.
    """
    known = {key.name: key for key in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in block.items():
        if name not in known:
            problems.append(unknown_key(str(name), known, prefix))
            continue
        if value is None:
            continue  # `key:` with nothing behind it is as good as no key
        variable = _literal_variable(value)
        if variable and name == _LEFT_TO_US and os.environ.get(variable):
            value = os.environ[variable]
        elif variable:
            problems.append(
                f"'{prefix}{name}' is the text {value!r}, not the variable's value. "
                f"Write `{_line(name, value, variable)}`, without quotes."
            )
            continue
        read = known[name].metadata["read"]
        try:
            values[name] = read(value)
        except ValueError as error:
            shown = "" if known[name].metadata["secret"] else f", not {value!r}"
            problems.append(f"'{prefix}{name}' must be {error}{shown}.")
        except SettingsError as error:
            problems += str(error).split("\n")
    return values, problems


class Group:
    """A key with keys of its own, declared as the fields of a frozen dataclass."""

    NAME: ClassVar[str]
    EXAMPLE: ClassVar[str]

    @classmethod
    def parse(cls: type[G], value: object) -> G:
        """Read the group; raises `ValueError` for what is none, and `SettingsError`."""
        if not isinstance(value, Mapping):
            raise ValueError(f"a group of keys, such as `{cls.EXAMPLE}`")
        values, problems = read_keys(cls, value, prefix=f"{cls.NAME}.")
        group = cls(**values)
        problems = problems or list(group.problems())
        if problems:
            raise SettingsError("\n".join(problems))
        return group

    def problems(self) -> Iterable[str]:
        """Yield what is wrong with keys together, each of which is right alone."""
        return ()


def _line(name: str, value: object, variable: str) -> str:
    listed = isinstance(value, (list, tuple))
    return f"{name}: [${{{variable}}}, …]" if listed else f"{name}: ${{{variable}}}"


def unknown_key(name: str, known: Mapping[str, Any], prefix: str) -> str:
    instead = None if prefix else replacement_of(name)
    if instead:
        return f"unknown key '{name}', which another connector has; {instead}."
    near = closest(name, known)
    if near:
        return f"unknown key '{prefix}{name}'; did you mean '{prefix}{near}'?"
    return f"unknown key '{prefix}{name}'; known are {', '.join(known)}."


def _literal_variable(value: object) -> str | None:
    """Return the name of the variable that *value*, or one of its items, was not replaced by."""
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(_literal_variable, value)), None)
    found = _VARIABLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found.group(1) if found else None
