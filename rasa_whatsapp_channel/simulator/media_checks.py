"""
Media checks: MIME types, sizes and contents that WhatsApp accepts per type of message.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
https://developers.facebook.com/docs/whatsapp/api/media
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, TURN, Api
from rasa_whatsapp_channel.whatsapp.media_headers import Picture, read_opus_channels, read_picture

MOST_BYTES: Final = max(limits.MEDIA_BYTES.values())


def life_of(api: Api, *, uploaded: bool) -> float:
    """Return the seconds for which *api* stores an uploaded or an incoming file."""
    if api in (CLOUD, DIALOG360):
        return 30 * DAY if uploaded else 7 * DAY
    return 7 * DAY if api is TURN else 14 * DAY


def kind_of(mime_type: str) -> str | None:
    """Return the type of message for *mime_type*, if any."""
    plain = mime.base_type(mime_type)
    return next((kind for kind, types in limits.MEDIA_TYPES.items() if plain in types), None)


def is_animated(data: bytes) -> bool:
    """Return whether this is an animated WebP image: a bit of its extended header."""
    return (
        data[:4] == b"RIFF"
        and data[8:16] == b"WEBPVP8X"
        and bool(data[20:21] > b"" and data[20] & 2)
    )


def find_misfit(
    kind: str, api: Api, mime_type: str, size: int, *, animated: bool = False
) -> str | None:
    """Return why a file cannot be sent as *kind*; None if it can."""
    return _type_problem(kind, api, mime_type) or _size_problem(kind, api, size, animated)


def _type_problem(kind: str, api: Api, mime_type: str) -> str | None:
    cloud, base = api in (CLOUD, DIALOG360), mime.base_type(mime_type)
    if kind == "document" and not cloud:  # any valid type
        return None
    if base not in limits.MEDIA_TYPES[kind]:
        known = ", ".join(sorted(limits.MEDIA_TYPES[kind]))
        return f"Type {kind} takes {known}, not {mime_type}."
    if not cloud and base == "audio/ogg" and "codecs=opus" not in mime_type.lower():
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


_PICTURES: Final = frozenset({"image", "sticker"})
_CONTAINERS: Final = frozenset({"video/mp4", "video/3gpp", "audio/mp4"})


def find_flaw(kind: str, path: Path, mime_type: str) -> str | None:
    """Return why the content of the file cannot be sent as *kind*; None if it can. Blocks.

    Codecs are checked only where PyAV is installed."""
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    if kind in _PICTURES:
        return _picture_flaw(kind, mime_type, mime.from_content(head), picture)
    if mime.base_type(mime_type) == "audio/ogg":
        return _ogg_flaw(head)
    if kind in ("audio", "video") and mime.base_type(mime_type) in _CONTAINERS:
        return _codec_flaw(kind, path)
    return None


def _picture_flaw(
    kind: str, mime_type: str, found: str | None, picture: Picture | None
) -> str | None:
    if found is not None and found != mime.base_type(mime_type):
        return f"The file is {found}, not {mime_type}."
    if picture is None:
        return None
    side = limits.STICKER_PIXELS
    if kind == "sticker" and (picture.width, picture.height) != (side, side):
        return f"A sticker has {side} × {side} pixels, not {picture.width} × {picture.height}."
    if picture.depth != 8 or (found == "image/jpeg" and picture.channels == 4):
        return "An image has 8 bits for each of red, green and blue."
    return None


def _ogg_flaw(head: bytes) -> str | None:
    if not head.startswith(b"OggS") or len(head) < mime.HEAD:
        return None
    channels = read_opus_channels(head)
    if channels is None:
        return "Ogg goes with the codec Opus only."
    return None if channels == 1 else f"Opus goes with one channel, not {channels}."


def _codec_flaw(kind: str, path: Path) -> str | None:
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        return None
    try:
        with av.open(str(path)) as container:
            video = [_codec(stream) for stream in container.streams.video]
            audio = [_codec(stream) for stream in container.streams.audio]
    except FFmpegError:  # unreadable: no objection
        return None
    if kind == "video" and video[:1] != ["h264"]:
        return f"A video has the codec H.264, not {', '.join(video) or 'none'}."
    if audio not in ([], ["aac"]):
        return f"Sound in MP4 has the codec AAC and one track, not {', '.join(audio)}."
    return None


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else "an unknown one"
