"""`buttons` and `quick_replies`: reply buttons, a list, a link button, or lines of text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from rasa_whatsapp_channel.outbound.compose.draft import Draft
from rasa_whatsapp_channel.outbound.compose.plain import kind_name
from rasa_whatsapp_channel.outbound.compose.taps import Buttons, LinkButton, Lists, Taps
from rasa_whatsapp_channel.outbound.compose.text import cut, is_blank, one_line
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import Button, Row

_LINK_TYPES: Final = ("web_url", "url")
_PHONE_TYPES: Final = ("phone_number", "phone")
_HTTP: Final = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


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
    replies: tuple[Reply, ...] = ()
    links: tuple[Link, ...] = ()


def read_options(draft: Draft, where: str, value: Any) -> Options:
    """Read `buttons` or `quick_replies`: maps with title and payload, or plain texts."""
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
        option = list(_read_option(draft, where, item))
        replies += (part for part in option if isinstance(part, Reply))
        links += (part for part in option if isinstance(part, Link))
        if not option:
            draft.change("WA307", field=where, kind="one without both")
    return Options(_without_doubles(draft, replies), tuple(links))


def to_taps(draft: Draft, options: Options, *, list_button: str) -> tuple[Taps | None, list[str]]:
    """Return what can be tapped, and the lines of text for the links that cannot."""
    if not options.replies and len(options.links) == 1:
        button = _link_button(draft, options.links[0])
        if button:
            return button, []
    if options.links:
        _say_lines(draft, options)
    lines = [link.line() for link in options.links]
    return _reply_taps(draft, options.replies, list_button) if options.replies else None, lines


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
        yield Link(title, target.strip())
    if payload or not target:
        description = one_line(_words(item.get("description")))
        yield Reply(title, payload or title, None if is_blank(description) else description)


def _words(value: Any) -> str:
    """Return what was written where a text belongs; "" where nothing shows."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "" if is_blank(text) else text


def _without_doubles(draft: Draft, replies: Sequence[Reply]) -> tuple[Reply, ...]:
    kept: dict[Reply, None] = {}
    for reply in replies:
        if reply in kept:
            draft.change("WA306", title=reply.title)
        kept[reply] = None
    return tuple(kept)


def _link_button(draft: Draft, link: Link) -> LinkButton | None:
    fits = _HTTP.fullmatch(link.target) and len(link.target) <= limits.URL
    if not fits or "cta_url" not in draft.api.interactive:
        return None
    return LinkButton(_shorten(draft, "title", link.title, limits.CTA_DISPLAY_TEXT), link.target)


def _say_lines(draft: Draft, options: Options) -> None:
    reason = "it stands beside other buttons"
    if not options.replies and len(options.links) == 1:
        reason = f"api {draft.api.name} has no button for it"
    for link in options.links:
        draft.change("WA310", title=link.title, reason=reason)


def _reply_taps(draft: Draft, replies: Sequence[Reply], list_button: str) -> Taps:
    reason = _why_list(replies)
    if reason is None:
        titles = _unique(draft, [reply.title for reply in replies], limits.BUTTON_TITLE)
        ids = _ids(draft, replies, limits.BUTTON_ID)
        return Buttons(tuple(map(Button, ids, titles)))
    if reason:
        draft.change("WA301", count=len(replies), reason=reason)
    pages = _pages(_rows(draft, replies))
    if len(pages) > 1:
        draft.change("WA302", count=len(replies), lists=len(pages), limit=limits.LIST_ROWS)
    room = len(f" ({len(pages)}/{len(pages)})") if len(pages) > 1 else 0
    return Lists(pages, list_button, draft.api.list_body - room)


def _why_list(replies: Sequence[Reply]) -> str | None:
    """Return why the buttons must be a list: "" when they ask for one, None when they fit."""
    if len(replies) > limits.BUTTONS:
        return f"WhatsApp shows at most {limits.BUTTONS}"
    long = next((reply for reply in replies if len(reply.title) > limits.BUTTON_TITLE), None)
    if long:
        return f"the title {long.title!r} is longer than {limits.BUTTON_TITLE}"
    return "" if any(reply.description for reply in replies) else None


def _rows(draft: Draft, replies: Sequence[Reply]) -> list[Row]:
    titles = _unique(
        draft, [cut(reply.title, limits.ROW_TITLE) for reply in replies], limits.ROW_TITLE
    )
    ids = _ids(draft, replies, limits.ROW_ID)
    descriptions = [_description(draft, reply) for reply in replies]
    return list(map(Row, ids, titles, descriptions))


def _description(draft: Draft, reply: Reply) -> str | None:
    """Return the description; a title that had to be cut stands in it in full."""
    text = reply.description
    if len(reply.title) > limits.ROW_TITLE:
        draft.change("WA303", title=reply.title, limit=limits.ROW_TITLE)
        text = f"{reply.title}: {text}" if text else reply.title
    return text and _shorten(draft, "description", text, limits.ROW_DESCRIPTION)


def _shorten(draft: Draft, part: str, text: str, limit: int) -> str:
    if len(text) > limit:
        draft.change("WA304", part=part, text=text, limit=limit)
    return cut(text, limit)


def _pages(rows: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """Deal the rows out to as few lists as hold them, all about as long."""
    count = math.ceil(len(rows) / limits.LIST_ROWS)
    ends = [len(rows) * number // count for number in range(count + 1)]
    return tuple(tuple(rows[start:end]) for start, end in pairwise(ends))


def _unique(draft: Draft, titles: Sequence[str], limit: int) -> list[str]:
    """Number titles that stand there twice; WhatsApp refuses equal ones."""
    seen: dict[str, None] = {}
    for title in titles:
        new, number = title, 1
        while new in seen:
            number += 1
            mark = f" ({number})"
            new = cut(title, limit - len(mark)) + mark
        if new != title:
            draft.change("WA305", title=title, new=new)
        seen[new] = None
    return list(seen)


def _ids(draft: Draft, replies: Sequence[Reply], limit: int) -> list[str]:
    """Return the payloads, with a short id in the place of each that WhatsApp would refuse."""
    ids: dict[str, None] = {}
    for reply in replies:
        reason = _why_short(reply.payload, limit, ids)
        short, copy = reply.payload, 0
        if reason:
            draft.change("WA309", title=reply.title, reason=reason)
            short = draft.keep(reply.payload)
        while short in ids:
            copy += 1
            short = draft.keep(reply.payload, copy)
        ids[short] = None
    return list(ids)


def _why_short(payload: str, limit: int, taken: Mapping[str, None]) -> str | None:
    if len(payload) > limit:
        return f"is longer than {limit} characters"
    if payload != payload.strip():
        return "begins or ends with a space"
    return "stands there twice" if payload in taken else None
