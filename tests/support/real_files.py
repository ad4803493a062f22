"""Real pictures, sounds and clips, made with Pillow and PyAV, and the way back: what is in them."""

from __future__ import annotations

import io
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
from PIL import Image

RED = (210, 30, 40)
BLUE = (30, 60, 200)


def two_colours(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """The left half red, the right half blue."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return picture


def picture(
    kind: str, mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: Any
) -> bytes:
    buffer = io.BytesIO()
    two_colours(size).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def deep_picture(size: tuple[int, int] = (64, 48)) -> bytes:
    """A grey PNG with 16 bits: dark on the left, light on the right."""
    pixels = numpy.full((size[1], size[0]), 10_000, dtype=numpy.uint16)
    pixels[:, size[0] // 2 :] = 50_000
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def noise(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    """A picture that hardly gets smaller."""
    pixels = numpy.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), dtype=numpy.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def moving(kind: str, size: tuple[int, int] = (64, 48), frames: int = 6) -> bytes:
    """A picture that moves, from red to blue."""
    colours = [
        tuple(int(a + (b - a) * n / (frames - 1)) for a, b in zip(RED, BLUE, strict=True))
        for n in range(frames)
    ]
    pictures = [Image.new("RGB", size, colour) for colour in colours]
    buffer = io.BytesIO()
    pictures[0].save(buffer, kind, save_all=True, append_images=pictures[1:], duration=120, loop=0)
    return buffer.getvalue()


def sound(
    container: str,
    codec: str,
    *,
    layout: str = "mono",
    rate: int = 48_000,
    seconds: float = 1.0,
    hertz: float = 440.0,
) -> bytes:
    """A tone."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = layout
        for frame in _tone(layout, rate, seconds, hertz):
            for made in av.AudioResampler(
                format=stream.codec_context.format,
                layout=layout,
                rate=rate,
                frame_size=stream.codec_context.frame_size or 0,
            ).resample(frame):
                output.mux(stream.encode(made))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def clip(
    container: str,
    codec: str,
    *,
    folder: Path,
    size: tuple[int, int] = (64, 48),
    frames: int = 25,
    sound_codec: str | None = None,
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    container_options: dict[str, str] | None = None,
) -> bytes:
    """A clip of one second: the left half red, the right half blue."""
    path = folder / f"clip.{container}"
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream: Any = output.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        heard: Any = None
        if sound_codec is not None:
            heard = output.add_stream(sound_codec, rate=48_000)
            heard.layout = "stereo"
        for number in range(frames):
            frame = av.VideoFrame.from_image(two_colours(size))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if heard is not None:
            resampler = av.AudioResampler(
                format=heard.codec_context.format,
                layout="stereo",
                rate=48_000,
                frame_size=heard.codec_context.frame_size or 0,
            )
            for tone in _tone("stereo", 48_000, frames / 25, 440.0):
                for made in resampler.resample(tone):
                    output.mux(heard.encode(made))
            output.mux(heard.encode(None))
    content = path.read_bytes()
    path.unlink()
    return content


def _tone(layout: str, rate: int, seconds: float, hertz: float) -> list[Any]:
    count = int(rate * seconds)
    wave = numpy.array(
        [int(12_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count)],
        dtype=numpy.int16,
    )
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(
        numpy.repeat(wave, channels).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    return [frame]


def colours_of(content: bytes) -> tuple[str, tuple[int, int], Any, Any]:
    """Return format, size and the pixels in the middle of both halves."""
    with Image.open(io.BytesIO(content)) as opened:
        kind, size = str(opened.format), opened.size
        rgba = opened.convert("RGBA")
    middle = size[1] // 2
    return (
        kind,
        size,
        rgba.getpixel((size[0] // 4, middle)),
        rgba.getpixel((size[0] * 3 // 4, middle)),
    )


def look_into(content: bytes) -> dict[str, Any]:
    """Return what is in a sound or clip, decoded."""
    with av.open(io.BytesIO(content)) as container:
        found: dict[str, Any] = {"format": container.format.name}
        for stream in container.streams:
            codec: Any = stream.codec_context
            found[stream.type] = codec.codec.canonical_name
            if stream.type == "audio":
                found["channels"] = codec.channels
            else:
                found["size"] = (codec.width, codec.height)
                found["profile"], found["colours"] = codec.profile, codec.pix_fmt
        seconds = 0.0
        pictures = []
        samples = []
        for frame in container.decode():
            if isinstance(frame, av.AudioFrame):
                seconds += frame.samples / frame.sample_rate
                samples.append(frame.to_ndarray().astype(float).reshape(-1))
            else:
                pictures.append(frame)
        found["seconds"] = round(seconds, 1)
        found["pictures"] = len(pictures)
        if pictures:
            found["picture"] = pictures[len(pictures) // 2].to_image()
        if samples:
            found["loud"] = float(numpy.abs(numpy.concatenate(samples)).max()) > 0
    return found


def is_near(one: Any, other: Any, within: int = 30) -> bool:
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=False))
