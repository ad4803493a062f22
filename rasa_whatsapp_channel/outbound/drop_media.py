"""
Media dropping: what is left of a message when its file cannot be sent. Decides only.

Only the file is dropped. Its text and its buttons stay, in as few messages as possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from rasa_whatsapp_channel.compose.changes import Change, make_change
from rasa_whatsapp_channel.compose.join import NO_TEXT
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    Captioned,
    Card,
    CtaUrl,
    Header,
    Interactive,
    Media,
    MediaCarousel,
    MediaMessage,
    Message,
    OtherInteractive,
    ReplyButtons,
    Template,
    Text,
    find_media,
)
from rasa_whatsapp_channel.whatsapp.messages.interactive import HEADER_MEDIA


def holds_file(message: Message) -> bool:
    """Return whether *message* has a file in it."""
    return any(find_media(message)) or _has_other_header(message)


def needs_file(message: Message) -> bool:
    """Return whether *message* needs its file: a template is approved with its header."""
    return isinstance(message, Template) and holds_file(message)


@dataclass(frozen=True)
class Left:
    """What is left of a message without its file, in order, and what was changed."""

    messages: tuple[Message, ...]
    changes: tuple[Change, ...]


def drop_media(
    message: Message,
    *,
    reason: str,
    lost: Collection[Media] = (),
    shown: Collection[Media] = (),
) -> Left:
    """
    Return what is left of *message* without its file; the text says *reason*.

    The cards of a carousel all need a file, so each becomes a message of its own, without its file
    if that is *lost*. The links of *shown* may replace the file in the text.
    """
    messages = tuple(_without_media(message, lost, shown))
    return Left(messages, tuple(_changes(message, messages, reason, lost, shown)))


def _without_media(
    message: Message, lost: Collection[Media], shown: Collection[Media]
) -> Iterator[Message]:
    links = [media.link for media in find_media(message) if media.link and media in shown]
    if isinstance(message, MediaCarousel):
        yield from _spread(message, lost, shown)
    elif isinstance(message, MediaMessage):
        caption = message.caption if isinstance(message, Captioned) else None
        yield from _texts(caption, links)
    elif isinstance(message, OtherInteractive) and _has_other_header(message):
        value = {key: part for key, part in (message.value or {}).items() if key != "header"}
        yield replace(message, value=value)
    elif isinstance(message, Interactive) and message.header and message.header.media:
        yield from _without_header(message, links)
    elif not needs_file(message):
        yield message


def _changes(
    message: Message,
    left: Sequence[Message],
    reason: str,
    lost: Collection[Media],
    shown: Collection[Media],
) -> Iterator[Change]:
    spread = isinstance(message, MediaCarousel)
    if spread:
        yield make_change("WA803", None, {"count": len(left), "reason": reason})
    if spread and not lost:
        return
    values = {"kind": _kind_of_file(message, lost), "reason": reason}
    if shown:
        yield make_change("WA802", None, values)
    else:
        rest = "nothing was said with it" if not left else "what was said with it stays"
        yield make_change("WA801", None, {**values, "rest": rest})


def _kind_of_file(message: Message, lost: Collection[Media]) -> str:
    """Return what WhatsApp calls the file of *message* that is lost."""
    if isinstance(message, MediaMessage):
        return message.type
    if isinstance(message, MediaCarousel):
        return next(card.header_type for card in message.cards if card.media in lost)
    header = message.header if isinstance(message, Interactive) else None
    return header.type if header and header.media else "file"


def _has_other_header(message: Message) -> bool:
    value = message.value if isinstance(message, OtherInteractive) else None
    header = value.get("header") if value else None
    return isinstance(header, dict) and header.get("type") in HEADER_MEDIA


def _texts(text: str | None, links: Sequence[str]) -> Iterator[Text]:
    joined = "\n".join(filter(None, (text, *links)))
    if joined and len(joined) <= limits.TEXT_BODY:
        yield Text(joined, preview_url=bool(links))
        return
    if text:
        yield Text(text)
    for link in links:
        if len(link) <= limits.TEXT_BODY:
            yield Text(link, preview_url=True)


def _without_header(message: Interactive, links: Sequence[str]) -> Iterator[Message]:
    """Yield *message* last: what can be tapped stays at the bottom, where the thumb is."""
    text = "\n".join(filter(None, (message.text, *links)))
    if len(text) <= message.body_limit:
        yield replace(message, header=None, text=text)
        return
    yield from _texts(None, links)
    yield replace(message, header=None)


def _spread(
    carousel: MediaCarousel, lost: Collection[Media], shown: Collection[Media]
) -> Iterator[Message]:
    if carousel.text:
        yield Text(carousel.text)
    for card in carousel.cards:
        for message in _card_messages(card):
            if card.media in lost and holds_file(message):
                yield from _without_media(message, (), shown)
            else:
                yield message


def _card_messages(card: Card) -> Iterator[Interactive]:
    text, header = card.text or NO_TEXT, Header(card.header_type, media=card.media)
    if card.url is not None:
        yield CtaUrl(text, header, display_text=card.display_text or "", url=card.url)
        return
    for number, buttons in enumerate(_groups(card)):
        yield ReplyButtons(NO_TEXT if number else text, None if number else header, buttons=buttons)


def _groups(card: Card) -> list[tuple[Button, ...]]:
    """Return the buttons of *card*; those that may not stand beside an equal one go apart."""
    groups: list[list[Button]] = []
    for button in (Button(button.id.strip(), button.title) for button in card.buttons):
        for group in groups:
            if all(button.id != other.id and button.title != other.title for other in group):
                group.append(button)
                break
        else:
            groups.append([button])
    return [tuple(group) for group in groups]
