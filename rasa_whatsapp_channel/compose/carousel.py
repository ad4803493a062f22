"""
Cards side by side, for APIs that have it and cards that are alike.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rasa_whatsapp_channel.compose.buttons import is_link_button, to_ids, to_titles
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.join import Parts
from rasa_whatsapp_channel.compose.taps import Carousel
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import Card, CardButton, Image, Video

_MEDIA: Final = (Image, Video)


def to_carousel(draft: Draft, cards: Sequence[Parts]) -> Carousel | None:
    """Return *cards* as a carousel, or None, with the reason said, where they cannot be one."""
    if len(cards) < limits.CARDS_MIN:
        return None
    texts = [card.text and draft.format(card.text) for card in cards]
    reason = next(_why_not(draft, cards, texts), None)
    if reason:
        draft.change("WA402", count=len(cards), reason=reason)
        return None
    replies = [reply for card in cards for reply in card.options.replies]
    ids = iter(to_ids(draft, replies, limits.CARD_BUTTON_ID))
    return Carousel(tuple(_card(draft, *both, ids) for both in zip(cards, texts, strict=True)))


def _why_not(draft: Draft, cards: Sequence[Parts], texts: Sequence[str | None]) -> Iterator[str]:
    if "carousel" not in draft.api.interactive:
        yield f"api {draft.api.name} has no carousel"
    if len(cards) > limits.CARDS:
        yield f"a carousel has at most {limits.CARDS} cards"
    for number, (card, text) in enumerate(zip(cards, texts, strict=True)):
        for reason in _why_no_card(card, text or ""):
            yield f"elements[{number}] {reason}"
    if len({(len(card.options.links), len(card.options.replies)) for card in cards}) > 1:
        yield "the cards of a carousel have equally many buttons of one kind"


def _why_no_card(card: Parts, text: str) -> Iterator[str]:
    media = card.media[0] if len(card.media) == 1 else None
    if not isinstance(media, _MEDIA):
        yield "has no image"
    elif media.caption:
        yield "has an image with a caption"
    if len(text) > limits.CARD_BODY:
        yield f"has more than {limits.CARD_BODY} characters"
    if text.count("\n") > limits.CARD_BODY_LINE_BREAKS:
        yield f"has more than {limits.CARD_BODY_LINE_BREAKS + 1} lines"
    links, replies = card.options.links, card.options.replies
    if links and (replies or len(links) > 1 or not is_link_button(links[0])):
        yield "needs either one link or buttons that answer"
    if not links and not 1 <= len(replies) <= limits.CARD_BUTTONS:
        yield f"needs 1 to {limits.CARD_BUTTONS} buttons"
    titles = [*(link.title for link in links), *(reply.title for reply in replies)]
    if any(len(title) > limits.BUTTON_TITLE for title in titles):
        yield f"has a button with more than {limits.BUTTON_TITLE} characters"
    if any(reply.description for reply in replies):
        yield "has a button with a description"


def _card(draft: Draft, card: Parts, text: str | None, ids: Iterator[str]) -> Card:
    (file,) = card.media
    replies, links = card.options.replies, card.options.links
    if links:
        return Card(file.media, file.type, text, links[0].title, links[0].target)
    titles = to_titles(draft, [reply.title for reply in replies], limits.BUTTON_TITLE)
    buttons = tuple(CardButton(next(ids), title) for title in titles)
    return Card(file.media, file.type, text, buttons=buttons)
