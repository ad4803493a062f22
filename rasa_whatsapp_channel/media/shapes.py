"""What a message becomes once its files are known: the names of documents, and the kind it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeVar

from rasa_whatsapp_channel.media import names
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.messages import (
    MEDIA_MESSAGES,
    Captioned,
    Document,
    Header,
    Media,
    MediaMessage,
    Message,
    Parameter,
    parts_of,
)

T = TypeVar("T")

_ALL: Final = frozenset({"image", "video", "audio", "document"})
_WORDLESS: Final = frozenset({"audio"})  # without a caption


def with_names(value: T, known: Mapping[Media, str]) -> T:
    """
    Return *value* with a name for each document in it that has none; people see it.

    *known* are the names of files that were found; else the end of a link tells it.
    """
    if isinstance(value, tuple):
        items = tuple(with_names(item, known) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items  # type: ignore[return-value]  # T is that tuple
    if _is_nameless(value):
        media = value.value if isinstance(value, Parameter) else value.media  # type: ignore[attr-defined]  # one of three
        name = known.get(media) or _name_of(media)
        return dataclasses.replace(value, filename=name) if name else value  # type: ignore[type-var]
    if not isinstance(value, Media) and parts_of(value):
        fields = [field.name for field in dataclasses.fields(value)]  # type: ignore[arg-type]
        changed = {
            field: new
            for field in fields
            if (new := with_names(old := getattr(value, field), known)) is not old
        }
        return dataclasses.replace(value, **changed) if changed else value  # type: ignore[type-var]
    return value


def other_kinds(message: Message) -> frozenset[str]:
    """Return as what else the file of *message* may go: a header or a card has its one kind."""
    if not isinstance(message, MediaMessage):
        return frozenset()
    worded = isinstance(message, Captioned) and message.caption
    return _ALL - _WORDLESS if worded else _ALL


def as_kind(message: Message, kind: str, name: str) -> Message:
    """Return *message*, a file, as one of type *kind*, with what that can have."""
    if not isinstance(message, MediaMessage) or message.type == kind:
        return message
    made = MEDIA_MESSAGES[kind](message.media)
    if isinstance(message, Captioned) and message.caption and isinstance(made, Captioned):
        made = made.with_caption(message.caption)
    return dataclasses.replace(made, filename=name) if isinstance(made, Document) else made


def _is_nameless(value: object) -> bool:
    if not isinstance(value, (Document, Header, Parameter)):
        return False
    media = value.value if isinstance(value, Parameter) else value.media
    return value.type == "document" and value.filename is None and isinstance(media, Media)


def _name_of(media: Media) -> str | None:
    """Return the end of a link where it is a name; without an ending it rarely is."""
    name = names.safe(mime.file_name(media.link or ""))
    return name if "." in name else None
