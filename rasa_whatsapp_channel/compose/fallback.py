"""What a custom message becomes where the API does not have its kind: its parts, joined anew."""

from __future__ import annotations

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.join import Parts, join
from rasa_whatsapp_channel.compose.options import Link, Options, Reply
from rasa_whatsapp_channel.compose.style import Style
from rasa_whatsapp_channel.whatsapp.messages import (
    MEDIA_MESSAGES,
    Card,
    CtaUrl,
    Document,
    Header,
    MediaCarousel,
    MediaMessage,
    Message,
)


def fall_back(draft: Draft, message: Message) -> list[Message]:
    """Return what goes in the place of *message*; nothing when there is nothing like it."""
    if isinstance(message, CtaUrl):
        return join(draft, _link_parts(message))
    if isinstance(message, MediaCarousel):
        cards = (Parts(message.text), *map(_card_parts, message.cards))
        return [part for card in cards for part in join(draft, card)]
    return []


def _link_parts(message: CtaUrl) -> Parts:
    title = message.header.text if message.header else None
    return Parts(
        message.text,
        _files(message.header),
        Options(links=(Link(message.display_text, message.url),)),
        Style(header=title, footer=message.footer),
    )


def _card_parts(card: Card) -> Parts:
    link = (Link(card.display_text or card.url, card.url),) if card.url else ()
    replies = tuple(Reply(button.title, button.id) for button in card.buttons)
    return Parts(card.text, (MEDIA_MESSAGES[card.header_type](card.media),), Options(replies, link))


def _files(header: Header | None) -> tuple[MediaMessage, ...]:
    if header is None or header.media is None:
        return ()
    if header.type == "document":
        return (Document(header.media, filename=header.filename),)
    return (MEDIA_MESSAGES[header.type](header.media),)
