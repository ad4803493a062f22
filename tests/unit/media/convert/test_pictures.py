from __future__ import annotations

import os
import struct
import sys
import zlib

import pytest
from support.real_files import (
    BLUE,
    RED,
    colours_of,
    deep_picture,
    is_near,
    moving,
    noise,
    picture,
)

from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.limits import MEDIA_BYTES


@pytest.mark.parametrize(
    ("content", "becomes"),
    [
        (picture("WEBP", quality=90), "JPEG"),
        (picture("GIF"), "PNG"),
        (picture("BMP"), "PNG"),
        (picture("TIFF"), "PNG"),
        (picture("AVIF", quality=90), "JPEG"),
        (picture("JPEG", "CMYK", quality=95), "JPEG"),
        (picture("PNG", "P"), "PNG"),
        (moving("GIF"), "PNG"),
        (moving("WEBP"), "JPEG"),
    ],
    ids=["webp", "gif", "bmp", "tiff", "avif", "cmyk", "palette", "moving gif", "moving webp"],
)
async def test_a_picture_of_another_kind_becomes_one_that_whatsapp_takes(fit, content, becomes):
    kind, size, left, _ = colours_of(await fit(content, "image"))

    assert (kind, size) == (becomes, (64, 48))
    assert is_near(left, RED)


async def test_a_picture_of_an_iphone_is_read_where_the_package_for_it_is_installed(fit):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()

    kind, size, left, right = colours_of(await fit(picture("HEIF"), "image"))

    assert (kind, size) == ("JPEG", (64, 48))
    assert is_near(left, RED)
    assert is_near(right, BLUE)


async def test_both_halves_stay_what_they_were(fit):
    _, _, left, right = colours_of(await fit(picture("BMP"), "image"))

    assert (left, right) == ((*RED, 255), (*BLUE, 255))


async def test_sixteen_bits_become_eight_without_losing_the_light_parts(fit):
    _, _, dark, light = colours_of(await fit(deep_picture(), "image"))

    assert is_near(dark, (39, 39, 39), 1)
    assert is_near(light, (195, 195, 195), 1)


async def test_transparent_parts_stay_transparent(fit):
    content = picture("WEBP", "RGBA", lossless=True)
    clear = picture("TIFF", "RGBA")

    assert colours_of(await fit(content, "image"))[0] == "JPEG"  # nothing in it is transparent
    assert colours_of(await fit(clear, "image"))[0] == "PNG"


@pytest.mark.slow
async def test_a_picture_that_is_too_large_gets_smaller(fit):
    content = noise("PNG", (1700, 1400))
    assert len(content) > MEDIA_BYTES["image"]

    made = await fit(content, "image")

    assert len(made) <= MEDIA_BYTES["image"]
    assert colours_of(made)[0] == "JPEG"


@pytest.mark.parametrize(
    "content",
    [picture("JPEG"), picture("PNG"), picture("PNG", "RGBA"), picture("JPEG", "L")],
    ids=["jpeg", "png", "rgba", "grey jpeg"],
)
async def test_what_is_right_is_not_touched(fit, content):
    assert await fit(content, "image") == content


async def test_what_the_camera_turned_stands_upright(fit):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # held upright, stored lying

    _, size, _, _ = colours_of(await fit(picture("WEBP", exif=exif), "image"))

    assert size == (48, 64)


async def test_a_bomb_is_refused_before_it_goes_off(fit):
    with pytest.raises(MediaError, match="has 30000 × 30000 pixels; at most 40 megapixels"):
        await fit(_bomb(30_000), "image")


@pytest.mark.slow
async def test_fifty_megapixels_are_refused(fit):
    with pytest.raises(MediaError, match="at most 40 megapixels are converted"):
        await fit(picture("BMP", "1", (8000, 6300)), "image")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gif", b"GIF89a" + b"\0" * 64),
        ("a.webp", picture("WEBP")[:60]),
        ("a.bmp", b"BM" + b"\xff" * 100),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 64),
    ],
)
async def test_a_broken_picture_is_said_to_be_so(fit, name, content):
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        await fit(content, "image", name=name)


async def test_a_drawing_in_svg_is_no_picture_and_stays(fit):
    content = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

    assert await fit(content, "image", name="a.svg") == content


def _bomb(side: int) -> bytes:
    """A palette PNG that unpacks to gigabytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 5_000_000, 9)
    chunks = ((b"IHDR", head), (b"PLTE", b"\0\0\0"), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """A program of this name in the PATH; the file it returns is there once it was started."""
    started = tmp_path / "ghostscript was started"
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n: > '{started}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return started


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize("kind", ["image", "sticker"])
@pytest.mark.parametrize("name", ["a.bmp", "a.tiff", "a.heic", "a.avif"])
async def test_a_program_that_is_called_a_picture_is_not_run(fit, ghostscript, kind, name):
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        await fit(EPS, kind, name=name)

    assert not ghostscript.exists()


@pytest.mark.parametrize("form", ["PPM", "TGA", "PCX", "ICO", "SGI"])
async def test_a_kind_of_picture_that_is_not_named_is_not_decoded(fit, form):
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        await fit(picture(form), "image", name="a.bmp")
