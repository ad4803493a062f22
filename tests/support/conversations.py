"""
Sixty conversations as people write bots, and whether what they say is all on the phone.

`samples/conversations` holds them by kind: for each turn what the person writes, and what Rasa
hands to the channel, in the shape of its `send_response`. `after` is the seconds since the response
before it; without it both came at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.combine import alone, combine
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients.cloud import CloudClient

Json = Any
Response = dict[str, Any]

PHONE: Final = "4915112345678"
FOLDER: Final = Path(__file__).parents[1] / "samples" / "conversations"
# What `BotUttered.message()` of Rasa always has.
RASA: Final = dict.fromkeys(
    ("text", "elements", "quick_replies", "buttons", "attachment", "image", "custom")
)
FILES: Final = ("image", "video", "document", "audio", "sticker")
# What we add where a message needs it and the bot said nothing.
_STANDS_IN: Final = "👇"
_PAGE: Final = re.compile(r" ?\(\d/\d\)\Z|\A\(\d/\d\)(?=\n|\Z)")
_MARKS: Final = str.maketrans("", "", "*_~`")


@dataclass(frozen=True)
class Turn:
    """What a bot says after one message; *times* are the seconds since its first word."""

    responses: tuple[Response, ...]
    times: tuple[float, ...]


@dataclass(frozen=True)
class Conversation:
    kind: str
    name: str
    language: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Sent:
    """The bodies as they go to WhatsApp, and the payloads that were kept under a short id."""

    bodies: tuple[Json, ...]
    payloads: Mapping[str, str]


@dataclass(frozen=True)
class Item:
    """
    Something to read, tap or open: *value* in *stream*, which keeps its order.

    *place* is that of its response, or of the message it stands in.
    """

    stream: str
    value: object
    place: int


def corpus() -> list[Conversation]:
    return [
        Conversation(
            path.stem.replace("-", " "),
            item["name"],
            item["language"],
            tuple(map(_turn, item["turns"])),
        )
        for path in sorted(FOLDER.glob("*.yml"))
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def _turn(item: Json) -> Turn:
    responses, times, now = [], [], 0.0
    for said in item["bot"]:
        now += said.get("after", 0.0) if responses else 0.0
        responses.append({**RASA, **{key: said[key] for key in said if key != "after"}})
        times.append(now)
    return Turn(tuple(responses), tuple(times))


def sent(turn: Turn, *, together: bool) -> Sent:
    """Return what the channel sends of *turn*: with `combine: turn` *together*, else as it is."""
    bodies: list[Json] = []
    payloads: dict[str, str] = {}
    for responses in spells_of(turn) if together else [turn.responses]:
        composed = [compose(each, api=CLOUD, recipient_id=PHONE) for each in responses]
        for each in composed:
            payloads.update(each.payloads)
        joined = combine(composed, api=CLOUD) if together else alone(composed)
        for message in joined.messages:
            body = CloudClient.body(PHONE, message.outgoing.message)
            bodies.append(json.loads(json.dumps(body)))
    return Sent(tuple(bodies), payloads)


def spells_of(turn: Turn) -> list[list[Response]]:
    """Return the responses of *turn* as the turn writer keeps them: for `combine_wait` seconds."""
    spells: list[list[Response]] = []
    began = float("-inf")
    for response, at in zip(turn.responses, turn.times, strict=True):
        if at >= began + Settings.combine_wait:
            began = at
            spells.append([])
        spells[-1].append(response)
    return spells


def losses(turn: Turn, what: Sent) -> list[str]:
    """
    Return, in words, what of *turn* is not on the phone: once, in its order, and in its place.

    Nothing of one response may stand behind something of a later one.
    """
    links = {f"{title}: {url}" for title, url in _links(turn)}
    wanted = [item for n, each in enumerate(turn.responses) for item in _said(each, n)]
    shown = [
        item for n, body in enumerate(what.bodies) for item in _shown(body, n, links, what.payloads)
    ]
    found: list[str] = []
    places: dict[int, set[int]] = {}
    for stream in dict.fromkeys(item.stream for item in (*wanted, *shown)):
        ours = [item for item in wanted if item.stream == stream]
        theirs = [item for item in shown if item.stream == stream]
        for want, show in zip(ours, theirs, strict=False):
            if not _is_shown(want.value, show.value):
                found.append(f"{stream}: {want.value!r} should be there, not {show.value!r}")
                break
            places.setdefault(want.place, set()).add(show.place)
        else:
            found += [f"{stream}: {item.value!r} is missing" for item in ours[len(theirs) :]]
            found += [f"{stream}: {item.value!r} is too much" for item in theirs[len(ours) :]]
    last = 0
    for response in sorted(places):
        if min(places[response]) < last:
            found.append(f"response {response} begins before the one before it ends")
        last = max(places[response])
    return found


def _is_shown(wanted: object, shown: object) -> bool:
    # A row has a title, which may be cut, and a description with the whole of it.
    if isinstance(wanted, tuple) and isinstance(shown, tuple) and isinstance(shown[0], frozenset):
        return wanted[0] in shown[0] and wanted[1:] == shown[1:]
    return wanted == shown


def _links(turn: Turn) -> Iterator[tuple[str, str]]:
    for response in turn.responses:
        for button in response["buttons"] or ():
            if button.get("type") == "web_url":
                yield button["title"], button["url"]


def _said(response: Response, place: int) -> Iterator[Item]:
    """Yield what *response* says, in the order that a person reads it."""
    yield from _words(response["text"], place)
    for custom in [response["custom"]] if response["custom"] else []:
        yield from _shown(custom, place, frozenset(), {})
    yield from _file({"type": "image", "link": response["image"]}, place)
    yield from _file(response["attachment"], place)
    yield from _buttons(response["quick_replies"], place)
    yield from _buttons(response["buttons"], place)
    for card in response["elements"] or ():
        yield from _words(card["title"], place)
        yield from _words(card.get("subtitle"), place)
        yield from _file({"type": "image", "link": card.get("image_url")}, place)
        yield from _buttons(card.get("buttons"), place)


def _words(text: str | None, place: int) -> Iterator[Item]:
    for word in (text or "").translate(_MARKS).split():
        yield Item("word", word, place)


def _file(file: Json, place: int) -> Iterator[Item]:
    if file and file["link"]:
        yield Item("file", (file["type"], file["link"], file.get("filename")), place)


def _buttons(buttons: Json, place: int) -> Iterator[Item]:
    for button in buttons or ():
        if button.get("type") == "web_url":
            yield Item("link", (button["title"], button["url"]), place)
        else:
            yield Item("reply", (button["title"], button["payload"]), place)


def _shown(
    body: Json,
    place: int,
    links: Sequence[str] | frozenset[str] | set[str],
    kept: Mapping[str, str],
) -> Iterator[Item]:
    """Yield what the phone shows of the *body* of a message."""
    kind = body["type"]
    content = body[kind]
    if kind == "text":
        yield from _lines(content["body"], place, links)
    elif kind in FILES:
        yield from _media(kind, content, place)
        yield from _lines(content.get("caption"), place, links)
    elif kind == "interactive":
        yield from _interactive(content, place, links, kept)
    else:  # a place, a contact
        yield Item("file", json.dumps([kind, content], sort_keys=True), place)


def _media(kind: str, media: Json, place: int) -> Iterator[Item]:
    yield Item("file", (kind, media["link"], media.get("filename")), place)


def _lines(text: str | None, place: int, links: Any) -> Iterator[Item]:
    """Yield the words of *text*; a line that is one of *links* is a link."""
    for line in (text or "").splitlines():
        if line in links:
            title, _, url = line.partition(": ")
            yield Item("link", (title, url), place)
        elif line != _STANDS_IN:
            yield from _words(line, place)


def _interactive(content: Json, place: int, links: Any, kept: Mapping[str, str]) -> Iterator[Item]:
    header = content.get("header", {"type": "text", "text": ""})
    if header["type"] == "text":
        yield from _words(header["text"], place)
    else:
        yield from _media(header["type"], header[header["type"]], place)
    text = content.get("body", {}).get("text")
    if content["type"] == "list" and text:
        text = _PAGE.sub("", text)
    yield from _lines(text, place, links)
    yield from _words(content.get("footer", {}).get("text"), place)
    action = content["action"]
    for button in action.get("buttons", ()):
        reply = button.get("reply") or button["quick_reply"]
        yield Item("reply", (reply["title"], kept.get(reply["id"], reply["id"])), place)
    for section in action.get("sections", ()):
        for row in section["rows"]:
            titles = frozenset(filter(None, (row["title"], row.get("description"))))
            yield Item("reply", (titles, kept.get(row["id"], row["id"])), place)
    for card in action.get("cards", ()):
        yield from _interactive(card, place, links, kept)
    parameters = action.get("parameters", {})
    if "url" in parameters:
        yield Item("link", (parameters["display_text"], parameters["url"]), place)
    elif content["type"] in ("flow", "location_request_message"):
        yield Item("reply", json.dumps(action, sort_keys=True), place)
