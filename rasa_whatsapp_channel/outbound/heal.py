"""How a message that WhatsApp could not deliver goes another way: decides only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel.outbound.entry import Entry
from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY
from rasa_whatsapp_channel.whatsapp.messages import Message, Text, find_media

# Cloud: media download or upload error; on-premises: internal error, which a bad link is.
# 131014 is what Turn says of a link. See docs/platform.md.
MEDIA_CODES: Final = frozenset({131052, 131053, 131014, 1014})
# What the APIs say of an id they do not know, among other things: 100 and 131009 of any parameter.
LOST_CODES: Final = frozenset({33, 100, 131009, 131053, 1006, 1009, 1014})
WINDOW_CODES: Final = frozenset({131047, 470})

BY_UPLOAD: Final = 1  # the link's file is fetched by us and sent by id
AS_TEXT: Final = 2  # the link itself, as a text


def heal(entry: Entry, code: int) -> Entry | None:
    """
    Return *entry* as it may still get through after error *code*, None when there is no way.

    A file that was uploaded by us is uploaded again, once; a link is fetched and uploaded, and as
    the last way becomes a text.
    """
    if code in LOST_CODES | MEDIA_CODES and entry.ids and not entry.renewed:
        return replace(entry, renewed=1)
    message = entry.outgoing.message
    links = [media.link for media in find_media(message) if media.link]
    if code not in MEDIA_CODES or not links or entry.healed >= AS_TEXT:
        return None
    if entry.healed < BY_UPLOAD:
        return replace(entry, healed=BY_UPLOAD)
    return as_text(entry)


def find_lost(entry: Entry, sent: Message, code: int) -> tuple[str, ...]:
    """Return the ids in *sent* that error *code* may be about, and that were made by us; once."""
    if code not in LOST_CODES or entry.renewed:
        return ()
    return find_made(entry, sent)


def find_made(entry: Entry, sent: Message) -> tuple[str, ...]:
    """Return the ids in *sent* that are not the author's own, but were made by us."""
    given = {media.id for media in find_media(entry.outgoing.message)}
    return tuple(media.id for media in find_media(sent) if media.id and media.id not in given)


def as_text(entry: Entry) -> Entry | None:
    """Return *entry* with its links as a text: the very last way, None when there is no link."""
    message = entry.outgoing.message
    links = [media.link for media in find_media(message) if media.link]
    if not links or message.type == "template":
        return None
    lines = [*_words(message), *links]
    text = Text("\n".join(lines)[:TEXT_BODY], preview_url=True)
    return replace(entry, message=text.body(), healed=AS_TEXT, ids=())


def may_need_healing(message: Message) -> bool:
    """Tell whether the entry of *message* must be kept until WhatsApp says what became of it."""
    return any(media.link for media in find_media(message))


def _words(message: Message) -> list[str]:
    content: Mapping[str, Any] = message.content()
    body = content.get("body")
    words = content.get("caption") or (body.get("text") if isinstance(body, Mapping) else body)
    return [words] if isinstance(words, str) else []
