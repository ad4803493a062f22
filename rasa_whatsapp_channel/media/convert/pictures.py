"""Converter for pictures: → JPEG or PNG, or a WebP sticker of 512 × 512 pixels, with Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms, ImageOps, ImageSequence, features

from rasa_whatsapp_channel.media.convert.plan import Plan, check_pixels
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import MediaError

# What is decoded. Pillow knows more, and some of it is a program that it hands to another one: EPS
# to Ghostscript, whatever its name is.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_QUALITIES: Final = (90, 80, 70)
_SMALLER: Final = 0.7
_STEPS: Final = 8
_SIZE: Final = (limits.STICKER_PIXELS, limits.STICKER_PIXELS)
_STICKER_QUALITIES: Final = (90, 75, 60, 40, 20, 5)
_ANIMATED_WAYS: Final = ((75, 1), (50, 1), (50, 2), (30, 3), (10, 4), (5, 8))  # quality, each nth
_FRAMES: Final = 120
_SECONDS: Final = 10
_SHORTEST: Final = 20  # milliseconds; browsers show shorter frames slower, so people draw them so


def to_image(source: Path, folder: Path, plan: Plan) -> Path:
    """Write the picture into *folder* and return where it is."""
    with open_picture(source) as opened:
        picture = upright(opened)
    if plan.lossless or has_alpha(picture):
        content = save(picture, "PNG", optimize=True)
        if len(content) <= plan.max_bytes:
            return _write(folder / "image.png", content)
    flat = flatten(picture)
    for content in _ever_smaller(flat):
        if len(content) <= plan.max_bytes:
            return _write(folder / "image.jpg", content)
    raise MediaError("stays too large as a picture")


@contextmanager
def open_picture(source: Path) -> Iterator[Image.Image]:
    """Open *source*, unless it has too many pixels."""
    # The check here is stricter, and comes before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(source, formats=_known_formats()) as picture:
            check_pixels(*picture.size)
            yield picture
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises for damage
        raise MediaError(f"cannot be read as a picture: {error}") from error


def upright(picture: Image.Image) -> Image.Image:
    """Return the first frame as RGB or RGBA with 8 bits, turned as its camera says."""
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in ("RGB", "RGBA"):
        return turned.copy()
    if turned.mode == "CMYK":
        return _from_cmyk(turned)
    if turned.mode.startswith("I"):  # 16 bits: Pillow would cut off what is above 255
        turned = turned.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    return turned.convert("RGBA" if has_alpha(turned) else "RGB")


def has_alpha(picture: Image.Image) -> bool:
    if "A" in picture.mode or "a" in picture.mode:
        low, _ = picture.convert("RGBA").getchannel("A").getextrema()
        return isinstance(low, (int, float)) and low < 255
    return "transparency" in picture.info


def flatten(picture: Image.Image) -> Image.Image:
    """Return *picture* on white: JPEG knows no transparency."""
    if picture.mode == "RGB":
        return picture
    rgba = picture.convert("RGBA")
    paper = Image.new("RGB", rgba.size, "white")
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper


def save(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    profile = picture.info.get("icc_profile")
    picture.save(buffer, kind, **({"icc_profile": profile} if profile else {}), **options)
    return buffer.getvalue()


def _known_formats() -> list[str]:
    """Return those of `FORMATS` that can be read here: not every Pillow has the last two."""
    with suppress(ImportError):  # the pictures of iPhones
        from pillow_heif import register_heif_opener

        register_heif_opener()
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _ever_smaller(picture: Image.Image) -> Iterator[bytes]:
    for quality in _QUALITIES:
        yield save(picture, "JPEG", quality=quality, optimize=True)
    for _ in range(_STEPS):
        width, height = (max(int(side * _SMALLER), 1) for side in picture.size)
        profile = picture.info.get("icc_profile")
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        picture.info["icc_profile"] = profile
        yield save(picture, "JPEG", quality=80, optimize=True)


def _from_cmyk(picture: Image.Image) -> Image.Image:
    """Return *picture* in the colours its profile means, where it has one that can be used."""
    profile = picture.info.pop("icc_profile", None)
    if not profile or not features.check("littlecms2"):
        return picture.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        screen = ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(picture, own, screen, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):  # a broken profile
        turned = None
    if turned is None:
        return picture.convert("RGB")
    turned.info.pop("icc_profile", None)
    return turned


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def to_sticker(source: Path, folder: Path, plan: Plan) -> Path:
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
    for quality in _STICKER_QUALITIES:
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
