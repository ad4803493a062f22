"""Options: reads `buttons` and `quick_replies` → replies and links."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import kind_name
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import is_link, shown
from rasa_whatsapp_channel.compose.text import is_blank, one_line
from rasa_whatsapp_channel.whatsapp.uris import to_uri, trim
from rasa_whatsapp_channel.wording import suggest

_LINK_TYPES: Final = ("web_url", "url")
_PHONE_TYPES: Final = ("phone_number", "phone")

AS_LIST: Final = "list"
AS_NUMBERS: Final = "numbers"
# Rasa's own types are for other channels; WhatsApp has one look of reply buttons.
_RASA_TYPES: Final = ("inline", "vertical", "reply")


@dataclass(frozen=True)
class Reply:
    """A button that sends *payload* back."""

    title: str
    payload: str
    description: str | None = None


@dataclass(frozen=True)
class Link:
    """A button that opens *target*: an address or a phone number."""

    title: str
    target: str

    def line(self) -> str:
        return self.target if self.title == self.target else f"{self.title}: {self.target}"


@dataclass(frozen=True)
class Options:
    """*kind* is how the author wants the replies: AS_LIST, AS_NUMBERS, or None for what fits."""

    replies: tuple[Reply, ...] = ()
    links: tuple[Link, ...] = ()
    kind: str | None = None


NO_OPTIONS: Final = Options()


def read_options(draft: Draft, where: str, value: Any) -> Options:
    """Read `buttons` or `quick_replies`: maps with title and payload, or plain texts."""
    if value is None:
        return NO_OPTIONS
    replies: list[Reply] = []
    links: list[Link] = []
    for item in value if isinstance(value, list) else [value]:
        if item is None or item in ("", {}):
            continue
        if isinstance(item, str):
            item = {"title": item}
        if not isinstance(item, Mapping):
            draft.change("WA307", field=where, kind=kind_name(item))
            continue
        option = None
        for option in _read_option(draft, where, item):
            replies.append(option) if isinstance(option, Reply) else links.append(option)
        if option is None:
            draft.change("WA307", field=where, kind="one without both")
    return Options(_without_doubles(draft, replies), tuple(links))


def read_kind(draft: Draft, button_type: Any) -> str | None:
    """Read `button_type`."""
    if button_type in (AS_LIST, AS_NUMBERS):
        return str(button_type)
    if button_type not in (None, "", *_RASA_TYPES):
        hint = suggest(str(button_type), (AS_LIST, AS_NUMBERS))
        draft.change("WA313", kind=button_type, hint=hint)
    return None


def _read_option(draft: Draft, where: str, item: Mapping[str, Any]) -> Iterator[Reply | Link]:
    """Yield a reply, a link, or both when the button has a payload and an address."""
    kind = item.get("type")
    payload = _words(item.get("payload"))
    target = _words(item.get("url"))
    title = one_line(_words(item.get("title")))
    if kind in (*_LINK_TYPES, *_PHONE_TYPES):
        target, payload = target or payload, ""
    if is_blank(title):
        title = one_line(payload or target)
        if title:
            draft.change("WA311", field=where, title=title)
    if not title:
        return
    if target:
        yield Link(title, _to_address(draft, title, trim(target)))
    if payload or not target:
        description = one_line(_words(item.get("description")))
        yield Reply(title, payload or title, None if is_blank(description) else description)


def _to_address(draft: Draft, title: str, target: str) -> str:
    """Return *target* as a URI where it is an address; what is none becomes a line of the text."""
    if not is_link(target):
        return target
    try:
        new = to_uri(target)
    except ValueError:
        return target
    if new != target:
        draft.change("WA314", title=title, link=shown(target), new=shown(new))
    return new


def _words(value: Any) -> str:
    """Return *value* as text; "" if it shows nothing."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "" if is_blank(text) else text


def _without_doubles(draft: Draft, replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """Return *replies* with each once; one with a description takes the place of one without."""
    kept: dict[tuple[str, str, str | None], Reply] = {}
    for reply in replies:
        plain = (reply.title, reply.payload, None)
        key = (reply.title, reply.payload, reply.description)
        if key in kept:
            draft.change("WA306", title=reply.title)
        elif plain in kept and kept[plain].description is None:
            key = plain
        kept[key] = reply
    return tuple(kept.values())
