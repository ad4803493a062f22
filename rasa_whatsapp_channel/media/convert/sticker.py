"""Any picture → a WebP of 512 × 512 pixels on a transparent ground, under a size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image, ImageSequence

from rasa_whatsapp_channel.media.convert.image import open_picture, upright
from rasa_whatsapp_channel.media.convert.plan import Plan
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import MediaError

_SIZE: Final = (limits.STICKER_PIXELS, limits.STICKER_PIXELS)
_QUALITIES: Final = (90, 75, 60, 40, 20, 5)
_ANIMATED_WAYS: Final = ((75, 1), (50, 1), (50, 2), (30, 3), (10, 4), (5, 8))  # quality, each nth
_FRAMES: Final = 120
_SECONDS: Final = 10
_SHORTEST: Final = 20  # milliseconds; browsers show shorter frames slower, so people draw them so


def convert(source: Path, folder: Path, plan: Plan) -> Path:
    """Write the sticker into *folder* and return where it is."""
    target = folder / "sticker.webp"
    with open_picture(source) as picture:
        moving = plan.animated and getattr(picture, "n_frames", 1) > 1
        content = _moving(picture) if moving else None
        if content is None:
            picture.seek(0)
            content = _still(_fit(picture), plan.max_bytes)
    target.write_bytes(content)
    return target


def _fit(picture: Image.Image) -> Image.Image:
    """Return *picture* as large as it can be inside of the square."""
    whole = upright(picture).convert("RGBA")
    scale = min(_SIZE[0] / whole.width, _SIZE[1] / whole.height)
    size = max(round(whole.width * scale), 1), max(round(whole.height * scale), 1)
    inner = whole.resize(size, Image.Resampling.LANCZOS)
    square = Image.new("RGBA", _SIZE, (0, 0, 0, 0))
    square.paste(inner, ((_SIZE[0] - size[0]) // 2, (_SIZE[1] - size[1]) // 2))
    return square


def _still(square: Image.Image, max_bytes: int) -> bytes:
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        square.save(buffer, "WEBP", quality=quality, method=4)
        if buffer.tell() <= max_bytes:
            return buffer.getvalue()
    raise MediaError("stays too large as a sticker")


def _moving(picture: Image.Image) -> bytes | None:
    """Return a moving sticker; None when it cannot be made small enough."""
    frames = list(_frames(picture))
    for quality, nth in _ANIMATED_WAYS:
        kept = frames[::nth]
        times = [
            sum(time for _, time in frames[at : at + nth]) for at in range(0, len(frames), nth)
        ]
        if len(kept) < 2:
            return None
        buffer = io.BytesIO()
        kept[0][0].save(
            buffer,
            "WEBP",
            save_all=True,
            append_images=[frame for frame, _ in kept[1:]],
            duration=times,
            loop=0,
            quality=quality,
            method=2,
        )
        if buffer.tell() <= limits.MEDIA_BYTES["sticker"]:
            return buffer.getvalue()
    return None


def _frames(picture: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Yield the frames with their milliseconds, as many as a sticker may have."""
    total = 0
    for number, frame in enumerate(ImageSequence.Iterator(picture)):
        time = int(frame.info.get("duration") or 100)
        time = 100 if time < _SHORTEST else time
        total += time
        if number >= _FRAMES or total > _SECONDS * 1000:
            return
        yield _fit(frame), time
