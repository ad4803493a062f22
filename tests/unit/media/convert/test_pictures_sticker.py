from __future__ import annotations

import io

import pytest
from PIL import Image
from support.real_files import RED, colours_of, is_near, moving, noise, picture

from rasa_whatsapp_channel.whatsapp.limits import MEDIA_BYTES, STICKER_STATIC_BYTES


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG", size=(800, 600)),
        picture("PNG", size=(20, 20)),
        picture("WEBP", size=(300, 512)),
        picture("GIF"),
        noise("PNG", (700, 700)),
    ],
    ids=["jpeg", "small png", "narrow webp", "gif", "noise"],
)
async def test_any_picture_becomes_a_sticker(fit, content):
    made = await fit(content, "sticker")

    kind, size, _, _ = colours_of(made)
    assert (kind, size) == ("WEBP", (512, 512))
    assert len(made) <= STICKER_STATIC_BYTES


async def test_what_is_not_square_gets_a_transparent_edge(fit):
    with Image.open(io.BytesIO(await fit(picture("JPEG", size=(600, 300)), "sticker"))) as sticker:
        pixels = sticker.convert("RGBA")

    assert pixels.getpixel((256, 10))[3] == 0
    assert is_near(pixels.getpixel((128, 256)), RED)


async def test_what_moves_goes_on_moving(fit):
    made = await fit(moving("GIF", (320, 240)), "sticker")

    with Image.open(io.BytesIO(made)) as sticker:
        assert (sticker.n_frames, sticker.size) == (6, (512, 512))
    assert len(made) <= MEDIA_BYTES["sticker"]


async def test_where_the_api_takes_none_that_move_the_first_frame_stands_still(fit):
    made = await fit(moving("WEBP", (512, 512)), "sticker", animated_stickers=False)

    with Image.open(io.BytesIO(made)) as sticker:
        assert getattr(sticker, "n_frames", 1) == 1
        assert is_near(sticker.convert("RGB").getpixel((256, 256)), RED)


@pytest.mark.parametrize(
    "content",
    [picture("WEBP", size=(512, 512)), moving("WEBP", (512, 512))],
    ids=["still", "moving"],
)
async def test_what_is_right_is_not_touched(fit, content):
    assert await fit(content, "sticker") == content
