"""
Media messages: image, document, audio, video and sticker.

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
from rasa_whatsapp_channel.whatsapp.messages.keys import present


@dataclass(frozen=True)
class MediaMessage(Message):
    """A message that is one file. *media* says where the file comes from."""

    media: Media

    def content(self) -> dict[str, Any]:
        return self.media.fields()


@dataclass(frozen=True)
class Captioned(MediaMessage):
    """A file with a text below it."""

    caption: str | None = None

    def __post_init__(self) -> None:
        checks.optional_text(f"{self.type}.caption", self.caption, limits.CAPTION)

    def content(self) -> dict[str, Any]:
        return present(**self.media.fields(), caption=self.caption)

    def with_caption(self, caption: str) -> Captioned:
        return type(self)(self.media, caption)


@dataclass(frozen=True)
class Image(Captioned):
    type: ClassVar[str] = "image"


@dataclass(frozen=True)
class Video(Captioned):
    type: ClassVar[str] = "video"


@dataclass(frozen=True)
class Document(Captioned):
    """A document; the ending of *filename* picks the icon the person sees."""

    type: ClassVar[str] = "document"

    filename: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.optional_text("document.filename", self.filename, limits.FILENAME)

    def content(self) -> dict[str, Any]:
        return present(**self.media.fields(), caption=self.caption, filename=self.filename)

    def with_caption(self, caption: str) -> Document:
        return Document(self.media, caption, self.filename)


@dataclass(frozen=True)
class Audio(MediaMessage):
    """Sound; *voice* asks for a voice note, which must be mono Opus in Ogg."""

    type: ClassVar[str] = "audio"

    voice: bool = False

    def content(self) -> dict[str, Any]:
        return present(**super().content(), voice=self.voice or None)


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
    extra = {key: value[key] for key in _EXTRA[kind] if value.get(key) not in (None, "")}
    if not isinstance(extra.get("voice", False), bool):
        raise InvalidMessage("audio.voice", "must be true or false")
    return MEDIA_MESSAGES[kind](Media.parse(kind, value), **extra)
