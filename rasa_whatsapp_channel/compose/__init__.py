"""
Composing: a Rasa response → WhatsApp messages. Decides only: no I/O, no clock.

    content    whatever a custom action passed → plain JSON values and known keys
    style      metadata.whatsapp and custom.whatsapp
    media, options, elements, custom, template   one module per part of a response
    markdown   Markdown → WhatsApp's formatting
    pictures   pictures in a text → media
    buttons    what can be tapped
    split      where a long text is split
    join       text, media and buttons → as few messages as possible
    combine    the messages of several responses → as few as possible
    closed_window   as what a message goes while the 24-hour window is closed
    foresee    how many messages are billed, and what would make them fewer
    changes    what was changed to fit, by code
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.compose.changes import Change
from rasa_whatsapp_channel.compose.content import move_parts, read_keys, read_text, to_plain
from rasa_whatsapp_channel.compose.custom import read_custom, split_style
from rasa_whatsapp_channel.compose.draft import Composed, Draft
from rasa_whatsapp_channel.compose.elements import read_elements, to_carousel
from rasa_whatsapp_channel.compose.join import Parts, join
from rasa_whatsapp_channel.compose.media import read_media
from rasa_whatsapp_channel.compose.options import (
    NO_OPTIONS,
    Options,
    read_kind,
    read_options,
)
from rasa_whatsapp_channel.compose.pictures import take_pictures
from rasa_whatsapp_channel.compose.style import Style, quote, read_style
from rasa_whatsapp_channel.compose.template import is_own, read_template
from rasa_whatsapp_channel.compose.text import paragraphs
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.identity import is_group_id, split_number
from rasa_whatsapp_channel.whatsapp.messages import Interactive, Message, Outgoing

ANY_FILE: Final = FileAccess()

__all__ = ["Change", "Composed", "Reword", "compose"]

#: Takes what the response itself consists of, then each of its elements; returns the same in other
#: words.
Reword = Callable[[Sequence[Parts]], Sequence[Parts]]


def compose(
    response: Mapping[str, Any],
    *,
    api: Api,
    captions: str = "merge",
    markdown: bool = True,
    reply_to: str | None = None,
    recipient_id: str | None = None,
    unknown_keys: str = "pass",
    reword: Reword | None = None,
    images: str = "all",
    access: FileAccess | None = None,
) -> Composed:
    """
    Compose a whole response, as Rasa hands it over, for *api*.

    *captions*: ``merge`` puts a text into the caption of the file beside it, ``separate`` does not.
    *markdown*: put WhatsApp's formatting in the place of Markdown's. *reply_to* is the message the
    response may quote, *recipient_id* whom it goes to, where that is known. *unknown_keys*: keys of
    WhatsApp's bodies that are not known here ``pass``, or ``refuse`` the message. *images*: which
    pictures of a text are sent, ``all``, ``files`` or ``none``; *access* the files that may be.
    *reword* puts what was read into other words first, to find out what they would become.

    Never raises, whatever *response* holds, and does not change it. A single part, as in
    ``{"text": …}``, is a response too.
    """
    name = response.get("utter_action") if isinstance(response, (dict, Mapping)) else None
    group = recipient_id is not None and is_group_id(split_number(recipient_id)[0])
    draft = Draft(
        api.for_group() if group else api,
        captions,
        markdown,
        name if isinstance(name, str) else None,
        recipient_id,
        strict=unknown_keys == "refuse",
        images=images,
        access=access or ANY_FILE,
    )
    content = to_plain(draft, response)
    custom, custom_style = split_style(content.get("custom"))
    sources = (_metadata_style(content), custom_style)
    content, styles = move_parts({**content, "custom": custom}, sources)
    style = read_style(draft, *styles)
    template = read_template(draft, style.template, content)
    main, cards = _join_all(draft, content, style, reword)
    others = [*read_custom(draft, content["custom"]), *map(Outgoing, cards)]
    # The buttons stay at the bottom, where the thumb is.
    tapped = bool(main) and (isinstance(main[-1], Interactive) or bool(draft.choices))
    mains = map(Outgoing, main)
    messages = [*others, *mains] if tapped else [*mains, *others]
    if not messages and template:
        messages, template = [Outgoing(template)], None
    lost = any(change.lost for change in draft.changes)
    if not messages and not lost and style.handoff is None:
        draft.change("WA103")
    messages = quote(draft, messages, style.reply_to, reply_to)
    return Composed(
        tuple(messages),
        tuple(draft.changes),
        draft.payloads,
        draft.choices,
        template,
        style.handoff,
        style.direct_send,
        # Of several messages it says only one.
        is_own=is_own(style.template) and len(messages) == 1,
    )


def _join_all(
    draft: Draft, content: Mapping[str, Any], style: Style, reword: Reword | None
) -> tuple[Sequence[Message], Sequence[Message]]:
    """Return the messages of the response's own parts, and those of its elements."""
    parts = _read_parts(draft, content, style)
    cards: Sequence[Parts] = read_elements(
        draft, content.get("elements"), list_button=style.list_button
    )
    if reword is not None:
        parts, *cards = reword([parts, *cards])
    carousel = to_carousel(draft, cards)
    if carousel and parts.options == NO_OPTIONS:
        return join(draft, parts, carousel), []
    main = join(draft, parts)
    if carousel:
        return main, join(draft, Parts(), carousel)
    return main, [message for card in cards for message in join(draft, card)]


def _read_parts(draft: Draft, content: Mapping[str, Any], style: Style) -> Parts:
    text, pictures = take_pictures(draft, read_text(draft, "text", content.get("text")))
    found = read_media(draft, read_keys(draft, content))
    quick = read_options(draft, "quick_replies", content.get("quick_replies"))
    buttons = read_options(draft, "buttons", content.get("buttons"))
    kind = read_kind(draft, content.get("button_type"))
    options = NO_OPTIONS
    if kind or quick is not NO_OPTIONS or buttons is not NO_OPTIONS:
        replies, links = (*quick.replies, *buttons.replies), (*quick.links, *buttons.links)
        options = Options(replies, links, kind)
    return Parts(
        text=paragraphs(text, *found.texts, *pictures.texts),
        media=(*found.media, *pictures.media),
        options=options,
        style=style,
    )


def _metadata_style(content: Mapping[str, Any]) -> Any:
    metadata = content.get("metadata")
    return metadata.get("whatsapp") if isinstance(metadata, dict) else None
