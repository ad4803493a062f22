"""What `audio` and `video` share: opening a file with PyAV, and what is inside of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import av
import av.error

from rasa_whatsapp_channel.media.convert.plan import Clip
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.headers import is_index_first

# What is decoded, as FFmpeg calls it; one of several names is enough. It knows 350 more, among them
# lists of files, descriptions of streams in a network, and formats that nobody has looked at in
# years.
FORMATS: Final = (
    *("aac", "aiff", "amr", "asf", "avi", "flac", "flv", "gif", "matroska", "mov", "mp3", "mp4"),
    *("mpeg", "mpegts", "ogg", "wav", "webm"),
)
THREADS: Final = 2
RATE: Final = 48_000  # Opus knows no other

_LOOKED_AT: Final = 60  # packets


@contextmanager
def open_streams(source: Path) -> Iterator[Any]:
    """Open *source* to be read. A file may not name others: playlists are files too."""
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
    try:
        with av.open(str(source), options=options) as container:
            yield container
    except av.error.FFmpegError as error:
        raise MediaError(f"cannot be read or written as sound or video: {error}") from error


def look(source: Path) -> Clip | None:
    """Return what is inside of *source*; None when that cannot be told."""
    try:
        with source.open("rb") as file:
            index_first = is_index_first(file)
        with open_streams(source) as container:
            return _describe(container, index_first=index_first)
    except MediaError:
        return None


def seconds(container: Any) -> float:
    """Return how long it plays, 0 when the file does not say."""
    if container.duration:
        return float(container.duration) / av.time_base
    lengths = (
        float(stream.duration * stream.time_base)
        for stream in container.streams
        if stream.duration and stream.time_base
    )
    return max(lengths, default=0.0)


def pictures_of(container: Any) -> Any:
    """Return the stream of moving pictures; a song's cover is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def sound_of(container: Any) -> Any:
    return next(iter(container.streams.audio), None)


def name_of(stream: Any) -> str:
    codec = stream.codec_context
    return str(codec.codec.canonical_name if codec is not None else "unknown")


def _describe(container: Any, *, index_first: bool) -> Clip:
    video = pictures_of(container)
    sounds = tuple(name_of(stream) for stream in container.streams.audio)
    if video is None:
        return Clip(sounds=sounds, index_first=index_first)
    codec = video.codec_context
    return Clip(
        video=name_of(video),
        profile=str(getattr(codec, "profile", None) or ""),
        colours=str(codec.pix_fmt or ""),
        b_frames=bool(codec.has_b_frames) or _is_reordered(container, video),
        sounds=sounds,
        index_first=index_first,
    )


def _is_reordered(container: Any, video: Any) -> bool:
    """Tell whether frames are shown in another order than they are stored: there are B-frames."""
    last = None
    for number, packet in enumerate(container.demux(video)):
        if number > _LOOKED_AT or packet.pts is None:
            return False
        if last is not None and packet.pts < last:
            return True
        last = packet.pts
    return False
