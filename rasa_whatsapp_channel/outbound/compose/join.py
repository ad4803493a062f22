"""How text, media and buttons become the fewest bubbles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rasa_whatsapp_channel.outbound.compose.buttons import Options, to_taps
from rasa_whatsapp_channel.outbound.compose.draft import Draft
from rasa_whatsapp_channel.outbound.compose.style import Style
from rasa_whatsapp_channel.outbound.compose.taps import Taps
from rasa_whatsapp_channel.outbound.compose.text import has_link, split, split_for_tail
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import (
    Document,
    Header,
    Image,
    MediaMessage,
    Message,
    Text,
    Video,
)

# Understood in every language; WhatsApp refuses buttons without a text.
NO_TEXT: Final = "👇"

Captioned = (Image, Video, Document)


@dataclass(frozen=True)
class Parts:
    """What one answer consists of: a response, or one card of its elements."""

    text: str | None = None
    media: tuple[MediaMessage, ...] = ()
    options: Options = field(default_factory=Options)
    style: Style = field(default_factory=Style)


def join(draft: Draft, parts: Parts) -> list[Message]:
    """
    Return the messages of *parts*, in order.

    Buttons come last, where the thumb is, with the text as their body and one image, video or
    document as their header. Without buttons the text is the caption of the only file that can have
    one, else it goes before the files.
    """
    taps, lines = to_taps(draft, parts.options, list_button=parts.style.list_button)
    text = _paragraphs(parts.text, "\n".join(lines))
    if taps:
        return _join_taps(draft, parts, taps, text)
    return _join_plain(draft, parts, text)


def _join_plain(draft: Draft, parts: Parts, text: str | None) -> list[Message]:
    if text:
        header = _into_text(draft, "header", parts.style.header, "there are no buttons")
        footer = _into_text(draft, "footer", parts.style.footer, "there are no buttons")
        text = _paragraphs(header, text, footer)
    else:
        _say_unused(draft, parts.style)
    if not text:
        return list(parts.media)
    if draft.captions == "merge" and len(text) <= limits.CAPTION and _takes_caption(parts.media):
        first: MediaMessage = dataclasses.replace(parts.media[0], caption=text)  # type: ignore[call-arg]  # asked just before
        return [first, *parts.media[1:]]
    pieces = split(text, limits.TEXT_BODY)
    _say_split(draft, text, pieces, limits.TEXT_BODY)
    return [*_texts(pieces, parts.style), *parts.media]


def _join_taps(draft: Draft, parts: Parts, taps: Taps, text: str | None) -> list[Message]:
    media, top = _take_top(parts.media, taps, text)
    header = _media_header(top)
    if top is not None and text is None:
        text = getattr(top, "caption", None)
    style = parts.style
    if style.header and (header or len(style.header) > limits.HEADER_TEXT):
        reason = "a file is the header" if header else f"it is longer than {limits.HEADER_TEXT}"
        text = _paragraphs(_into_text(draft, "header", style.header, reason), text)
    elif style.header:
        header = Header("text", style.header)
    footer = style.footer
    if footer and len(footer) > limits.FOOTER:
        reason = f"it is longer than {limits.FOOTER}"
        text, footer = _paragraphs(text, _into_text(draft, "footer", footer, reason)), None
    if text is None:
        draft.change("WA308", text=NO_TEXT)
        text = NO_TEXT
    pieces = split_for_tail(text, limits.TEXT_BODY, taps.body_limit)
    _say_split(draft, text, pieces, taps.body_limit)
    *before, body = pieces
    return [*media, *_texts(before, style), *taps.messages(body, header=header, footer=footer)]


def _take_top(
    media: Sequence[MediaMessage], taps: Taps, text: str | None
) -> tuple[list[MediaMessage], MediaMessage | None]:
    """
    Take out the file that becomes the header: the last one that can, so that the order stays.

    A caption would have no place there, unless it becomes the body.
    """
    rest = list(media)
    for number in reversed(range(len(rest))):
        file = rest[number]
        fits = isinstance(file, Captioned) and (file.caption is None or text is None)
        if taps.media_header and fits:
            return [*rest[:number], *rest[number + 1 :]], file
    return rest, None


def _media_header(file: MediaMessage | None) -> Header | None:
    if file is None:
        return None
    return Header(file.type, media=file.media, filename=getattr(file, "filename", None))


def _takes_caption(media: Sequence[MediaMessage]) -> bool:
    """Return whether the first file, and no other, can have the text as its caption."""
    captioned = [file for file in media if isinstance(file, Captioned)]
    return len(captioned) == 1 and captioned[0] is media[0] and captioned[0].caption is None


def _texts(pieces: Iterable[str], style: Style) -> list[Message]:
    return [Text(piece, preview_url=style.preview_url and has_link(piece)) for piece in pieces]


def _paragraphs(*texts: str | None) -> str | None:
    return "\n\n".join(text for text in texts if text) or None


def _into_text(draft: Draft, part: str, text: str | None, reason: str) -> str | None:
    if text:
        draft.change("WA106", part=part, reason=reason)
    return text


def _say_unused(draft: Draft, style: Style) -> None:
    for part in ("header", "footer"):
        text = getattr(style, part)
        if text:
            draft.change("WA107", part=part, text=text)


def _say_split(draft: Draft, text: str, pieces: Sequence[str], limit: int) -> None:
    if len(pieces) > 1:
        draft.change("WA101", length=len(text), count=len(pieces), limit=limit)
