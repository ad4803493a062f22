"""Preview: the bodies that a response becomes, and the bubbles of a chat drawn for a terminal."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import regex

from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.clients import (
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.messages import (
    MEDIA_MESSAGES,
    Media,
    MediaMessage,
    Message,
    Outgoing,
    find_media,
    replace_media,
)
from rasa_whatsapp_channel.whatsapp.mime import file_name

WIDTH: Final = 38  # cells inside of a bubble, about as many characters as on a phone
Part = Mapping[str, Any]
_GRAPHEME: Final = regex.compile(r"\X")
_NO_CELL: Final = regex.compile(r"[\p{M}\p{Cf}]+")
_EMOJI: Final = regex.compile(r"\ufe0f|\p{RI}|\u20e3")
_CONTROL: Final = regex.compile(r"[^\P{Cc}\n]")
RECIPIENT: Final = "15551234567"


def draw(outgoing: Outgoing) -> list[str]:
    """Return the bubble of a message as lines for a terminal."""
    bubble = _Bubble()
    if outgoing.reply_to:
        bubble.text(f"┃ an answer to {outgoing.reply_to}")
    body = outgoing.message.body()
    kind = body["type"]
    content = body[kind]
    if kind == "text":
        bubble.text(content["body"])
    elif kind in MEDIA_MESSAGES:
        _media(bubble, kind, content)
    elif kind == "interactive":
        return _interactive(bubble, content)
    else:
        _other(bubble, kind, content)
    return bubble.lines()


class _Bubble:
    def __init__(self) -> None:
        self._rows: list[str | None] = []  # None is a horizontal line

    def text(self, text: str) -> None:
        self._rows += wrap(text, WIDTH)

    def button(self, title: str) -> None:
        self._rows += [None, *(centre(line, WIDTH) for line in wrap(title, WIDTH))]

    def picture(self, label: str) -> None:
        shade = "▒" * WIDTH
        self._rows += [shade, centre(f" {label} ", WIDTH, "▒"), shade]

    def lines(self) -> list[str]:
        edge = "─" * (WIDTH + 2)
        rows = (f"├{edge}┤" if row is None else f"│ {pad(row, WIDTH)} │" for row in self._rows)
        return [f"╭{edge}╮", *rows, f"╰{edge}╯"]


def _media(bubble: _Bubble, kind: str, part: Part) -> None:
    source = str(part.get("path") or part.get("link") or part.get("id"))
    if kind == "document":
        bubble.text(f"📄 {part.get('filename') or file_name(source)}")
    elif kind == "audio":
        bubble.text("🎤 ▶ ━━●──────────" if part.get("voice") else "🎵 ▶ ━━●──────────")
    else:
        bubble.picture(kind)
    bubble.text(f"‹{source}›")
    if part.get("caption"):
        bubble.text(part["caption"])


def _interactive(bubble: _Bubble, content: Part) -> list[str]:
    header = content.get("header")
    if header:
        kind = header["type"]
        bubble.text(header["text"]) if kind == "text" else _media(bubble, kind, header[kind])
    for part in ("body", "footer"):
        if content.get(part):
            bubble.text(content[part].get("text", ""))
    action = content.get("action") or {}
    below = _action(bubble, content, action)
    return [*bubble.lines(), *below]


def _action(bubble: _Bubble, content: Part, action: Part) -> list[str]:
    """Add the buttons; return the lines of a list or carousel below the bubble."""
    match content.get("type"), action:
        case "button", {"buttons": [*buttons]}:
            for button in buttons:
                if button["type"] == "reply":
                    bubble.button(button["reply"]["title"])
                else:
                    _link(bubble, button["cta_url"])
        case "list", {"button": label, "sections": [*sections]}:
            bubble.button(f"☰ {label}")
            return [line for section in sections for line in _section(section)]
        case "cta_url", {"parameters": parameters}:
            _link(bubble, parameters)
        case "carousel", {"cards": [*cards]}:
            return [line for card in cards for line in _card(card)]
        case "location_request_message", _:
            bubble.button("📍 Send location")
        case "flow", {"parameters": {"flow_cta": title}}:
            bubble.button(str(title))
        case "request_contact_info", _:
            bubble.button("👤 Share contact info")
        case "voice_call", _:
            title = (action.get("parameters") or {}).get("display_text") or "Call now"
            bubble.button(f"📞 {title}")
        case "call_permission_request", _:
            bubble.button("📞 Choose a preference")
        case "order_details", {"parameters": parameters}:
            _order(bubble, parameters)
        case "order_status", {"parameters": parameters}:
            _order_status(bubble, parameters)
        case _:
            _other(bubble, f"interactive {content.get('type')}", action)
    return []


def _order_status(bubble: _Bubble, parameters: Part) -> None:
    order, payment = (parameters.get(key) or {} for key in ("order", "payment"))
    told = [str(part["status"]) for part in (order, payment) if part.get("status")]
    bubble.text(f"📦 {parameters['reference_id']}: {', '.join(told)}")
    if order.get("description"):
        bubble.text(order["description"])
    bubble.button("Review order")


def _link(bubble: _Bubble, parameters: Part) -> None:
    bubble.button(f"↗ {parameters['display_text']}")
    bubble.text(f"‹{parameters['url']}›")


def _order(bubble: _Bubble, parameters: Part) -> None:
    order, currency = parameters.get("order") or {}, parameters["currency"]
    for item in order.get("items") or ():
        price = item.get("sale_amount") or item["amount"]
        bubble.text(f"{item['quantity']} × {item['name']}: {_money(price, currency)}")
    for part in ("tax", "shipping", "discount"):
        if order.get(part):
            bubble.text(f"{part}: {_money(order[part], currency)}")
    bubble.text(f"total: {_money(parameters['total_amount'], currency)}")
    bubble.button("Review and pay")


def _money(amount: Part, currency: str) -> str:
    return f"{amount['value'] / amount['offset']:.2f} {currency}"


def _section(section: Part) -> list[str]:
    lines = [f"  {section['title']}"] if section.get("title") else []
    for row in section["rows"]:
        lines.append(f"  ○ {row['title']}")
        if row.get("description"):
            lines += (f"    {line}" for line in wrap(row["description"], WIDTH))
    return [clean(line) for line in lines]


def _card(card: Part) -> list[str]:
    bubble = _Bubble()
    header = card.get("header")
    if header:
        _media(bubble, header["type"], header[header["type"]])
    if card.get("body"):
        bubble.text(card["body"]["text"])
    action = card.get("action") or {}
    for button in action.get("buttons") or ():
        bubble.button(button["quick_reply"]["title"])
    if action.get("name") == "cta_url":
        _link(bubble, action["parameters"])
    elif "product_retailer_id" in action:
        bubble.text(f"🛒 {action['product_retailer_id']}")
    return [f"  {line}" for line in bubble.lines()]


def _other(bubble: _Bubble, kind: str, content: Any) -> None:
    match kind, content:
        case "location", {"latitude": latitude, "longitude": longitude}:
            bubble.picture("map")
            bubble.text(f"📍 {content.get('name') or ''} ‹{latitude}, {longitude}›")
            bubble.text(content.get("address") or "")
        case "contacts", [*cards]:
            for card in cards:
                bubble.text(f"👤 {card['name']['formatted_name']}")
                for phone in card.get("phones") or ():
                    bubble.text(f"   {phone.get('phone') or ''}")
        case "pin", {"type": "pin", "message_id": pinned, "expiration_days": days}:
            bubble.text(f"📌 pins {pinned} for {days} days")
        case "pin", {"message_id": pinned}:
            bubble.text(f"📌 takes {pinned} off")
        case "reaction", {"emoji": emoji}:
            bubble.text(f"{emoji} on {content['message_id']}" if emoji else "takes a reaction away")
        case _:
            bubble.text(f"{kind}:")
            bubble.text(json.dumps(content, ensure_ascii=False, indent=1))


def clean(text: str) -> str:
    """Return *text* without control characters."""
    return str(_CONTROL.sub("", text.replace("\t", "    ")))


def count_cells(text: str) -> int:
    return sum(_cells(grapheme) for grapheme in _GRAPHEME.findall(text))


def wrap(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* cells, broken between words where possible."""
    return [line for paragraph in clean(text).split("\n") for line in _lines(paragraph, width)]


