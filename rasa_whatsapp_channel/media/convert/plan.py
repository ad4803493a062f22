"""Conversion plan: what has to be done to a file so that WhatsApp accepts it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.media_headers import Picture

IMAGE: Final = "image"
STICKER: Final = "sticker"
AUDIO: Final = "audio"
VIDEO: Final = "video"
REMUX: Final = "remux"  # the streams of a clip are right, their order in the file is not
PIXELS: Final = 40_000_000  # 160 MB of memory as RGBA; more is a bomb, or wants a better tool
# What Pillow does not read, or what is a program rather than a picture.
_NO_PICTURES: Final = frozenset({"image/svg+xml"})
_LOSSLESS: Final = frozenset({"image/png", "image/gif", "image/bmp", "image/tiff"})
_CONTAINERS: Final = frozenset({"video/mp4", "video/3gpp"})
_SOUNDS: Final = ((), ("aac",))
_PLAIN_COLOURS: Final = frozenset({"yuv420p", "yuvj420p"})


@dataclass(frozen=True)
class Need:
    """What a file is to be: the *kind* of its message, a *voice* note, for an api that …"""

    kind: str
    voice: bool = False
    animated_stickers: bool = False

    @property
    def name(self) -> str:
        """A name for results, which differ where the needs do."""
        more = "-voice" if self.voice else "-moving" if self._may_move else ""
        return self.kind + more

    @property
    def _may_move(self) -> bool:
        return self.kind == STICKER and self.animated_stickers


@dataclass(frozen=True)
class Clip:
    """What is inside of a file with sound or moving pictures. Codecs as FFmpeg calls them."""

    video: str | None = None
    profile: str = ""
    colours: str = ""
    b_frames: bool = False
    sounds: tuple[str, ...] = ()
    index_first: bool = True


@dataclass(frozen=True)
class Source:
    """What is known of a file. None: not looked into, or not to be read."""

    mime_type: str
    size: int
    picture: Picture | None = None
    channels: int | None = None  # of Opus in Ogg
    clip: Clip | None = None


@dataclass(frozen=True)
class Plan:
    way: str
    max_bytes: int
    voice: bool = False
    animated: bool = False
    lossless: bool = False


def needs_a_look(need: Need, mime_type: str) -> bool:
    """Tell whether only the streams inside of such a file tell if it is right."""
    base = mime.base_type(mime_type)
    return (need.kind == VIDEO and base in _CONTAINERS) or (
        need.kind == AUDIO and base == "audio/mp4"
    )


def decide(need: Need, source: Source) -> Plan | None:
    """Return what is to be done; None: as it is, be it right or beyond help."""
    base = mime.base_type(source.mime_type)
    limit = limits.MEDIA_BYTES.get(need.kind, 0)
    if need.kind == IMAGE and _is_picture(base) and not _is_image(base, source):
        return Plan(IMAGE, limit, lossless=base in _LOSSLESS)
    if need.kind == STICKER and _is_picture(base) and not _is_sticker(need, base, source):
        return Plan(STICKER, limits.STICKER_STATIC_BYTES, animated=need.animated_stickers)
    if need.kind == AUDIO and _has_sound(base) and not _is_audio(need, base, source):
        # Opus is the only thing in Ogg, and mono; for music there is something better.
        voice = need.voice or base == "audio/ogg"
        return Plan(AUDIO, limit, voice=voice)
    if need.kind == VIDEO and (base.startswith("video/") or base == "image/gif"):
        return _plan_video(base, source, limit)
    return None


def _is_picture(base: str) -> bool:
    return base.startswith("image/") and base not in _NO_PICTURES


def _is_image(base: str, source: Source) -> bool:
    if base not in limits.MEDIA_TYPES[IMAGE] or source.size > limits.MEDIA_BYTES[IMAGE]:
        return False
    picture = source.picture
    if picture is None:
        return True
    colours = (1, 3) if base == "image/jpeg" else (3, 4)  # a JPEG with four channels is CMYK
    return picture.depth == 8 and picture.channels in colours


def _is_sticker(need: Need, base: str, source: Source) -> bool:
    if base != "image/webp":
        return False
    picture = source.picture
    if picture is None:
        return source.size <= limits.STICKER_STATIC_BYTES
    if picture.animated and not need.animated_stickers:
        return False
    limit = limits.MEDIA_BYTES[STICKER] if picture.animated else limits.STICKER_STATIC_BYTES
    side = limits.STICKER_PIXELS
    return (picture.width, picture.height) == (side, side) and source.size <= limit


def _has_sound(base: str) -> bool:
    return base.startswith(("audio/", "video/"))


def _is_audio(need: Need, base: str, source: Source) -> bool:
    if base not in limits.MEDIA_TYPES[AUDIO] or source.size > limits.MEDIA_BYTES[AUDIO]:
        return False
    if base == "audio/ogg":
        return source.mime_type == mime.OPUS and source.channels in (None, 1)
    if need.voice:
        return False
    clip = source.clip
    return base != "audio/mp4" or clip is None or (clip.video is None and clip.sounds == ("aac",))


def _plan_video(base: str, source: Source, limit: int) -> Plan | None:
    whole = Plan(VIDEO, limit)
    if base not in _CONTAINERS or source.size > limit:
        return whole
    clip = source.clip
    if clip is None:
        return None
    if clip.video != "h264" or clip.colours not in _PLAIN_COLOURS or clip.sounds not in _SOUNDS:
        return whole
    if clip.b_frames and clip.profile.startswith("High"):  # Android does not play it
        return whole
    return None if clip.index_first else Plan(REMUX, limit)


def check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS:
        most = PIXELS // 10**6
        raise MediaError(f"has {width} × {height} pixels; at most {most} megapixels are converted")
