"""What is inside a file beside the bot, as far as it matters to WhatsApp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rasa_whatsapp_channel.media import files
from rasa_whatsapp_channel.media.convert.plan import Clip, Need, Source, needs_a_look
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.headers import read_opus_channels, read_picture


def look(path: Path, need: Need) -> Source:
    """Return what the file at *path* is. Clips are looked into where PyAV is installed."""
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    mime_type = files.mime_type_of(head, path.name, need.kind)
    clip = _look_into(path) if needs_a_look(need, mime_type) else None
    return Source(mime_type, path.stat().st_size, picture, read_opus_channels(head), clip)


def read_head(path: Path) -> bytes:
    """Return the beginning of the file at *path*, which tells its type."""
    with path.open("rb") as file:
        return file.read(mime.HEAD)


def describe(source: Source) -> str:
    return ", ".join(_facts(source))


def _look_into(path: Path) -> Clip | None:
    try:
        from rasa_whatsapp_channel.media.convert import streams
    except ImportError:
        return None
    return streams.look(path)


def _facts(source: Source) -> Iterator[str]:
    yield mime.base_type(source.mime_type)
    yield f"{source.size:,} bytes"
    if source.picture:
        yield f"{source.picture.width} × {source.picture.height} pixels"
    if source.channels:
        yield "mono" if source.channels == 1 else f"{source.channels} channels"
    if source.clip:
        yield " and ".join(name for name in (source.clip.video, *source.clip.sounds) if name)
        if source.clip.b_frames:
            yield f"{source.clip.profile} profile with B-frames"
        if not source.clip.index_first:
            yield "its index at the end"
