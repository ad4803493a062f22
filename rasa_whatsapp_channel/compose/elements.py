"""`elements`: cards, side by side where they can be, else one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.join import Parts
from rasa_whatsapp_channel.compose.links import encode_link, is_link
from rasa_whatsapp_channel.compose.media import read_media
from rasa_whatsapp_channel.compose.options import read_options
from rasa_whatsapp_channel.compose.plain import kind_name
from rasa_whatsapp_channel.compose.style import Style, nearest
from rasa_whatsapp_channel.compose.text import read_text

KEYS: Final = ("title", "subtitle", "image_url", "image", "buttons", "default_action")


def read_elements(draft: Draft, elements: Any, *, list_button: str) -> list[Parts]:
    """Return what each card consists of."""
    if elements is None:
        return []
    style = Style(list_button=list_button)
    cards = []
    for number, item in enumerate(elements if isinstance(elements, list) else [elements]):
        where = f"elements[{number}]"
        if isinstance(item, Mapping) and item:
            cards.append(_read_card(draft, where, item, style))
        elif item is not None and item not in ("", {}):
            draft.change("WA401", field=where, kind=kind_name(item))
    return cards


def _read_card(draft: Draft, where: str, item: Mapping[str, Any], style: Style) -> Parts:
    for key in item:
        if key not in KEYS:
            draft.change("WA403", field=where, key=key, hint=nearest(key, KEYS))
    title = read_text(draft, f"{where}.title", item.get("title"))
    subtitle = read_text(draft, f"{where}.subtitle", item.get("subtitle"))
    found = read_media(draft, {"image": item.get("image_url") or item.get("image")})
    options = read_options(draft, f"{where}.buttons", item.get("buttons"))
    address = _read_action(draft, where, item.get("default_action"))
    if any(link.target == address for link in options.links):
        address = None
    texts = (title and _bold(title), subtitle, *found.texts, address)
    text = "\n".join(text for text in texts if text)
    return Parts(text or None, tuple(found.media), options, style)


def _read_action(draft: Draft, where: str, action: Any) -> str | None:
    """Return the address a tap on the card would open."""
    address = action.get("url") if isinstance(action, Mapping) else action
    if action and not address:
        hint = "only one with a url can be shown"
        draft.change("WA403", field=where, key="default_action", hint=hint)
    field = f"{where}.default_action.url"
    text = read_text(draft, field, address)
    return encode_link(draft, field, text) if text and is_link(text) else text


def _bold(title: str) -> str:
    return title if "*" in title or "\n" in title else f"*{title}*"
