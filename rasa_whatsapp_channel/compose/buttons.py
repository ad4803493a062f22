"""Buttons: replies and links → reply buttons, lists, a link button, or lines of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.options import (
    AS_LIST,
    AS_NUMBERS,
    Link,
    Options,
    Reply,
)
from rasa_whatsapp_channel.compose.text import cut
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    Card,
    CtaUrl,
    Header,
    ListMessage,
    MediaCarousel,
    Message,
    ReplyButtons,
    Row,
    Section,
)
from rasa_whatsapp_channel.whatsapp.uris import to_uri
from rasa_whatsapp_channel.wording import counted

# One text with numbers is shorter than more than ten lists.
MOST_LISTS: Final = 10


class Taps(Protocol):
    """
    Goes below a body of at most *body_limit* characters.

    *headers* are the types of header it takes; where it takes none, it has no footer either.
    """

    @property
    def body_limit(self) -> int: ...

    @property
    def headers(self) -> tuple[str, ...]: ...

    def messages(
        self, text: str, *, header: Header | None, footer: str | None
    ) -> list[Message]: ...


@dataclass(frozen=True)
class Buttons:
    buttons: tuple[Button, ...]
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = ReplyButtons.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [ReplyButtons(text, header, footer, self.buttons)]


@dataclass(frozen=True)
class LinkButton:
    display_text: str
    url: str
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = CtaUrl.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [CtaUrl(text, header, footer, self.display_text, self.url)]


@dataclass(frozen=True)
class Lists:
    """A list for each of *pages*, the header on the first and the footer on the last."""

    pages: tuple[tuple[Row, ...], ...]
    label: str
    body_limit: int
    headers: tuple[str, ...] = ListMessage.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        marks = self._marks()
        texts = [f"{text} {marks[0]}".strip(), *marks[1:]]
        last = len(self.pages) - 1
        return [
            ListMessage(
                texts[number],
                header if number == 0 else None,
                footer if number == last else None,
                self.label,
                (Section(rows),),
            )
            for number, rows in enumerate(self.pages)
        ]

    def _marks(self) -> list[str]:
        count = len(self.pages)
        return [f"({number}/{count})" for number in range(1, count + 1)] if count > 1 else [""]


@dataclass(frozen=True)
class Carousel:
    cards: tuple[Card, ...]
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = MediaCarousel.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [MediaCarousel(text, cards=self.cards)]


def to_taps(draft: Draft, options: Options, *, list_button: str) -> tuple[Taps | None, list[str]]:
    """
    Return what can be tapped, and lines of text for the rest.

    Up to three short titles are reply buttons, more are a list or several. Numbered lines are used
    for more than MOST_LISTS lists, if the API has no lists, or on request.
    """
    if not options.replies and len(options.links) == 1:
        button = _link_button(draft, options.links[0])
        if button:
            return button, []
    if options.links:
        _say_lines(draft, options)
    lines = [link.line() for link in options.links]
    if not options.replies:
        return None, lines
    reason = _why_numbers(draft.api, options)
    if reason is None:
        return _reply_taps(draft, options, list_button), lines
    if reason:
        draft.change("WA312", buttons=counted(len(options.replies), "button"), reason=reason)
    numbered = [_numbered(draft, reply) for reply in options.replies]
    return None, [*lines, "", *numbered] if lines else numbered


def is_link_button(link: Link) -> bool:
    """Return whether *link* can be a button that opens an address."""
    return _why_no_button(link) is None


def _why_no_button(link: Link) -> str | None:
    if len(link.target) > limits.URL:
        return f"its address is longer than {limits.URL} characters"
    try:
        to_uri(link.target)
    except ValueError as error:
        return f"the address {error}"
    return None


def shorten(draft: Draft, part: str, text: str, limit: int) -> str:
    new = cut(text, limit)
    if new != text:
        draft.change("WA304", part=part, text=text, limit=limit, new=new)
    return new


def to_titles(draft: Draft, titles: Sequence[str], limit: int) -> list[str]:
    """Number duplicated titles; WhatsApp refuses them."""
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


def to_ids(draft: Draft, replies: Sequence[Reply], limit: int) -> list[str]:
    """Return the payloads, with a short id in the place of each that WhatsApp would refuse."""
    ids: dict[str, None] = {}
    for reply in replies:
        reason = _why_short(reply.payload, limit, ids)
        short, copy = reply.payload, 0
        if reason:
            short = draft.keep(reply.payload)
        while short in ids:
            copy += 1
            short = draft.keep(reply.payload, copy)
        if reason:
            draft.change(
                "WA309", title=reply.title, reason=reason, payload=reply.payload, short=short
            )
        ids[short] = None
    return list(ids)


def _link_button(draft: Draft, link: Link) -> LinkButton | None:
    if "cta_url" not in draft.api.interactive or not is_link_button(link):
        return None
    return LinkButton(shorten(draft, "title", link.title, limits.CTA_DISPLAY_TEXT), link.target)


def _say_lines(draft: Draft, options: Options) -> None:
    for link in options.links:
        reason: str | None = "it stands beside other buttons"
        if not options.replies and len(options.links) == 1:
            reason = _why_no_button(link) or f"{draft.api.who} has no button for it"
        draft.change("WA310", title=link.title, line=link.line(), reason=reason)


def _why_numbers(api: Api, options: Options) -> str | None:
    """Return why the replies must be numbered lines: "" on request, None when they need not."""
    if options.kind == AS_NUMBERS:
        return ""
    if len(options.replies) > MOST_LISTS * limits.LIST_ROWS:
        return f"{MOST_LISTS} lists hold {MOST_LISTS * limits.LIST_ROWS}"
    kind = "button" if _why_list(options) is None else "list"
    return None if kind in api.interactive else f"{api.who} has none"


def _numbered(draft: Draft, reply: Reply) -> str:
    description = f": {reply.description}" if reply.description else ""
    return f"{draft.offer(reply.payload, reply.title)}. {reply.title}{description}"


def _reply_taps(draft: Draft, options: Options, list_button: str) -> Taps:
    replies, reason = options.replies, _why_list(options)
    if reason is None:
        titles = to_titles(draft, [reply.title for reply in replies], limits.BUTTON_TITLE)
        ids = to_ids(draft, replies, limits.BUTTON_ID)
        return Buttons(tuple(map(Button, ids, titles)))
    if reason:
        draft.change("WA301", buttons=counted(len(replies), "button"), reason=reason)
    pages = _pages(_rows(draft, replies))
    if len(pages) > 1:
        draft.change(
            "WA302",
            buttons=counted(len(replies), "button"),
            lists=len(pages),
            limit=limits.LIST_ROWS,
        )
    room = len(f" ({len(pages)}/{len(pages)})") if len(pages) > 1 else 0
    return Lists(pages, list_button, draft.api.list_body - room)


def _why_list(options: Options) -> str | None:
    """Return why the replies must be a list: "" when they ask for one, None when they fit."""
    replies = options.replies
    if len(replies) > limits.BUTTONS:
        return f"WhatsApp shows at most {limits.BUTTONS}"
    long = next((reply for reply in replies if len(reply.title) > limits.BUTTON_TITLE), None)
    if long:
        return f"the title {long.title!r} is longer than {limits.BUTTON_TITLE}"
    wanted = options.kind == AS_LIST or any(reply.description for reply in replies)
    return "" if wanted else None


def _rows(draft: Draft, replies: Sequence[Reply]) -> list[Row]:
    cuts = [cut(reply.title, limits.ROW_TITLE) for reply in replies]
    titles = to_titles(draft, cuts, limits.ROW_TITLE)
    ids = to_ids(draft, replies, limits.ROW_ID)
    descriptions = list(map(_description, [draft] * len(replies), replies, titles))
    return list(map(Row, ids, titles, descriptions))


def _description(draft: Draft, reply: Reply, title: str) -> str | None:
    """Return the description; it begins with the full title if that was cut."""
    text = reply.description
    if len(reply.title) > limits.ROW_TITLE:
        draft.change("WA303", title=reply.title, limit=limits.ROW_TITLE, new=title)
        text = f"{reply.title}: {text}" if text else reply.title
    return text and shorten(draft, "description", text, limits.ROW_DESCRIPTION)


def _pages(rows: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """Deal the rows out to as few lists as hold them, all about as long."""
    count = math.ceil(len(rows) / limits.LIST_ROWS)
    ends = [len(rows) * number // count for number in range(count + 1)]
    return tuple(tuple(rows[start:end]) for start, end in pairwise(ends))


def _why_short(payload: str, limit: int, taken: Mapping[str, None]) -> str | None:
    if len(payload) > limit:
        return f"is longer than {limit} characters"
    if payload != payload.strip():
        return "begins or ends with a space"
    return "is duplicated" if payload in taken else None