def pad(text: str, width: int) -> str:
    return text + " " * (width - count_cells(text))


def centre(text: str, width: int, fill: str = " ") -> str:
    room = max(width - count_cells(text), 0)
    return fill * (room // 2) + text + fill * (room - room // 2)


def _lines(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for word in regex.splititer(r"(?<=\s)(?=\S)", paragraph):
        if line and count_cells(line + word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        for piece in _pieces(word, width):
            if line and count_cells(line + piece.rstrip()) > width:
                yield line.rstrip()
                line = ""
            line += piece
    yield line.rstrip()


def _pieces(word: str, width: int) -> list[str]:
    """Return *word* whole where it fits into a line, else its visible characters."""
    return [word] if count_cells(word.rstrip()) <= width else _GRAPHEME.findall(word)


def _cells(grapheme: str) -> int:
    if _NO_CELL.fullmatch(grapheme):
        return 0
    wide = _EMOJI.search(grapheme) or unicodedata.east_asian_width(grapheme[0]) in ("W", "F")
    return 2 if wide else 1


_BODIES: Final = {
    client.api: client.body
    for client in (CloudClient, Dialog360Client, TurnClient, OnPremisesClient)
}


def write_bodies(messages: Iterable[Outgoing], api: Api) -> list[dict[str, Any]]:
    """Return the bodies for *api*; a file that would be uploaded has its name in place of an id."""
    return [
        _BODIES[api](RECIPIENT, _upload(each.message, api), reply_to=each.reply_to)
        for each in messages
    ]


def _upload(message: Message, api: Api) -> Message:
    fetched = isinstance(message, MediaMessage) and not api.link
    ids = {
        media: Media(id=f"<id of {media.path or media.link}>")
        for media in find_media(message)
        if media.path or (media.link and fetched)
    }
    return replace_media(message, ids)
