"""Source × type × API: real files arrive with the same bytes; odd ones, decoded, look the same."""

from __future__ import annotations

import base64
import io
import os

import pytest
from PIL import Image
from support.real_files import (
    BLUE,
    RED,
    clip,
    colours_of,
    deep_picture,
    is_near,
    look_into,
    moving,
    noise,
    picture,
    sound,
)

APIS = ["cloud", "360dialog", "on_premises", "turn"]
FRONT = {"movflags": "+faststart"}
PLAIN = {"profile": "main", "bf": "0"}


@pytest.fixture
def files(tmp_path):
    """One file of each type, as WhatsApp wants it: name → type, MIME type, content."""
    video = clip(
        "mp4", "libx264", folder=tmp_path, sound_codec="aac", options=PLAIN, container_options=FRONT
    )
    return {
        "lake.jpg": ("image", "image/jpeg", picture("JPEG")),
        "sun.webp": ("sticker", "image/webp", picture("WEBP", size=(512, 512))),
        "song.mp3": ("audio", "audio/mpeg", sound("mp3", "libmp3lame", rate=44_100)),
        "note.ogg": ("voice", "audio/ogg; codecs=opus", sound("ogg", "libopus")),
        "boat.mp4": ("video", "video/mp4", video),
        "guide.pdf": ("document", "application/pdf", b"%PDF-1.7\n" + os.urandom(2000)),
    }


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("source", ["path", "data", "link", "s3"])
async def test_each_type_arrives_from_each_source_at_each_api(
    start, host, bucket, files, source, api
):
    desk = await start(api, media={"sources": ["s3://bucket/"]})
    for name, (kind, mime_type, content) in files.items():
        if source == "path":
            where = {"path": desk.put(f"media/{name}", content)}
        elif source == "data":
            where = {"path": f"data:{mime_type};base64,{base64.b64encode(content).decode()}"}
        elif source == "link":
            where = {"link": host(name, content, mime_type)}
        else:
            bucket.pipe(f"/bucket/{name}", content)
            where = {"path": f"s3://bucket/{name}"}
        await desk.say({"attachment": {"type": kind, **where}})
    shown = await desk.shows(len(files))

    for message, (name, (kind, _, content)) in zip(shown, files.items(), strict=True):
        assert message.type == ("audio" if kind == "voice" else kind)
        assert desk.file_of(message) == content, name
        if kind == "document" and source != "data":
            assert message.content["filename"] == name
        by_link = source == "link" and api != "turn"
        assert ("link" in message.content) == by_link


def odd_files(folder):
    """What the platform refuses: name → type, content, what it must show when it arrives."""

    def seen(kind, size=(64, 48)):
        return lambda made: _check_picture(made, kind, size)

    def heard(codec, channels):
        return lambda made: _check_sound(made, codec, channels)

    return {
        "a.webp": ("image", picture("WEBP", quality=95), seen("JPEG")),
        "a.gif": ("image", picture("GIF"), seen("PNG")),
        "a.bmp": ("image", picture("BMP"), seen("PNG")),
        "a.tiff": ("image", picture("TIFF"), seen("PNG")),
        "a.avif": ("image", picture("AVIF", quality=95), seen("JPEG")),
        "cmyk.jpg": ("image", picture("JPEG", "CMYK", quality=95), seen("JPEG")),
        "deep.png": ("image", deep_picture(), lambda made: Image.open(io.BytesIO(made)).load()),
        "large.png": ("image", noise("PNG", (1500, 1300)), lambda made: _is_smaller(made)),
        "wrong.jpg": ("image", picture("WEBP", quality=95), seen("JPEG")),
        "photo.jpg": ("sticker", picture("JPEG", size=(512, 400)), _check_sticker),
        "small.webp": ("sticker", picture("WEBP", size=(100, 100)), _check_sticker),
        "moving.gif": ("sticker", moving("GIF", (200, 200)), _check_sticker),
        "a.wav": ("audio", sound("wav", "pcm_s16le"), heard("aac", 1)),
        "a.flac": ("audio", sound("flac", "flac", layout="stereo"), heard("aac", 2)),
        "stereo.ogg": ("audio", sound("ogg", "libopus", layout="stereo"), heard("opus", 1)),
        "vorbis.ogg": ("audio", sound("ogg", "flac"), heard("opus", 1)),
        "a.webm": ("video", clip("webm", "libvpx", folder=folder), _check_video),
        "a.avi": ("video", clip("avi", "mpeg4", folder=folder), _check_video),
        "a.mov": ("video", clip("mov", "mpeg4", folder=folder), _check_video),
        "a.mkv": (
            "video",
            clip("matroska", "libx264", folder=folder, sound_codec="libmp3lame"),
            _check_video,
        ),
        "loop.gif": ("video", moving("GIF"), lambda made: look_into(made)["video"] == "h264"),
    }


