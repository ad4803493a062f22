"""
Image, document, audio, video and sticker messages.

https://developers.facebook.com/docs/whatsapp/api/messages/media
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Media, Message

_SOURCE: Final = ("id", "link", "path", "provider")


@dataclass(frozen=True)
class MediaMessage(Message):
    """A message that is one file. *media* says where the file comes from."""

    media: Media

    def content(self) -> dict[str, Any]:
        return self.media.fields()


@dataclass(frozen=True)
class Image(MediaMessage):
    type: ClassVar[str] = "image"

    caption: str | None = None

    def __post_init__(self) -> None:
        _check_caption("image", self.caption)

    def content(self) -> dict[str, Any]:
        return {**super().content(), **_given(caption=self.caption)}


@dataclass(frozen=True)
class Video(MediaMessage):
    type: ClassVar[str] = "video"

    caption: str | None = None

    def __post_init__(self) -> None:
        _check_caption("video", self.caption)

    def content(self) -> dict[str, Any]:
        return {**super().content(), **_given(caption=self.caption)}


@dataclass(frozen=True)
class Document(MediaMessage):
    """A document; the ending of *filename* picks the icon the user sees."""

    type: ClassVar[str] = "document"

    caption: str | None = None
    filename: str | None = None

    def __post_init__(self) -> None:
        _check_caption("document", self.caption)
        if self.filename is not None:
            checks.check_text("document.filename", self.filename, limits.FILENAME)

    def content(self) -> dict[str, Any]:
        return {**super().content(), **_given(caption=self.caption, filename=self.filename)}


@dataclass(frozen=True)
class Audio(MediaMessage):
    """Sound; *voice* asks for a voice note, which must be mono Opus in Ogg."""

    type: ClassVar[str] = "audio"

    voice: bool = False

    def content(self) -> dict[str, Any]:
        return {**super().content(), **({"voice": True} if self.voice else {})}


@dataclass(frozen=True)
class Sticker(MediaMessage):
    type: ClassVar[str] = "sticker"


MEDIA_MESSAGES: Final[Mapping[str, type[MediaMessage]]] = {
    kind.type: kind for kind in (Image, Document, Audio, Video, Sticker)
}
_EXTRA: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("caption",),
    "video": ("caption",),
    "document": ("caption", "filename"),
    "audio": ("voice",),
    "sticker": (),
}


def parse_media_message(kind: str, value: Mapping[str, Any]) -> MediaMessage:
    """Read WhatsApp's media object of the given *kind*."""
    for key in ("caption", "filename", "voice"):
        if key in value and key not in _EXTRA[kind]:
            raise InvalidMessage(f"{kind}.{key}", f"WhatsApp knows no {key} for type {kind}")
    checks.only(kind, value, (*_SOURCE, *_EXTRA[kind]))
    extra = {key: value[key] for key in _EXTRA[kind] if value.get(key) not in (None, "")}
    if not isinstance(extra.get("voice", False), bool):
        raise InvalidMessage("audio.voice", "must be true or false")
    return MEDIA_MESSAGES[kind](Media.parse(kind, value), **extra)


def _check_caption(kind: str, caption: str | None) -> None:
    if caption is not None:
        checks.check_text(f"{kind}.caption", caption, limits.CAPTION)


def _given(**fields: str | None) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value is not None}
