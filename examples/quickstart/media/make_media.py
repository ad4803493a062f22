"""
Make the five files of this folder: a lake, a house guide, a chime, a boat and a smiling sun.

They are committed; run this only to change them. Needs Pillow and PyAV:

    python examples/quickstart/media/make_media.py
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent
SMOOTH = 3  # shapes are drawn this many times larger, then made smaller: soft edges
SECONDS = 2
FPS = 24
SAMPLE_RATE = 48_000

Color = tuple[int, int, int]

SKY: tuple[Color, Color] = ((92, 124, 190), (255, 205, 160))
WATER: tuple[Color, Color] = ((240, 180, 150), (38, 62, 110))
HILLS: tuple[Color, ...] = ((142, 130, 172), (96, 96, 146), (52, 66, 104))
SUN: Color = (255, 236, 190)

# A chord going up: C5, E5, G5, C6, and when each begins.
CHIME = ((523.25, 0.0), (659.25, 0.3), (783.99, 0.6), (1046.5, 0.9))

GUIDE = """\
Lakeside Guesthouse|24
A short guide for our guests|13
|10
Breakfast is from 7 to 10, on the terrace when the sun is out.|11
The boat at the jetty is yours to use. Please wear a life jacket.|11
Wi-Fi: the name of the network is Lakeside, it needs no password.|11
Check-out is at 11. Leave the key in the door.|11
|10
Questions? Write to us on WhatsApp, at any hour.|11"""


def blend(start: Color, end: Color, share: float) -> Color:
    first, second, third = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return first, second, third


def gradient(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ends: tuple[Color, Color]
) -> None:
    left, top, right, bottom = box
    for y in range(top, bottom):
        share = (y - top) / (bottom - top)
        draw.line((left, y, right, y), fill=blend(*ends, share))


def lake(width: int, height: int) -> Image.Image:
    """Sky, sun, three rows of hills, and the water they are mirrored in."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    shore = round(height * 0.62)
    gradient(draw, (0, 0, width, shore), SKY)
    radius, x, y = height // 11, round(width * 0.68), round(height * 0.36)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=SUN)
    for row, color in enumerate(HILLS):
        draw.polygon(ridge(row, width, shore), fill=color)
    mirrored = picture.crop((0, 2 * shore - height, width, shore))
    mirrored = mirrored.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirrored = mirrored.filter(ImageFilter.GaussianBlur(height / 200))
    gradient(draw, (0, shore, width, height), WATER)
    water = picture.crop((0, shore, width, height))
    picture.paste(Image.blend(water, mirrored, 0.45), (0, shore))
    return picture


def ridge(row: int, width: int, shore: int) -> list[tuple[float, float]]:
    """Hills as a sum of two waves; each row stands lower and is wavier than the one behind it."""
    rise = shore * (0.34 - 0.1 * row)

    def top(x: int) -> float:
        turn = 2 * math.pi * x / width
        wave = 0.6 * math.sin(turn * (1.3 + row) + 1 + 2 * row)
        wave += 0.25 * math.sin(turn * (3.1 + 2 * row) + row)
        return shore - rise * (0.75 + 0.5 * wave)

    return [(0, shore), *((x, top(x)) for x in range(0, width + 1, 4)), (width, shore)]


def boat(picture: Image.Image, x: float, y: float, size: float) -> None:
    draw = ImageDraw.Draw(picture)

    def shape(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + size * across, y + size * down) for across, down in points]

    draw.polygon(shape((0.05, -0.1), (0.05, -1.2), (0.6, -0.1)), fill=(255, 250, 240))
    draw.polygon(shape((-0.03, -0.1), (-0.03, -1.0), (-0.4, -0.1)), fill=(226, 96, 84))
    draw.polygon(shape((-0.6, 0), (0.7, 0), (0.45, 0.25), (-0.4, 0.25)), fill=(90, 56, 48))


def image(path: Path) -> None:
    large = lake(960 * SMOOTH, 640 * SMOOTH)
    boat(large, 300 * SMOOTH, 470 * SMOOTH, 60 * SMOOTH)
    large.resize((960, 640), Image.Resampling.LANCZOS).save(path, quality=82, optimize=True)


def document(path: Path) -> None:
    """Write the PDF by hand: four objects, a page of text, and the table of where they begin."""
    page = ["BT 72 760 Td 18 TL"]
    for line in GUIDE.splitlines():
        text, size = line.rsplit("|", 1)
        page.append(f"/F1 {size} Tf ({text}) Tj T*")
    page.append("ET")
    content = "\n".join(page)
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    pdf, starts = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        starts.append(len(pdf))
        pdf += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    pdf += f"xref\n0 {count}\n0000000000 65535 f \n{table}" + (
        f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(pdf)}\n%%EOF\n"
    )
    path.write_bytes(pdf.encode("ascii"))