# What is converted is uploaded as in the test of every type at each API.
@pytest.mark.parametrize("api", ["cloud", "on_premises"])
async def test_what_the_platform_refuses_arrives_after_conversion(start, tmp_path, api):
    desk = await start(api)
    odd = odd_files(tmp_path)
    for name, (kind, content, _) in odd.items():
        await desk.say({"attachment": {"type": kind, "path": desk.put(name, content)}})

    shown = await desk.shows(len(odd), within=300)

    for message, (name, (kind, content, check)) in zip(shown, odd.items(), strict=True):
        assert message.type == kind, name
        made = desk.file_of(message)
        assert made != content, name
        assert check(made) is not False, name


@pytest.mark.parametrize(("container", "codec"), [("mp3", "libmp3lame"), ("wav", "pcm_s16le")])
async def test_a_voice_note_of_any_sound_is_mono_opus(start, container, codec):
    desk = await start()
    path = desk.put("a.bin", sound(container, codec))

    await desk.say({"attachment": {"type": "voice", "path": path}})

    [message] = await desk.shows(1)
    assert message.content["voice"] is True
    _check_sound(desk.file_of(message), "opus", 1)


async def test_a_link_the_platform_refuses_is_fetched_converted_and_sent_by_id(start, host):
    desk = await start()
    link = host("a.webp", picture("WEBP", quality=95), "image/webp")

    await desk.say({"text": "Look", "image": link})

    [message] = await desk.shows(1)
    assert (message.content["caption"], "link" in message.content) == ("Look", False)
    _check_picture(desk.file_of(message), "JPEG", (64, 48))


async def test_a_link_nobody_can_fetch_takes_no_words_with_it(start, host):
    desk = await start()
    link = host("a.jpg", b"", "image/jpeg", status=404)

    await desk.say({"text": "Look", "image": link})

    [message] = await desk.shows(1)
    assert message.content["body"] == "Look"  # and no address of this network


@pytest.mark.parametrize("api", ["cloud", "on_premises"])
async def test_without_conversion_the_reason_is_said(start, caplog, api):
    desk = await start(api, media={"convert": False})

    await desk.say({"image": desk.put("a.webp", picture("WEBP"))}, {"text": "And on it goes"})

    [message] = await desk.shows(1)
    assert message.content["body"] == "And on it goes"
    assert "a.webp: is image/webp; WhatsApp takes image/jpeg, image/png as image" in caplog.text


async def test_links_go_by_id_where_the_setting_says_so(start, host):
    desk = await start(media={"upload": "always"})
    link = host("a", b"%PDF-1", "application/pdf", Content_Disposition='inline; filename="M.pdf"')

    await desk.say({"attachment": {"type": "document", "link": link}})

    [message] = await desk.shows(1)
    assert "link" not in message.content
    assert message.content["filename"] == "M.pdf"


async def test_files_are_not_uploaded_where_the_setting_says_so(start, host, caplog):
    desk = await start(media={"upload": "never"})
    link = host("a.jpg", picture("JPEG"), "image/jpeg")

    await desk.say({"image": desk.put("b.jpg", picture("JPEG"))}, {"image": link})

    [message] = await desk.shows(1)
    assert message.content["link"] == link
    assert "b.jpg: is no link, and `media: {upload: never}` is set" in caplog.text


@pytest.mark.parametrize("source", ["path", "data", "s3"])
async def test_a_hundred_users_cause_one_upload(start, bucket, source):
    desk = await start(media={"sources": ["s3://bucket/"]})
    content = picture("WEBP")
    bucket.pipe("/bucket/a.webp", content)
    where = {
        "path": desk.put("a.webp", content),
        "data": "data:image/webp;base64," + base64.b64encode(content).decode(),
        "s3": "s3://bucket/a.webp",
    }[source]
    for number in range(100):
        await desk.say({"attachment": {"type": "image", "path": where}}, to=f"49151{number:08}")

    shown = await desk.shows(100)

    assert len({message.person for message in shown}) == 100
    assert desk.uploads() == 1


async def test_a_file_whose_id_the_platform_forgot_is_uploaded_again(start):
    desk = await start()
    path = desk.put("a.jpg", picture("JPEG"))
    await desk.say({"image": path})
    [first] = await desk.shows(1)
    desk.world.library.delete(first.content["id"])

    await desk.say({"image": path})

    [_, second] = await desk.shows(2)
    assert first.content["id"] != second.content["id"]


def _check_picture(made, kind, size):
    found, pixels, left, right = colours_of(made)
    assert (found, pixels) == (kind, size)
    assert is_near(left, RED)
    assert is_near(right, BLUE)


def _check_sticker(made):
    assert colours_of(made)[:2] == ("WEBP", (512, 512))


def _check_sound(made, codec, channels):
    heard = look_into(made)
    assert (heard["audio"], heard["channels"]) == (codec, channels)
    assert heard["seconds"] == pytest.approx(1.0, abs=0.1)
    assert heard["loud"]


def _check_video(made):
    seen = look_into(made)
    assert (seen["video"], seen["size"]) == ("h264", (64, 48))
    assert is_near(seen["picture"].getpixel((16, 24)), RED, 45)
    assert is_near(seen["picture"].getpixel((48, 24)), BLUE, 45)


def _is_smaller(made):
    assert len(made) <= 5 * 1024 * 1024
    assert colours_of(made)[0] == "JPEG"
