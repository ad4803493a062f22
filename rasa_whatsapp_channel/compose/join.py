"""Joiner: text, media and buttons of a response → as few messages as possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.compose.buttons import Taps, to_taps
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.options import NO_OPTIONS, Options
from rasa_whatsapp_channel.compose.split import has_link, split, split_for_tail
from rasa_whatsapp_channel.compose.style import NO_STYLE, Style
from rasa_whatsapp_channel.compose.text import paragraphs
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import (
    Captioned,
    Header,
    MediaMessage,
    Message,
    Text,
)

# Understood in every language; WhatsApp refuses buttons without a text.
NO_TEXT: Final = "👇"


@dataclass(frozen=True)
class Parts:
    """What one answer consists of: a response, or one card of its elements."""

    text: str | None = None
    media: tuple[MediaMessage, ...] = ()
    options: Options = NO_OPTIONS
    style: Style = NO_STYLE


def join(draft: Draft, parts: Parts, taps: Taps | None = None) -> list[Message]:
    """
    Return the messages of *parts*, in order. *taps* goes in the place of their options.

    Buttons come last, where the thumb is, with the text as their body and one image, video or
    document as their header. Without buttons the text is the caption of the only file that can have
    one, else it goes before the files; behind them when it offers numbers to type.
    """
    offered = len(draft.choices)
    lines: list[str] = []
    if taps is None:
        taps, lines = to_taps(draft, parts.options, list_button=parts.style.list_button)
    text = (parts.text and draft.format(parts.text)) or None
    if lines:
        text = paragraphs(text, "\n".join(lines))
    if taps:
        return _join_taps(draft, parts, taps, text)
    texts, media = _join_plain(draft, parts, text)
    return [*media, *texts] if len(draft.choices) > offered else [*texts, *media]


def _join_plain(
    draft: Draft, parts: Parts, text: str | None
) -> tuple[Sequence[Message], Sequence[Message]]:
    """Return the texts and the files."""
    media = parts.media
    if text:
        if parts.style.header or parts.style.footer:
            header = _into_text(draft, "header", parts.style.header, "there are no buttons")
            footer = _into_text(draft, "footer", parts.style.footer, "there are no buttons")
            text = paragraphs(header, text, footer)
    else:
        _say_unused(draft, parts.style)
    if not text:
        return [], media
    captioned = _captioned(media)
    if draft.captions == "merge" and len(text) <= limits.CAPTION and captioned:
        return [], [captioned.with_caption(text), *media[1:]]
    pieces = split(text, limits.TEXT_BODY)
    _say_split(draft, text, pieces, limits.TEXT_BODY)
    return _texts(pieces, parts.style), media


def _join_taps(draft: Draft, parts: Parts, taps: Taps, text: str | None) -> list[Message]:
    media, top = _take_top(parts.media, taps, text)
    if top is not None and text is None:
        text = getattr(top, "caption", None)
    text, header, footer = _frame(draft, parts.style, taps, text, _media_header(top))
    if text is None:
        draft.change("WA308", text=NO_TEXT)
        text = NO_TEXT
    pieces = split_for_tail(text, limits.TEXT_BODY, taps.body_limit)
    _say_split(draft, text, pieces, taps.body_limit)
    *before, body = pieces
    return [
        *media,
        *_texts(before, parts.style),
        *taps.messages(body, header=header, footer=footer),
    ]


def _frame(
    draft: Draft, style: Style, taps: Taps, text: str | None, header: Header | None
) -> tuple[str | None, Header | None, str | None]:
    """Put header and footer in their places, or into the text where there is none for them."""
    no_place = "" if taps.headers else "there is no place for it"
    if style.header:
        reason = no_place or _why_long(style.header, limits.HEADER_TEXT)
        reason = reason or ("a file is the header" if header else "")
        if reason:
            text = paragraphs(_into_text(draft, "header", style.header, reason), text)
        else:
            header = Header("text", style.header)
    footer = style.footer
    if footer and (reason := no_place or _why_long(footer, limits.FOOTER)):
        text, footer = paragraphs(text, _into_text(draft, "footer", footer, reason)), None
    return text, header, footer


def _why_long(text: str, limit: int) -> str:
    return f"it is longer than {limit}" if len(text) > limit else ""


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
        if file.type in taps.headers and fits:
            return [*rest[:number], *rest[number + 1 :]], file
    return rest, None


def _media_header(file: MediaMessage | None) -> Header | None:
    if file is None:
        return None
    return Header(file.type, media=file.media, filename=getattr(file, "filename", None))


def _captioned(media: Sequence[MediaMessage]) -> Captioned | None:
    """Return the first file if it, and no other, can have the text as its caption."""
    able = [file for file in media if isinstance(file, Captioned)]
    return able[0] if len(able) == 1 and able[0] is media[0] and able[0].caption is None else None


def _texts(pieces: Iterable[str], style: Style) -> list[Message]:
    return [Text(piece, preview_url=style.preview_url and has_link(piece)) for piece in pieces]


def _into_text(draft: Draft, part: str, text: str | None, reason: str) -> str | None:
    if not text:
        return None
    draft.change("WA106", part=part, text=text, reason=reason)
    return draft.format(text)


def _say_unused(draft: Draft, style: Style) -> None:
    for part in ("header", "footer"):
        text = getattr(style, part)
        if text:
            draft.change("WA107", part=part, text=text)


def _say_split(draft: Draft, text: str, pieces: Sequence[str], limit: int) -> None:
    if len(pieces) > 1:
        draft.change("WA101", length=len(text), count=len(pieces), limit=limit)
