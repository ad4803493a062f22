"""
What is inside of a file, as far as WhatsApp minds it when it brings a message to a phone.

Only what can be told is held against a file: codecs only where PyAV is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.simulator.media.kinds import essence
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.headers import Picture, read_opus_channels, read_picture

_PICTURES: Final = frozenset({"image", "sticker"})
_CONTAINERS: Final = frozenset({"video/mp4", "video/3gpp", "audio/mp4"})


def find_flaw(kind: str, path: Path, mime_type: str) -> str | None:
    """Return a sentence why the file at *path* cannot go as *kind*; None if it can. Blocks."""
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    if kind in _PICTURES:
        return _picture_flaw(kind, mime_type, mime.from_content(head), picture)
    if essence(mime_type) == "audio/ogg":
        return _ogg_flaw(head)
    if kind in ("audio", "video") and essence(mime_type) in _CONTAINERS:
        return _codec_flaw(kind, path)
    return None


def _picture_flaw(
    kind: str, mime_type: str, found: str | None, picture: Picture | None
) -> str | None:
    if found is not None and found != essence(mime_type):
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
    except FFmpegError:  # nothing can be told
        return None
    if kind == "video" and video[:1] != ["h264"]:
        return f"A video has the codec H.264, not {', '.join(video) or 'none'}."
    if audio not in ([], ["aac"]):
        return f"Sound in MP4 has the codec AAC and one track, not {', '.join(audio)}."
    return None


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else "an unknown one"
