"""
Which file goes as what: MIME types and sizes per kind of message. No I/O.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
https://developers.facebook.com/docs/whatsapp/api/media
"""

from __future__ import annotations

import re
from typing import Final

from rasa_whatsapp_channel.simulator import answers
from rasa_whatsapp_channel.simulator.answers import Refused
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

MOST_BYTES: Final = max(limits.MEDIA_BYTES.values())
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+")


def essence(mime_type: str) -> str:
    """Return *mime_type* without its parameters, in lower case."""
    return mime_type.partition(";")[0].strip().lower()


def kind_of(mime_type: str) -> str | None:
    """Return the kind of message that takes *mime_type*, if any."""
    plain = essence(mime_type)
    return next((kind for kind, types in limits.MEDIA_TYPES.items() if plain in types), None)


def is_animated(data: bytes) -> bool:
    """Is this a WebP picture that moves? Its extended header has a bit for it."""
    return (
        data[:4] == b"RIFF"
        and data[8:16] == b"WEBPVP8X"
        and bool(data[20:21] > b"" and data[20] & 2)
    )


def check_upload(api: Api, mime_type: str, size: int, *, animated: bool) -> None:
    """Raise `Refused` for a file that *api* does not store."""
    if size == 0:
        raise Refused(answers.FILE, "The file is empty.")
    if api not in (CLOUD, DIALOG360):
        _check_v1_upload(mime_type, size)
        return
    kind = kind_of(mime_type)
    if kind is None:
        raise Refused(
            answers.FILE,
            f"The file's own Content-Type decides, and WhatsApp takes no {mime_type}.",
            details="Param file must be a file with one of the following types: "
            f"{_all_types()}. Received file of type '{mime_type}'.",
        )
    problem = find_misfit(kind, api, mime_type, size, animated=animated)
    if problem is not None:
        raise Refused(answers.TOO_MUCH, problem)


def find_misfit(
    kind: str, api: Api, mime_type: str, size: int, *, animated: bool = False
) -> str | None:
    """Return a sentence why a file cannot go as a message of *kind*; None if it can."""
    return _type_problem(kind, api, mime_type) or _size_problem(kind, api, size, animated)


def _type_problem(kind: str, api: Api, mime_type: str) -> str | None:
    cloud = api in (CLOUD, DIALOG360)
    if kind == "document" and not cloud:  # any valid type
        return None
    if essence(mime_type) not in limits.MEDIA_TYPES[kind]:
        known = ", ".join(sorted(limits.MEDIA_TYPES[kind]))
        return f"Type {kind} takes {known}, not {mime_type}."
    if not cloud and essence(mime_type) == "audio/ogg" and "codecs=opus" not in mime_type.lower():
        return "Ogg goes only as 'audio/ogg; codecs=opus' here; bare audio/ogg is not supported."
    return None


def _size_problem(kind: str, api: Api, size: int, animated: bool) -> str | None:
    if animated and not api.animated_stickers:
        return f"api {api.name} takes static stickers only."
    most = limits.MEDIA_BYTES[kind]
    if kind == "sticker" and not animated:
        most = limits.STICKER_STATIC_BYTES
    if size > most:
        return f"Type {kind} takes at most {most} bytes; the file has {size}."
    return None


def _check_v1_upload(mime_type: str, size: int) -> None:
    if not _MIME_TYPE.fullmatch(essence(mime_type)) or essence(mime_type).startswith("multipart/"):
        raise Refused(
            answers.FILE,
            "The body is the file itself and Content-Type its media type; no form is taken here.",
        )
    if size > MOST_BYTES:
        raise Refused(answers.TOO_MUCH, f"A file has at most {MOST_BYTES} bytes, not {size}.")


def _all_types() -> str:
    return ", ".join(sorted(name for types in limits.MEDIA_TYPES.values() for name in types))
