"""
A message → what is left of it when its file cannot go. Decides only.

Only the file goes. What was said with it and what can be tapped stays, in as many messages as that
takes, and what could be a single message before is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

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
    """Tell whether *message* has a file in it."""
    return any(find_media(message)) or _has_other_header(message)


def needs_file(message: Message) -> bool:
    """Tell whether *message* cannot go without its file: a template is approved with its header."""
    return isinstance(message, Template) and holds_file(message)


def drop_media(
    message: Message, *, lost: Collection[Media] = (), shown: Collection[Media] = ()
) -> tuple[Message, ...]:
    """
    Return *message* without its file, as one message or several in order; none: nothing is left.

    Of a carousel, whose cards all need a file, each card becomes a message of its own, without its
    file where that is *lost*. The links of *shown* may stand in the text in the place of the file.
    """
    if isinstance(message, MediaCarousel):
        return tuple(_spread(message, lost, shown))
    links = [media.link for media in find_media(message) if media.link and media in shown]
    if isinstance(message, MediaMessage):
        caption = message.caption if isinstance(message, Captioned) else None
        return tuple(_texts(caption, links))
    if isinstance(message, OtherInteractive) and _has_other_header(message):
        value = {key: part for key, part in (message.value or {}).items() if key != "header"}
        return (replace(message, value=value),)
    if isinstance(message, Interactive) and message.header and message.header.media:
        return tuple(_without_header(message, links))
    return () if needs_file(message) else (message,)


def say_dropped(
    message: Message,
    left: Sequence[Message],
    *,
    reason: str,
    lost: Collection[Media] = (),
    shown: Collection[Media] = (),
) -> tuple[Change, ...]:
    """Return what happened when `drop_media` made *left* of *message*, in the author's words."""
    spread = isinstance(message, MediaCarousel)
    changes = []
    if spread:
        changes.append(make_change("WA803", None, {"count": len(left), "reason": reason}))
    if not spread or lost:
        values = {"kind": _kind_of_file(message, lost), "reason": reason}
        if shown:
            changes.append(make_change("WA802", None, values))
        else:
            rest = "nothing was said with it" if not left else "what was said with it stays"
            changes.append(make_change("WA801", None, {**values, "rest": rest}))
    return tuple(changes)


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
                yield from drop_media(message, shown=shown)
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
