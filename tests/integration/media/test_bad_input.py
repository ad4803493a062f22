"""What nobody should send: each is refused with its reason, and the bot's next message arrives."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.real_files import noise, picture, sound

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9"/></svg>'


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 50_000_000)
    return buffer.getvalue()


def _polyglot() -> bytes:
    """A GIF that is a script as well."""
    return b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)//"


async def _follows(desk, caplog, *words: str) -> None:
    """The next message arrives, nothing else does, and the log says *words*."""
    await desk.say({"text": "And on it goes"})
    [message] = await desk.shows(1)
    assert message.content["body"] == "And on it goes"
    for word in words:
        assert word in caplog.text
    assert "Traceback" not in caplog.text


NOISE = random.Random(7).randbytes(500)
BAD = {
    "empty.jpg": ("image", b"", "is empty"),
    "bomb.zip": ("image", _zip_bomb(), "is application/zip"),
    "bomb.png": ("image", _zip_bomb(), "is application/octet-stream"),
    "a.svg": ("image", SVG, "is image/svg+xml"),
    "polyglot.gif": ("image", _polyglot(), "cannot be read as a picture"),
    "cut.webp": ("image", picture("WEBP", size=(400, 400))[:200], "cannot be read"),
    "text.jpg": ("image", b"This is no picture.", "is application/octet-stream"),
    "large.bmp": ("image", picture("BMP", "1", (9000, 9000)), "at most 40 megapixels"),
    "sticker.svg": ("sticker", SVG, "is image/svg+xml"),
    "noise.wav": ("audio", b"RIFF\0\0\0\0WAVE" + NOISE, "is audio/wav"),
    "noise.avi": ("video", b"RIFF\0\0\0\0AVI " + NOISE, "is video/x-msvideo"),
    "sound.webm": ("video", sound("webm", "libopus"), "has no moving pictures"),
    "list.avi": ("video", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "is video/x-msvideo"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_refused_and_the_rest_goes_on(start, caplog, name):
    kind, content, reason = BAD[name]
    desk = await start()

    await desk.say({"attachment": {"type": kind, "path": desk.put(name, content)}})

    await _follows(desk, caplog, name, reason)


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "media/../../x", "file:///etc/passwd", "ok\0.jpg"],
)
async def test_a_path_never_leads_out_of_the_bots_folder(start, caplog, path):
    desk = await start()

    await desk.say({"attachment": {"type": "document", "path": path}})

    await _follows(desk, caplog)
    assert desk.uploads() == 0
    assert any(word in caplog.text for word in ("outside", "is not fetched", "cannot be read"))


@pytest.mark.parametrize(
    "link", ["http://169.254.169.254/latest/meta-data", "http://localhost:1/", "http://[::1]/a"]
)
async def test_links_into_ones_own_network_are_not_fetched_by_us(start, caplog, link):
    desk = await start(media={"upload": "always", "private_links": False})

    await desk.say({"text": "Look", "attachment": {"type": "image", "link": link}})

    [message] = await desk.shows(1)
    assert message.content["body"] == "Look"  # without the address
    assert "lies in a private network" in caplog.text


async def test_a_stream_without_an_end_is_left(start, caplog):
    async def endless(request):
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while True:
            await response.write(noise("BMP", (100, 100)))

    app = web.Application()
    app.router.add_get("/a.jpg", endless)
    desk = await start(media={"upload": "always"})
    async with TestServer(app) as server:
        link = str(server.make_url("/a.jpg"))
        await desk.say({"text": "Look", "image": link})
        [message] = await desk.shows(1)

    assert message.content["body"] == "Look"
    assert "is larger than 100 MB" in caplog.text


async def test_a_folder_that_takes_nothing_stops_only_what_needs_it(start, caplog):
    desk = await start(media={"store": "media/taken"})
    desk.put("media/taken", b"a file where a folder should be")

    await desk.say({"image": desk.put("a.webp", picture("WEBP"))})

    await _follows(desk, caplog, "a.webp", "cannot be converted in")


async def test_a_wrong_ending_does_not_matter(start):
    desk = await start()

    await desk.say({"image": desk.put("a.gif", picture("JPEG"))})

    [message] = await desk.shows(1)
    assert desk.file_of(message) == picture("JPEG")
