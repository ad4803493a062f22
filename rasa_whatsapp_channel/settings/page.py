"""
Page of settings: generates docs/settings.md from the declarations of the keys.

    python -m rasa_whatsapp_channel.settings.page > docs/settings.md
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, Final

from rasa_whatsapp_channel.settings import MediaSettings, NumberSettings, Settings
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.apis import APIS

_INTRODUCTION: Final = """\
# Settings

Every key of the block `rasa_whatsapp_channel.WhatsAppInput` in `credentials.yml`.

Everything is checked when Rasa starts.
A mistake names the key, the line to write, and the nearest key there is.

Write `${VARIABLES}` without quotes; Rasa does not look into quoted texts.
A secret may also come from the environment without being named in the file.
"""


def page() -> str:
    """Return the page: a table for each section, in the order of the declarations."""
    sections: list[tuple[str, list[str]]] = []
    for declared in (Settings, MediaSettings, NumberSettings):
        for field in dataclasses.fields(declared):
            if title := field.metadata["section"]:
                sections.append((title, []))
            sections[-1][1].append(_row(field, of_block=declared is Settings))
    return "\n".join([_INTRODUCTION, *(_table(*section) for section in sections)])


def _table(title: str, rows: list[str]) -> str:
    head = [f"## {title}\n", "| key | value | meaning |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _row(field: dataclasses.Field[Any], *, of_block: bool) -> str:
    return f"| `{field.name}` | {_value(field)} | {_meaning(field, of_block)} |"


def _value(field: dataclasses.Field[Any]) -> str:
    """Return what the value must be, in the words that refuse another."""
    try:
        field.metadata["read"](object())
    except (ValueError, SettingsError) as refused:
        kind = str(refused)
    default = _default(field)
    return f"{kind}<br>default: `{default}`" if default else kind


def _default(field: dataclasses.Field[Any]) -> str:
    default = field.default
    if default in ("", None, ()) or dataclasses.is_dataclass(default):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(default)}]"
    if isinstance(default, float):
        return f"{default:g}" if default < 10_000 else f"{default:.0f}"
    return str(default)


def _meaning(field: dataclasses.Field[Any], of_block: bool) -> str:
    said = [field.metadata["means"]]
    apis = field.metadata["apis"]
    if len(apis) < len(APIS):
        said.append(f"*For {_listed(apis)} only.*")
    if required := field.metadata["required"]:
        said.append("*Required.*" if required == apis else f"*Required by {_listed(required)}.*")
    # A key inside of a group comes from the file alone.
    if field.metadata["secret"] and of_block:
        said.append(f"*Or `WHATSAPP_{field.name.upper()}` in the environment.*")
    return " ".join(said)


def _listed(apis: list[str]) -> str:
    *most, last = (f"`{api}`" for api in apis)
    return f"{', '.join(most)} and {last}" if most else last


if __name__ == "__main__":
    sys.stdout.write(page())
