"""
What WhatsApp's pages say about a body's size, written down apart from the package's own limits.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages and
its neighbours; for on-premises and Turn
https://developers.facebook.com/docs/whatsapp/on-premises/reference/messages
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

OLD = ("on_premises", "turn")
MEDIA = ("image", "video", "document", "audio", "sticker")
CLOUD_ONLY = ("cta_url", "carousel")


def misfits(body: dict[str, Any], api: str) -> list[str]:
    """Return what WhatsApp would refuse in the whole *body* of a request to *api*."""
    return list(_message(body, api))


def _message(body: dict[str, Any], api: str) -> Iterator[str]:
    kind = body["type"]
    content = body[kind]
    if api in OLD and "context" in body:
        yield "a quote"
    if api in OLD and "messaging_product" in body:
        yield "messaging_product"
    if kind == "text":
        yield from _text("text", content["body"], 4096)
    elif kind in MEDIA:
        yield from _media(kind, content, api)
    elif kind == "interactive":
        yield from _interactive(content, api)


def _text(where: str, text: Any, limit: int) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield f"{where} is empty"
    elif len(text) > limit:
        yield f"{where} has {len(text)} of {limit} characters"


def _media(kind: str, content: dict[str, Any], api: str) -> Iterator[str]:
    if sum(key in content for key in ("id", "link")) != 1:
        yield f"{kind} has not one source"
    if "caption" in content:
        yield from _text("caption", content["caption"], 1024)
        if kind in ("audio", "sticker"):
            yield f"{kind} has a caption"
    if "voice" in content and (kind != "audio" or api in OLD):
        yield f"{kind} has voice"
    if "provider" in content and api != "on_premises":
        yield f"{kind} has a provider"
    if "filename" in content and kind != "document":
        yield f"{kind} has a filename"


def _interactive(content: dict[str, Any], api: str) -> Iterator[str]:
    kind = content["type"]
    if api in OLD and kind in CLOUD_ONLY and (api, kind) != ("turn", "cta_url"):
        yield f"{kind} at {api}"
    long_body = 4096 if kind == "list" and api not in OLD else 1024
    if "body" in content or kind in ("button", "list", "cta_url", "carousel"):
        yield from _text("body", content["body"]["text"], long_body)
    if "footer" in content:
        yield from _text("footer", content["footer"]["text"], 60)
    if "header" in content:
        yield from _header(content["header"], kind)
    if kind == "carousel" and ("header" in content or "footer" in content):
        yield "carousel with header or footer"
    checks = {"button": _buttons, "list": _list, "cta_url": _link, "carousel": _carousel}
    if kind in checks:
        yield from checks[kind](content["action"])


def _header(header: dict[str, Any], kind: str) -> Iterator[str]:
    if header["type"] == "text":
        yield from _text("header", header["text"], 60)
    elif kind == "list" or header["type"] not in ("image", "video", "document"):
        yield f"a header of type {header['type']} above {kind}"
    elif "caption" in header[header["type"]]:
        yield "a header with a caption"


def _buttons(action: dict[str, Any]) -> Iterator[str]:
    replies = [button["reply"] for button in action["buttons"]]
    if not 1 <= len(replies) <= 3:
        yield f"{len(replies)} buttons"
    for reply in replies:
        yield from _text("title", reply["title"], 20)
        yield from _text("id", reply["id"], 256)
        if reply["id"] != reply["id"].strip():
            yield "an id with space around it"
    for key in ("title", "id"):
        if len({reply[key] for reply in replies}) < len(replies):
            yield f"two buttons with one {key}"


def _list(action: dict[str, Any]) -> Iterator[str]:
    yield from _text("button", action["button"], 20)
    sections = action["sections"]
    rows = [row for section in sections for row in section["rows"]]
    if not 1 <= len(sections) <= 10 or not 1 <= len(rows) <= 10:
        yield f"{len(sections)} sections with {len(rows)} rows"
    for section in sections:
        if "title" in section or len(sections) > 1:
            yield from _text("section", section.get("title"), 24)
    for row in rows:
        yield from _text("title", row["title"], 24)
        yield from _text("id", row["id"], 200)
        if "description" in row:
            yield from _text("description", row["description"], 72)
    if len({row["id"] for row in rows}) < len(rows):
        yield "two rows with one id"


def _link(action: dict[str, Any]) -> Iterator[str]:
    parameters = action["parameters"]
    yield from _text("display_text", parameters["display_text"], 20)
    if not parameters["url"].lower().startswith(("http://", "https://")):
        yield f"the url {parameters['url']}"


def _carousel(action: dict[str, Any]) -> Iterator[str]:
    cards = action["cards"]
    if not 2 <= len(cards) <= 10:
        yield f"{len(cards)} cards"
    if any(card["type"] == "product" for card in cards):
        return
    shapes = {len(card["action"].get("buttons", "a link")) for card in cards}
    if len(shapes) > 1:
        yield "cards of several shapes"
    for number, card in enumerate(cards):
        if card["card_index"] != number or card["header"]["type"] not in ("image", "video"):
            yield f"card {number}"
        if "body" in card:
            yield from _text("card", card["body"]["text"], 160)
            if card["body"]["text"].count("\n") > 2:
                yield "a card with more than two line breaks"
        yield from _card_action(card["action"])


def _card_action(action: dict[str, Any]) -> Iterator[str]:
    if "buttons" not in action:
        yield from _link(action)
        return
    replies = [button["quick_reply"] for button in action["buttons"]]
    if not 1 <= len(replies) <= 3:
        yield f"{len(replies)} buttons on a card"
    for reply in replies:
        yield from _text("title", reply["title"], 20)
        yield from _text("id", reply["id"], 256)
    if len({reply["title"] for reply in replies}) < len(replies):
        yield "two buttons with one title on a card"
