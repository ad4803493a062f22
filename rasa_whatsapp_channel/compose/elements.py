"""Elements: cards → a carousel where they fit, else one message after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.compose.buttons import Carousel, is_link_button, to_ids, to_titles
from rasa_whatsapp_channel.compose.content import kind_name, read_text
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.join import Parts
from rasa_whatsapp_channel.compose.links import encode_link, is_link
from rasa_whatsapp_channel.compose.media import read_media
from rasa_whatsapp_channel.compose.options import read_options
from rasa_whatsapp_channel.compose.style import Style
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import Card, CardButton, Image, Video
from rasa_whatsapp_channel.wording import suggest

KEYS: Final = ("title", "subtitle", "image_url", "image", "buttons", "default_action")
_MEDIA: Final = (Image, Video)


def read_elements(draft: Draft, elements: Any, *, list_button: str) -> list[Parts]:
    """Return what each card consists of."""
    if elements is None:
        return []
    style = Style(list_button=list_button)
    cards = []
    for number, item in enumerate(elements if isinstance(elements, list) else [elements]):
        where = f"elements[{number}]"
        if isinstance(item, Mapping) and item:
            cards.append(_read_card(draft, where, item, style))
        elif item is not None and item not in ("", {}):
            draft.change("WA401", field=where, kind=kind_name(item))
    return cards


def _read_card(draft: Draft, where: str, item: Mapping[str, Any], style: Style) -> Parts:
    for key in item:
        if key not in KEYS:
            draft.change("WA403", field=where, key=key, hint=suggest(key, KEYS))
    title = read_text(draft, f"{where}.title", item.get("title"))
    subtitle = read_text(draft, f"{where}.subtitle", item.get("subtitle"))
    found = read_media(draft, {"image": item.get("image_url") or item.get("image")})
    options = read_options(draft, f"{where}.buttons", item.get("buttons"))
    address = _read_action(draft, where, item.get("default_action"))
    if any(link.target == address for link in options.links):
        address = None
    texts = (title and _bold(title), subtitle, *found.texts, address)
    text = "\n".join(text for text in texts if text)
    return Parts(text or None, tuple(found.media), options, style)


def _read_action(draft: Draft, where: str, action: Any) -> str | None:
    """Return the address a tap on the card would open."""
    address = action.get("url") if isinstance(action, Mapping) else action
    if action and not address:
        hint = "only one with a url can be shown"
        draft.change("WA403", field=where, key="default_action", hint=hint)
    field = f"{where}.default_action.url"
    text = read_text(draft, field, address)
    return encode_link(draft, field, text) if text and is_link(text) else text


def _bold(title: str) -> str:
    return title if "*" in title or "\n" in title else f"*{title}*"


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
        yield f"{draft.api.who} has no carousel"
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
