"""Fetching links, from servers on a socket that behave, and others."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.outbound.links import Links
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.errors import MediaError

MB = 1024 * 1024


class Shop:
    """A server with a picture, and with what goes wrong."""

    def __init__(self) -> None:
        self.asked = []
        app = web.Application()
        app.router.add_get("/picture.jpg", self.picture)
        app.router.add_get("/named", self.named)
        app.router.add_get("/moved/{times}", self.moved)
        app.router.add_get("/away", self.away)
        app.router.add_get("/endless", self.endless)
        app.router.add_get("/slow", self.slow)
        app.router.add_get("/huge", self.huge)
        self.server = TestServer(app)

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def picture(self, request):
        self.asked.append(request.headers)
        return web.Response(body=b"a picture", content_type="image/jpeg")

    async def named(self, request):
        headers = {"Content-Disposition": 'attachment; filename="Menu.pdf"'}
        return web.Response(body=b"%PDF-", headers=headers)

    async def moved(self, request):
        times = int(request.match_info["times"])
        raise web.HTTPFound(f"/moved/{times - 1}" if times > 1 else "/picture.jpg")

    async def away(self, request):
        raise web.HTTPFound(request.query["to"])

    async def endless(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"\0" * 64 * 1024)

    async def huge(self, request):
        response = web.StreamResponse(headers={"Content-Length": str(4 * 1024 * MB)})
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    async def slow(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.1)


@pytest.fixture
async def shop():
    shop = Shop()
    async with shop.server:
        yield shop


@pytest.fixture
async def make():
    opened = []

    def make(**options):
        links = Links(AiohttpTransport(public_only=not options.get("private")), **options)
        opened.append(links)
        return links

    yield make
    for links in opened:
        await links.close()


async def read(links, url):
    async with links.fetch(url) as fetched:
        return fetched.path.read_bytes(), fetched.name


@pytest.mark.parametrize("path", ["/picture.jpg", "/moved/1", "/moved/3"])
async def test_a_link_is_fetched_also_after_three_redirects(shop, make, path):
    assert await read(make(private=True), shop.url(path)) == (b"a picture", "picture.jpg")
    assert "Authorization" not in shop.asked[0]


async def test_the_server_may_name_the_file(shop, make):
    assert await read(make(private=True), shop.url("/named")) == (b"%PDF-", "Menu.pdf")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/moved/4", "redirects more than 3 times"),
        ("/none", "answers HTTP 404"),
        ("/endless", "is larger than 1 MB"),
        ("/huge", "is larger than 1 MB"),
        ("/away?to=file:///etc/passwd", "is no http or https address"),
        ("/away?to=data:text/plain,x", "is no http or https address"),
    ],
)
async def test_what_cannot_be_had_is_said(shop, make, path, problem):
    with pytest.raises(MediaError, match=problem):
        await read(make(private=True, max_bytes=MB), shop.url(path))


async def test_a_server_that_sends_byte_after_byte_is_left(shop, make):
    began = time.monotonic()

    with pytest.raises(MediaError, match=r"is not here after 0.5 seconds|no whole answer"):
        await read(make(private=True, timeout=0.5), shop.url("/slow"))

    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:8400/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
    ],
)
async def test_addresses_of_ones_own_network_are_not_fetched(make, url):
    with pytest.raises(MediaError, match=r"lies in a private network|host is not known"):
        await read(make(), url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:,x", "ftp://a.example/", "http:///a"])
async def test_only_http_is_fetched(make, url):
    with pytest.raises(MediaError, match="is no http or https address"):
        await read(make(), url)


@pytest.mark.parametrize(
    "there", ["http://169.254.169.254/", "http://localhost/", "//[::1]/", "http://["]
)
async def test_a_redirect_into_ones_own_network_is_not_followed(there):
    transport = FakeTransport(answer(status=302, headers={"location": there}))

    with pytest.raises(MediaError, match=r"lies in a private network|is no address"):
        await read(Links(transport), "http://93.184.215.14/picture.jpg")

    assert len(transport.requests) == 1


async def test_a_name_that_means_another_host_by_then_is_not_connected_to(shop):
    # "localhost" stands for a name that was public when somebody looked.
    transport = AiohttpTransport(public_only=True)
    links = Links(transport, private=True)
    port = shop.server.port

    try:
        with pytest.raises(MediaError, match="lies in a private network"):
            await read(links, f"http://localhost:{port}/picture.jpg")
    finally:
        await links.close()
    assert shop.asked == []
