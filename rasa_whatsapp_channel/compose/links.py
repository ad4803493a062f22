"""Links: encodes the links of a response as URIs, since WhatsApp refuses all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.text import cut
from rasa_whatsapp_channel.media.access import short
from rasa_whatsapp_channel.whatsapp.uris import encode_end, to_uri, trim

_SHOWN: Final = 200
_HTTP: Final = re.compile(r"https?://", re.IGNORECASE)
# The older way to name a provider on-premises: "the-provider-name/https://the-url".
_PROVIDED: Final = re.compile(r"\A\s*[\w.-]+/(?=https?://)", re.IGNORECASE)
# What an author hands to a form is no link of WhatsApp's, whatever it is called.
_OF_FORMS: Final = ("flow_action_payload", "flow_action_data")
# What stands beside the `url` of something to tap.
_LABELS: Final = ("display_text", "title")


def is_link(text: str) -> bool:
    """Return whether *text* begins as a link does."""
    return _HTTP.match(trim(text)) is not None


def encode_link(draft: Draft, field: str, link: str) -> str:
    """Return *link* as a URI, the change said; what can be none stays for the checks to refuse."""
    found = _PROVIDED.match(link)
    before, rest = (found[0].strip(), link[found.end() :]) if found else ("", link)
    try:
        new = before + to_uri(rest)
    except ValueError:
        return link
    _say(draft, field, link, new)
    return new


def encode_links(draft: Draft, field: str, value: Any) -> Any:
    """Return WhatsApp's body *value* with every link in it as a URI."""
    if isinstance(value, list):
        return [
            encode_links(draft, f"{field}[{number}]", item) for number, item in enumerate(value)
        ]
    if not isinstance(value, Mapping):
        return value
    ends = value.get("type") == "button" and value.get("sub_type") == "url"
    tapped = any(label in value for label in _LABELS)
    new: dict[str, Any] = {}
    for key, item in value.items():
        where = f"{field}.{key}"
        if key in _OF_FORMS:
            new[key] = item
        elif isinstance(item, str) and (key == "link" or (key == "url" and tapped)):
            new[key] = encode_link(draft, where, item)
        elif ends and key == "parameters" and isinstance(item, list):
            new[key] = [encode_button_end(draft, where, parameter) for parameter in item]
        else:
            new[key] = encode_links(draft, where, item)
    return new


def encode_button_end(draft: Draft, field: str, parameter: Any) -> Any:
    """Return the parameter of a template's link button, the end of its address, as URIs have it."""
    text = parameter.get("text") if isinstance(parameter, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        return parameter
    try:
        new = encode_end(text)
    except ValueError:
        return parameter
    _say(draft, field, text, new)
    return {**parameter, "text": new}


def shown(link: str) -> str:
    """Return *link* for a log: a password, and what stands behind a question mark, are not."""
    return cut(short(link.partition("?")[0]), _SHOWN)


def _say(draft: Draft, field: str, link: str, new: str) -> None:
    if new != link:
        draft.change("WA212", field=field, link=shown(link), new=shown(new))
