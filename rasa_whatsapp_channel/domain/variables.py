"""Variables of the environment in a YAML file, replaced where Rasa replaces them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import Marked

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}|\$(\w+)")


@dataclass(frozen=True)
class Unset:
    """A variable without a value: the *key* it stands at, as in ``media.store``, and the *text*."""

    key: str
    variable: str
    text: str


def fill(
    part: Marked, environ: Mapping[str, str], path: tuple[Any, ...] = ()
) -> tuple[Any, list[Unset]]:
    """Return the value of *part* with its variables replaced, and what is not set, or empty."""
    if isinstance(part.value, (Mapping, list)):
        filled = {key: fill(item, environ, (*path, key)) for key, item in part.items()}
        unset = [each for _, missing in filled.values() for each in missing]
        values = {key: value for key, (value, _) in filled.items()}
        return (values if isinstance(part.value, Mapping) else list(values.values())), unset
    if count(part) == 0:
        return part.value, []
    key, text = ".".join(map(str, path)), part.value
    names = [braced or plain for braced, plain in _VARIABLE.findall(text)]
    value = _VARIABLE.sub(lambda found: environ.get(found[1] or found[2], found[0]), text)
    return value, [Unset(key, name, text) for name in names if not environ.get(name, "").strip()]


def count(part: Marked) -> int:
    """Return how many variables Rasa replaces in *part*; it does not look into quoted texts."""
    if isinstance(part.value, (Mapping, list)):
        return sum(count(item) for _, item in part.items())
    is_looked_at = isinstance(part.value, str) and "${" in part.value and part.is_plain(())
    return len(_VARIABLE.findall(part.value)) if is_looked_at else 0
