"""
Pictures in a text: Markdown's ``![alt](address)`` → media of the response.

A model, or a person whose words a bot repeats, may have written the text. So only links of https
are sent, and files of the folders that the settings name; what people sent is never sent this way.
"""

from __future__ import annotations

from typing import Any, Final

from rasa_whatsapp_channel.compose.content import read_text
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import is_link, shown
from rasa_whatsapp_channel.compose.markdown import PICTURE, replace_images
from rasa_whatsapp_channel.compose.media import Found, read_attachment
from rasa_whatsapp_channel.compose.text import is_blank
from rasa_whatsapp_channel.whatsapp import mime

SENT: Final = ("all", "files", "none")  # values of the setting `markdown_images`


def take_pictures(draft: Draft, text: str | None) -> tuple[str | None, Found]:
    """
    Return *text* without its pictures, and these.

    A single picture has the text as its caption; where there is none, or there are several
    pictures, each has its own alternative text.
    """
    found = Found()
    if text is None or PICTURE not in text or not draft.markdown or draft.images == "none":
        return text, found
    pictures: list[dict[str, Any]] = []

    def replace(alt: str, address: str) -> str | None:
        if is_link(address) and draft.images == "files":
            return None
        if reason := _refusal(draft, address):
            draft.change("WA116", address=shown(address), reason=reason)
            return None if is_link(address) else alt
        mime_type = mime.from_extension(address)
        kind = mime.kind_of(mime_type) if mime_type else "image"
        pictures.append({"type": kind, "url": address, "caption": alt})
        return ""

    rest = replace_images(text, replace)
    alone = len(pictures) == 1 and draft.captions == "merge" and not is_blank(rest)
    for picture in pictures:
        alt = picture["caption"]
        if alone:
            del picture["caption"]
        read = read_attachment(draft, "text", picture)
        found.media += read.media
        found.texts += read.texts
        if not read.media and alt and alt not in read.texts:
            found.texts.append(alt)
        elif alone and alt:
            draft.change("WA115", text=alt)
    return read_text(draft, "text", rest or None), found


def _refusal(draft: Draft, address: str) -> str | None:
    """Return why the picture at *address* is not sent, None if it is."""
    if is_link(address):
        is_safe = address.strip().lower().startswith("https:")
        return None if is_safe else "only links that begin with https are sent from a text"
    if draft.access.is_in_folders(address):
        return None
    return f"only files in {', '.join(draft.access.folders)} are sent from a text"
