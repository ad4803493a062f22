from __future__ import annotations

import io

import pytest
from support.real_files import BLUE, RED, clip, is_near, look_into, moving

from rasa_whatsapp_channel.media.convert.streams import plan_shape
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.media_headers import is_index_first

FRONT = {"movflags": "+faststart"}
PLAIN = {"profile": "main", "bf": "0"}


def check(made: bytes, *, size: tuple[int, int] = (64, 48), sound: bool = False) -> None:
    seen = look_into(made)
    assert "mp4" in seen["format"]
    assert (seen["video"], seen["colours"], seen["size"]) == ("h264", "yuv420p", size)
    assert seen["profile"] in ("Main", "Constrained Baseline", "Baseline")
    assert seen.get("audio") == ("aac" if sound else None)
    assert is_index_first(io.BytesIO(made))
    width, height = size
    assert is_near(seen["picture"].getpixel((width // 4, height // 2)), RED, 45)
    assert is_near(seen["picture"].getpixel((width * 3 // 4, height // 2)), BLUE, 45)


@pytest.mark.parametrize(
    ("container", "codec", "sound", "options"),
    [
        ("webm", "libvpx", "libopus", {}),
        ("matroska", "libx264", None, PLAIN),
        ("avi", "mpeg4", "libmp3lame", {}),
        ("mov", "mpeg4", None, {}),
        ("mp4", "mpeg4", "aac", {}),
        ("mp4", "libx264", "aac", {"profile": "high", "bf": "2"}),
        ("mp4", "libx264", "libmp3lame", PLAIN),
        ("3gp", "h263", None, {}),
    ],
)
async def test_any_clip_becomes_one_that_phones_play(
    fit, tmp_path, container, codec, sound, options
):
    size = (176, 144) if codec == "h263" else (64, 48)
    content = clip(container, codec, folder=tmp_path, sound_codec=sound, options=options, size=size)

    check(await fit(content, "video", name="a.mp4"), size=size, sound=sound is not None)


async def test_other_colours_become_plain_ones(fit, tmp_path):
    content = clip("mp4", "libx264", folder=tmp_path, pix_fmt="yuv444p", container_options=FRONT)

    check(await fit(content, "video"))


async def test_a_moving_gif_becomes_a_clip(fit):
    seen = look_into(await fit(moving("GIF"), "video"))

    assert (seen["video"], seen["size"]) == ("h264", (64, 48))


async def test_odd_sides_become_even(fit, tmp_path):
    content = clip(
        "mp4", "libx264", folder=tmp_path, pix_fmt="yuv444p", size=(65, 49), options={"bf": "0"}
    )

    assert look_into(await fit(content, "video"))["size"] == (64, 48)


async def test_where_only_the_order_is_wrong_the_streams_stay(fit, tmp_path):
    content = clip("mp4", "libx264", folder=tmp_path, sound_codec="aac", options=PLAIN)
    assert not is_index_first(io.BytesIO(content))

    made = await fit(content, "video")

    check(made, sound=True)
    assert abs(len(made) - len(content)) < 200


@pytest.mark.parametrize("sound", [None, "aac"])
async def test_what_is_right_is_not_touched(fit, tmp_path, sound):
    content = clip(
        "mp4", "libx264", folder=tmp_path, sound_codec=sound, options=PLAIN, container_options=FRONT
    )

    assert await fit(content, "video") == content


async def test_a_broken_clip_of_the_right_kind_stays(fit):
    content = b"\0\0\0\x18ftypisom" + b"\0" * 64

    assert await fit(content, "video") == content


async def test_a_playlist_cannot_make_us_read_other_files(fit, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(clip("mp4", "libx264", folder=tmp_path))
    playlist = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n"

    with pytest.raises(MediaError, match="cannot be read"):
        await fit(playlist.encode(), "video", name="a.avi")


@pytest.mark.parametrize(
    ("length", "longest"), [(10, 1280), (180, 854), (300, 640), (900, 256), (0, 1280)]
)
def test_the_longer_it_plays_the_fewer_pixels_it_has(length, longest):
    shape = plan_shape(1920, 1080, length, max_bytes=16 * 1024 * 1024, sound=True)

    assert max(shape.width, shape.height) == longest
    if length:
        assert (shape.rate + shape.sound) * length / 8 <= 16 * 1024 * 1024


def test_small_ones_are_not_blown_up():
    shape = plan_shape(320, 240, 10, max_bytes=16 * 1024 * 1024, sound=False)

    assert (shape.width, shape.height, shape.sound) == (320, 240, 0)


def test_what_plays_for_hours_does_not_fit():
    with pytest.raises(MediaError, match="plays too long; about 28 minutes fit"):
        plan_shape(1920, 1080, 7200, max_bytes=16 * 1024 * 1024, sound=True)
