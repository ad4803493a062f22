"""
The list of settings as a page: docs/settings.md.

    python -m rasa_whatsapp_channel.settings.page > docs/settings.md
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.settings import MediaSettings, NumberSettings, Settings
from rasa_whatsapp_channel.settings.errors import SettingsError
from rasa_whatsapp_channel.whatsapp.apis import APIS

_INTRODUCTION: Final = """\
# Settings

Every key of the block `rasa_whatsapp_channel.WhatsAppInput` in `credentials.yml`.

Everything is checked when Rasa starts.
A mistake names the key, the line to write, and the nearest key there is.

Write `${VARIABLES}` without quotes; Rasa does not look into quoted texts.
A secret may also come from the environment without being named in the file.
"""

_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "The API": (
        *("api", "base_url", "api_version", "phone_number_id", "access_token"),
        *("username", "password", "ca_file", "verify_tls", "numbers"),
    ),
    "Who may call the webhook": (
        *("verify_token", "app_secret", "webhook_secret", "webhook_token"),
        *("webhook_username", "webhook_password", "allow_unsigned_webhooks"),
        *("allowed_networks", "trusted_proxies", "max_age"),
    ),
    "What the bot hears": (
        *("sender_id", "commands", "inbound", "debounce", "transcribe"),
        *("mark_read", "typing_indicator", "turn_timeout", "wait_for_action_server"),
    ),
    "What the bot sends": (
        *("captions", "markdown", "unknown_keys", "wait_for_delivered", "delivered_timeout"),
        *("max_messages_per_second", "reengagement_template", "wait_for_window", "failure_intent"),
    ),
    "Where things are kept": ("store", "keep_sent_days", "media"),
}


def page() -> str:
    """Return the page: a table for each section, and one for each group of keys."""
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    parts = [_INTRODUCTION]
    for title, names in _SECTIONS.items():
        parts.append(_table(title, [fields.pop(name) for name in names]))
    if fields:
        raise LookupError(f"in no section of the page: {', '.join(fields)}")
    parts.append(_table("The group `media`", dataclasses.fields(MediaSettings)))
    parts.append(_table("An item of `numbers`", dataclasses.fields(NumberSettings)))
    return "\n".join(parts)


def _table(title: str, fields: Any) -> str:
    head = [f"## {title}\n", "| key | value | meaning |", "|---|---|---|"]
    return "\n".join([*head, *map(_row, fields), ""])


def _row(field: dataclasses.Field[Any]) -> str:
    return f"| `{field.name}` | {_value(field)} | {_meaning(field)} |"


def _value(field: dataclasses.Field[Any]) -> str:
    """Say what the value may be, in the words in which a wrong one is refused."""
    try:
        field.metadata["read"](object())
    except (ValueError, SettingsError) as refused:
        kind = str(refused)
    default = _default(field)
    return f"{kind}<br>without it: `{default}`" if default else kind


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


def _meaning(field: dataclasses.Field[Any]) -> str:
    said = [field.metadata["means"]]
    apis = field.metadata["apis"]
    if len(apis) < len(APIS):
        said.append(f"*For {_listed(apis)} only.*")
    if required := field.metadata["required"]:
        said.append("*Required.*" if required == apis else f"*Required by {_listed(required)}.*")
    # A key inside of a group comes from the file alone.
    if field.metadata["secret"] and field in dataclasses.fields(Settings):
        said.append(f"*Or `WHATSAPP_{field.name.upper()}` in the environment.*")
    return " ".join(said)


def _listed(apis: list[str]) -> str:
    *most, last = (f"`{api}`" for api in apis)
    return f"{', '.join(most)} and {last}" if most else last


if __name__ == "__main__":
    sys.stdout.write(page())
