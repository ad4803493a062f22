"""Fetching links, from servers on a socket that behave, and others."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.eventually import timed
from support.fake_transport import FakeTransport, answer
from support.modes import mode_of, umask

from rasa_whatsapp_channel.factories import make_links
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.networks import is_public

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
        app.router.add_get("/broken", self.broken)
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

    async def broken(self, request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half of it")
        request.transport.abort()
        return response

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
    async def fails() -> None:
        with pytest.raises(MediaError, match=r"is not here after 0.5 seconds|no whole answer"):
            await read(make(private=True, timeout=0.5), shop.url("/slow"))

    _, took = await timed(fails())
    assert took < 5


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


@pytest.mark.parametrize(
    ("status", "passing"),
    [
        *((500, True), (502, True), (503, True), (504, True), (429, True), (408, True)),
        *((400, False), (401, False), (403, False), (404, False), (410, False), (204, False)),
    ],
)
async def test_what_a_server_answers_tells_whether_to_ask_again(status, passing):
    with pytest.raises(MediaError) as caught:
        await read(Links(FakeTransport(answer(status=status))), "http://93.184.215.14/a.jpg?sig=1")

    assert caught.value.passing is passing
    assert str(caught.value) == f"http://93.184.215.14/a.jpg?…: answers HTTP {status}"


async def test_a_server_that_is_down_or_breaks_off_or_is_slow_is_asked_again(shop, make):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{closed.getsockname()[1]}/a.jpg"
    for url in (down, shop.url("/broken"), shop.url("/slow")):
        with pytest.raises(MediaError) as caught:
            await read(make(private=True, timeout=0.5), url)
        assert caught.value.passing, url


async def test_where_no_temporary_file_can_be_written_it_is_tried_again(shop, make, no_room):
    with pytest.raises(MediaError, match="a folder for it cannot be made") as caught:
        await read(make(private=True), shop.url("/picture.jpg"))

    assert caught.value.passing


async def test_a_host_that_may_not_be_asked_is_not_asked_again(shop):
    links = Links(AiohttpTransport(public_only=True), private=True)
    try:
        with pytest.raises(MediaError, match="lies in a private network") as caught:
            await read(links, f"http://localhost:{shop.server.port}/picture.jpg")
    finally:
        await links.close()
    assert not caught.value.passing


HOSTS = {"shop.example": ["93.184.215.14"], "both.example": ["93.184.215.14", "10.0.0.7"]}


@pytest.mark.parametrize(
    ("link", "may"),
    [
        ("https://shop.example/a.jpg?sig=1", True),
        ("http://93.184.215.14/a.jpg", True),
        ("https://SHOP.example:8443/a.jpg", True),
        ("https://both.example/a.jpg", False),
        ("https://unknown.example/a.jpg", False),
        ("https://anna@shop.example/a.jpg", False),
        ("https://anna:secret@shop.example/a.jpg", False),
        ("https://:secret@shop.example/a.jpg", False),
        ("https://@shop.example/a.jpg", True),
        ("http://10.0.0.7/a.jpg", False),
        ("http://169.254.169.254/a.jpg", False),
        ("http://[fe80::1]/a.jpg", False),
        ("http://[::ffff:10.0.0.1]/a.jpg", False),
        ("http://\uff11\uff12\uff17.0.0.1/a.jpg", False),
        ("http://127%2e0.0.1/a.jpg", False),
        ("http://2130706433/a.jpg", False),
        ("http://files/a.jpg", False),
        ("http://files.corp/a.jpg", False),
        ("http://files.home.arpa./a.jpg", False),
        ("s3://shop.example/a.jpg", False),
        ("http://[", False),
    ],
)
async def test_which_link_a_person_may_read(link, may):
    async def look_up(host):
        if host not in HOSTS:
            raise OSError("unknown")
        return HOSTS[host]

    links = Links(FakeTransport(), private=True, look_up=look_up)

    assert await links.may_be_shown(link) is may


async def test_a_name_that_is_slow_to_look_up_is_shown_to_nobody():
    async def look_up(host):
        await asyncio.sleep(60)

    assert not await Links(FakeTransport(), look_up=look_up).may_be_shown("https://shop.example/")


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


@pytest.mark.skipif(sys.platform == "win32", reason="has permissions of another kind")
async def test_what_is_fetched_is_nobody_elses(shop, make):
    with umask(0):
        async with make(private=True).fetch(shop.url("/picture.jpg")) as fetched:
            assert (mode_of(fetched.path), mode_of(fetched.path.parent)) == ("600", "700")


class Proxy:
    """An HTTP proxy that knows names this machine does not, and each answers with a picture."""

    def __init__(self) -> None:
        self.asked = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, request):
        self.asked.append(request.headers["Host"])
        if there := request.query.get("to"):
            raise web.HTTPFound(there)
        return web.Response(body=b"a picture", content_type="image/jpeg")


@pytest.fixture(params=["127.0.0.1", "localhost"])
async def proxy(request, monkeypatch):
    """The proxy of the environment, which may lie in the own network, by address and by name."""
    proxy = Proxy()
    async with proxy.server:
        monkeypatch.setenv("http_proxy", f"http://{request.param}:{proxy.server.port}")
        monkeypatch.setenv("no_proxy", "intranet.example,127.0.0.9,localhost")
        yield proxy


@pytest.fixture
async def links():
    links = make_links(Settings())
    yield links
    await links.close()


async def test_a_name_that_only_the_proxy_knows_is_fetched_through_it(links, proxy):
    assert await read(links, "http://files.invalid/a.jpg") == (b"a picture", "a.jpg")
    assert proxy.asked == ["files.invalid"]


PRIVATE = "lies in a private network"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1/", PRIVATE),
        ("http://127.1/", PRIVATE),
        ("http://2130706433/", PRIVATE),
        ("http://0x7f000001/", PRIVATE),
        ("http://0177.0.0.1/", PRIVATE),
        ("http://10.0.0.1./", PRIVATE),
        ("http://\uff11\uff12\uff17.0.0.1/", PRIVATE),
        ("http://169.254.169.254/latest/meta-data/", PRIVATE),
        ("http://[::1]/", PRIVATE),
        ("http://[::ffff:10.0.0.1]/", PRIVATE),
        ("http://LOCALHOST/", PRIVATE),
        ("http://localhost./", PRIVATE),
        ("http://admin.localhost/", PRIVATE),
        ("http://127%2e0.0.1/", "is no http or https address"),
        ("http://127.0.0.1%00.files.invalid/", PRIVATE),
        ("http://intranet.example/", "the host is not known"),  # not by proxy
        ("http://somebody@intranet.example/", "the host is not known"),
        ("http://127.0.0.9/", PRIVATE),
    ],
)
async def test_a_proxy_is_not_asked_for_what_is_private(links, proxy, url, problem):
    with pytest.raises(MediaError, match=problem):
        await read(links, url)

    assert proxy.asked == []


async def test_a_proxy_is_not_asked_for_what_this_machine_knows_to_be_private(links, proxy):
    name = socket.gethostname()
    if all(is_public(address[0]) for *_, address in socket.getaddrinfo(name, None)):
        pytest.skip("this machine is on the open internet")

    with pytest.raises(MediaError, match=PRIVATE):
        await read(links, f"http://{name}/")

    assert proxy.asked == []


@pytest.mark.parametrize("there", ["http://10.0.0.1/", "http://localhost/", "http://127.1/"])
async def test_nor_after_a_redirect(links, proxy, there):
    with pytest.raises(MediaError, match=PRIVATE):
        await read(links, f"http://files.invalid/a.jpg?to={there}")

    assert proxy.asked == ["files.invalid"]
