"""File names and kinds of message: names that are safe and shown to users, kinds by content."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from email.message import Message as EmailMessage
from typing import Final, TypeVar

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

LONGEST: Final = 80
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')
# Of several extensions for one type the last in the table is the usual one, except here.
_USUAL: Final = {
    **{mime_type: name for name, mime_type in mime.EXTENSIONS.items()},
    "audio/ogg": "ogg",
}
T = TypeVar("T")
_ALL: Final = frozenset({"image", "video", "audio", "document"})
_WORDLESS: Final = frozenset({"audio"})  # without a caption


def name_of_answer(url: str, headers: Mapping[str, str]) -> str:
    """
    Return the name of what *url* answered with: the server's, else the end of the address.

    A name without a known extension gets that of the server's MIME type.
    """
    name = safe(_of_disposition(headers.get("content-disposition", "")) or mime.file_name(url))
    return with_ending(name or "file", headers.get("content-type", ""))


def with_ending(name: str, mime_type: str) -> str:
    """Return *name* with an extension, that of *mime_type* if it has none."""
    if mime.from_extension(name):
        return name
    base = mime.base_type(mime_type)
    ending = next((end for end, known in mime.EXTENSIONS.items() if known == base), None)
    return f"{name}.{ending}" if ending else name


def ending(mime_type: str) -> str:
    """Return the file extension for *mime_type*, with its dot."""
    return "." + _USUAL.get(mime.base_type(mime_type), "bin")


def of_type(name: str, mime_type: str) -> str:
    """Return *name* with the extension of *mime_type* instead of a wrong one."""
    said = mime.from_extension(name)
    if said == mime_type:
        return name
    return with_ending(name.rpartition(".")[0] if said else name, mime_type)


def safe(name: str) -> str:
    """Return *name* without folders, not hidden, and cut to the longest allowed."""
    plain = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) <= LONGEST or not stem:
        return plain[:LONGEST]
    return stem[: LONGEST - len(ending) - 1] + dot + ending


def _of_disposition(header: str) -> str:
    """Read ``filename`` and ``filename*`` of a Content-Disposition."""
    message = EmailMessage()
    message["content-disposition"] = header.replace("\r", " ").replace("\n", " ")
    try:
        return message.get_filename() or ""
    except (LookupError, ValueError, TypeError):  # an unknown charset, and the like
        return ""


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
    """Return the other kinds the file of *message* may be sent as; headers and cards have one."""
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
    name = safe(mime.file_name(media.link or ""))
    return name if "." in name else None
