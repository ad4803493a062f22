"""A text as a response holds it → a text that shows something."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp_channel.compose.characters import is_blank
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.plain import kind_name


def read_text(draft: Draft, field: str, value: Any) -> str | None:
    """Return *value* as a text without outer space, or None where there is none to show."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        draft.change("WA104", field=field, kind=kind_name(value))
        return None
    if is_blank(value):
        draft.change("WA102", field=field)
        return None
    return value.strip()