def bell(frequency: float, age: float) -> float:
    """A note *age* seconds after it was struck: it fades, its overtones faster."""
    if age < 0:
        return 0.0
    turn = 2 * math.pi * frequency * age
    attack = min(1.0, age / 0.005)
    tone = math.sin(turn) * math.exp(-3 * age) + 0.3 * math.sin(2 * turn) * math.exp(-6 * age)
    return attack * tone


def chime() -> array[int]:
    def loudness(sample: int) -> float:
        now = sample / SAMPLE_RATE
        end = min(1.0, (SECONDS - now) / 0.1)
        return 0.3 * end * sum(bell(frequency, now - start) for frequency, start in CHIME)

    return array("h", (round(32_000 * loudness(n)) for n in range(SECONDS * SAMPLE_RATE)))


def sound_frames(sound: array[int]) -> Iterator[av.AudioFrame]:
    step = 960  # 20 ms, what Opus takes
    for start in range(0, len(sound), step):
        part = sound[start : start + step]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(part))
        frame.planes[0].update(part.tobytes())
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        yield frame


def voice(path: Path) -> None:
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 32_000
        mux_all(container, stream, sound_frames(chime()))


def video_frames(width: int, height: int) -> Iterator[av.VideoFrame]:
    large = lake(width * SMOOTH, height * SMOOTH)
    for number in range(SECONDS * FPS):
        share = number / (SECONDS * FPS)
        scene = large.copy()
        x = width * (0.15 + 0.65 * share)
        y = height * (0.78 + 0.012 * math.sin(share * 4 * math.pi))
        boat(scene, x * SMOOTH, y * SMOOTH, height * 0.13 * SMOOTH)
        frame = av.VideoFrame.from_image(scene.resize((width, height), Image.Resampling.LANCZOS))
        frame.pts = number
        yield frame


def video(path: Path) -> None:
    # WhatsApp on Android fails on the High profile with B-frames, and wants the index (moov) first.
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        picture = container.add_stream(
            "libx264", rate=FPS, options={"profile": "main", "crf": "27"}
        )
        picture.width, picture.height, picture.pix_fmt = 480, 270, "yuv420p"
        picture.codec_context.max_b_frames = 0
        picture.codec_context.time_base = Fraction(1, FPS)
        sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        sound.bit_rate = 48_000
        mux_all(container, picture, video_frames(480, 270))
        mux_all(container, sound, resampled(sound_frames(chime())))


def resampled(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE, frame_size=1024)
    for frame in (*frames, None):
        yield from resampler.resample(frame)


def mux_all(container: OutputContainer, stream: Any, frames: Iterable[Any]) -> None:
    for frame in (*frames, None):  # None: what the encoder still holds
        for packet in stream.encode(frame):
            container.mux(packet)


def sticker(path: Path) -> None:
    """A smiling sun on nothing: 512 × 512 pixels, as WhatsApp asks of a sticker."""
    side = 512 * SMOOTH
    picture = Image.new("RGBA", (side, side), (255, 200, 60, 0))
    draw = ImageDraw.Draw(picture)
    middle, unit = side / 2, side / 100

    def circle(x: float, y: float, radius: float, color: Color) -> None:
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=color)

    def away(distance: float, angle: float) -> tuple[float, float]:
        reach = unit * distance
        return middle + reach * math.cos(angle), middle + reach * math.sin(angle)

    for ray in range(12):
        angle = math.pi * ray / 6
        corners = (away(46, angle), away(33, angle + 0.17), away(33, angle - 0.17))
        draw.polygon(corners, fill=(255, 176, 46))
    circle(middle, middle, 31 * unit, (255, 213, 79))
    for side_of_face in (-1, 1):
        circle(middle + side_of_face * 11 * unit, middle - 6 * unit, 3.6 * unit, (74, 52, 40))
        circle(middle + side_of_face * 19 * unit, middle + 6 * unit, 4.5 * unit, (255, 158, 110))
    smile = (middle - 13 * unit, middle - 12 * unit, middle + 13 * unit, middle + 14 * unit)
    draw.arc(smile, 25, 155, fill=(74, 52, 40), width=round(2.6 * unit))
    picture.resize((512, 512), Image.Resampling.LANCZOS).save(path, quality=85, method=6)


FILES: dict[str, Callable[[Path], None]] = {
    "lake.jpg": image,
    "guide.pdf": document,
    "chime.ogg": voice,
    "boat.mp4": video,
    "sun.webp": sticker,
}

if __name__ == "__main__":
    for name, make in FILES.items():
        make(HERE / name)
        print(f"{name}: {(HERE / name).stat().st_size:,} bytes")
