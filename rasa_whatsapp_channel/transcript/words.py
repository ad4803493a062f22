"""Message view: a message of the simulator → what a person sees of it, as transcripts write it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

FILES: Final = ("image", "video", "audio", "voice", "document", "sticker")
Words = dict[str, Any]


def words_of(message: Mapping[str, Any]) -> Words:
    """
    Return what *message*, as ``GET …/messages`` has it, shows.

    Files are shown by their names, buttons and rows by their titles, failed messages by the
    reason. `kind_of` returns the kind of the message.
    """
    kind, content = str(message["type"]), message.get("content")
    if message.get("status") == "failed":
        return {"message": {"type": kind, "failed": _reasons(message.get("errors") or [])}}
    if kind == "text":
        return {"text": content["body"]} if isinstance(content, Mapping) else {}
    if kind in FILES and isinstance(content, Mapping):
        return {_file_kind(kind, content): _name(content), **_text(content.get("caption"))}
    if kind == "interactive" and isinstance(content, Mapping):
        return _interactive(content)
    if kind == "location" and isinstance(content, Mapping):
        keys = ("latitude", "longitude", "name", "address")
        return {"location": {key: content[key] for key in keys if content.get(key) is not None}}
    if kind == "contacts" and isinstance(content, list):
        return {"contacts": [_contact(contact) for contact in content]}
    if kind == "template" and isinstance(content, Mapping):
        return _template(content)
    if kind == "reaction" and isinstance(content, Mapping):
        return {"reaction": content.get("emoji") or ""}
    if kind == "button" and isinstance(content, Mapping):
        return {"taps": content.get("text")}
    return {"message": {"type": kind, **({kind: content} if content is not None else {})}}


def kind_of(words: Mapping[str, Any]) -> str:
    """Return the kind of a message: its file, what can be tapped, or else text."""
    order = ("template", "cards", "rows", "buttons", "link", *FILES)
    for kind in (*order, "location", "contacts", "reaction", "message", "taps"):
        if kind in words:
            return kind
    return "text"


def line_of(words: Mapping[str, Any]) -> str:
    """Return a message on one line, for people."""
    parts = [_shown(key, value) for key, value in words.items()]
    return "  ".join(part for part in parts if part).replace("\n", "⏎ ") or "(nothing)"


def _shown(key: str, value: object) -> str:
    if key == "text":
        return str(value)
    if isinstance(value, list):
        return f"[{key}: {' | '.join(map(str, value))}]"
    if isinstance(value, Mapping):
        return f"[{key}: {', '.join(f'{name} {part}' for name, part in value.items())}]"
    return f"[{key}: {value}]" if value not in ("", True) else f"[{key}]"


def _interactive(content: Mapping[str, Any]) -> Words:
    kind, action = content.get("type"), content.get("action") or {}
    if kind in ("button_reply", "list_reply"):
        return {"taps": (content.get(kind) or {}).get("title")}
    words: Words = {}
    header = content.get("header") or {}
    header_kind = str(header.get("type"))
    if header_kind == "text":
        words["header"] = header.get("text")
    elif isinstance(header.get(header_kind), Mapping):
        words[header_kind] = _name(header[header_kind])
    words |= _text((content.get("body") or {}).get("text"))
    if footer := (content.get("footer") or {}).get("text"):
        words["footer"] = footer
    return words | _to_tap(str(kind), action)


def _to_tap(kind: str, action: Mapping[str, Any]) -> Words:
    if kind == "button":
        return {"buttons": [button["reply"]["title"] for button in action.get("buttons", [])]}
    if kind == "list":
        sections = action.get("sections", [])
        return {"rows": [row["title"] for section in sections for row in section["rows"]]}
    if kind == "cta_url":
        return {"link": (action.get("parameters") or {}).get("url")}
    if kind == "carousel":
        return {"cards": [_card(card) for card in action.get("cards", [])]}
    return {"message": {"type": kind}}


def _card(card: Mapping[str, Any]) -> str:
    body = (card.get("body") or {}).get("text")
    return str(body or (card.get("action") or {}).get("product_retailer_id") or "")


def _template(content: Mapping[str, Any]) -> Words:
    values = [
        str(parameter.get(parameter.get("type"), ""))
        for part in content.get("components") or []
        if part.get("type") == "body"
        for parameter in part.get("parameters") or []
    ]
    return {"template": content.get("name"), **({"values": values} if values else {})}


def _reasons(errors: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(
        str((error.get("error_data") or {}).get("details") or error.get("details") or "")
        for error in errors
    )


def _contact(contact: Mapping[str, Any]) -> str:
    return str((contact.get("name") or {}).get("formatted_name"))


def _file_kind(kind: str, content: Mapping[str, Any]) -> str:
    return "voice" if kind == "audio" and content.get("voice") else kind


def _name(content: Mapping[str, Any]) -> str:
    """Return the name of a file, else the last part of its link."""
    link = str(content.get("link") or "")
    path = unquote(urlsplit(link).path).rpartition("/")[2]
    return str(content.get("filename") or path or content.get("id") or "")


def _text(value: object) -> Words:
    return {"text": value} if isinstance(value, str) and value else {}
