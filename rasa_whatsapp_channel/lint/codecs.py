"""What is inside a file: looked at with PyAV where that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.whatsapp import limits


def find_problem(path: Path, kind: str, *, voice: bool = False) -> str | None:
    """Say why WhatsApp may not play or show the file at *path*; None when it does, or who knows."""
    if kind not in ("video", "sticker") and not voice:
        return None
    try:
        import av
    except ImportError:
        return None
    try:
        with av.open(str(path)) as container:
            if kind == "sticker":
                return _sticker(container.streams.video[0])
            return _voice(container) if voice else _video(container)
    except (av.error.FFmpegError, IndexError):
        return f"cannot be read as {kind}"


def _sticker(picture: Any) -> str | None:
    side = limits.STICKER_PIXELS
    if (picture.width, picture.height) == (side, side):
        return None
    return f"has {picture.width} × {picture.height} pixels; a sticker has {side} × {side}"


def _voice(container: Any) -> str | None:
    # https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/audio-messages
    sound = container.streams.audio[0].codec_context
    if container.format.name != "ogg" or _codec(sound) != "opus":
        return "is not Opus in Ogg, and only that is shown as a voice message"
    if sound.channels != 1:
        return f"has {sound.channels} channels; a voice message is mono"
    return None


def _video(container: Any) -> str | None:
    # https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/video-messages
    picture, sounds = container.streams.video[0].codec_context, container.streams.audio
    if _codec(picture) != "h264":
        return f"its pictures are {_codec(picture)}; WhatsApp plays H.264"
    if len(sounds) > 1:
        return f"has {len(sounds)} sound tracks; WhatsApp takes one or none"
    for sound in sounds:
        if _codec(sound.codec_context) != "aac":
            return f"its sound is {_codec(sound.codec_context)}; WhatsApp plays AAC"
    if picture.has_b_frames and "High" in (picture.profile or ""):
        return "is H.264 of the High profile with B-frames, which phones with Android do not play"
    return None


def _codec(context: Any) -> str:
    return str(context.codec.canonical_name)  # not the name of who reads it, such as "mp3float"
