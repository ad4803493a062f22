"""The transport against real servers on a loopback port, well-behaved ones and others."""

import asyncio
import ssl
import traceback
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from support.ports import free_port

from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.transport import File, Form, Request

TLS = Path(__file__).parents[1] / "samples" / "tls"
TOKEN = {"Authorization": "Bearer EAAB-s3cr3t"}


@pytest.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.close()


@asynccontextmanager
async def serving(handler, *, tls=None):
    """Run an aiohttp server that answers everything with *handler*; give its address."""
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(said):
    """Run a server that says *said*, whatever it is asked, and hangs up."""

    async def talk(reader, writer):
        await reader.read(1024)
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def keeping(asked, response=None):
    """Return a handler that keeps what it is asked: the request and its body."""

    async def handler(request):
        asked.append((request, await request.read()))
        return web.json_response({"id": "1"}) if response is None else response

    return handler


async def test_a_request_arrives_as_it_is_and_its_answer_comes_back(transport):
    asked = []
    headers = {**TOKEN, "Content-Type": "application/json"}
    answer = web.Response(status=201, body=b'{"id": "1"}', headers={"Retry-After": "7"})

    async with serving(keeping(asked, answer)) as url:
        response = await transport.send(
            Request("POST", f"{url}/v26.0/106/messages?x=y", headers, '{"ü": 1}'.encode())
        )

    ((request, body),) = asked
    assert (request.method, request.raw_path) == ("POST", "/v26.0/106/messages?x=y")
    assert request.headers["Authorization"] == "Bearer EAAB-s3cr3t"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("rasa-whatsapp-channel/")
    assert body == '{"ü": 1}'.encode()
    assert (response.status, response.body) == (201, b'{"id": "1"}')
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize("where", ["memory", "disk"])
async def test_a_form_arrives_with_its_fields_and_the_file(transport, tmp_path, where):
    parts = []

    async def handler(request):
        async for part in await request.multipart():
            type_ = part.headers.get("Content-Type")
            parts.append((part.name, part.filename, type_, await part.read()))
        assert int(request.headers["Content-Length"]) > 3_000_000
        return web.json_response({"id": "1"})

    picture = b"\x89PNG" + b"x" * 3_000_000
    path = tmp_path / "any name"
    path.write_bytes(picture)
    content = path if where == "disk" else picture
    fields = {"messaging_product": "whatsapp", "type": "image/png"}
    form = Form(fields, File(content, "image/png", "März 1.png"))

    async with serving(handler) as url:
        response = await transport.send(Request("POST", f"{url}/106/media", TOKEN, form))

    assert response.status == 200
    assert [part[:3] for part in parts[:2]] == [
        ("messaging_product", None, "text/plain; charset=utf-8"),
        ("type", None, "text/plain; charset=utf-8"),
    ]
    assert [part[3] for part in parts[:2]] == [b"whatsapp", b"image/png"]
    assert parts[2] == ("file", "März 1.png", "image/png", picture)


async def test_a_file_name_cannot_write_into_the_form(transport):
    asked = []
    name = 'a"\r\nContent-Type: text/html\r\n\\.png'
    form = Form({"type": "image/png"}, File(b"x", "image/png", name))

    async with serving(keeping(asked)) as url:
        await transport.send(Request("POST", url, TOKEN, form))

    ((_, body),) = asked
    assert b'filename="a___Content-Type: text/html___.png"' in body


@pytest.mark.parametrize("where", ["memory", "disk"])
async def test_a_raw_file_arrives_with_its_type_and_length(transport, tmp_path, where):
    asked = []
    song = b"OggS" + b"x" * 3_000_000
    path = tmp_path / "song"
    path.write_bytes(song)
    file = File(path if where == "disk" else song, "audio/ogg; codecs=opus", "song.ogg")

    async with serving(keeping(asked)) as url:
        await transport.send(Request("POST", f"{url}/v1/media", TOKEN, file))

    ((request, body),) = asked
    assert request.headers["Content-Type"] == "audio/ogg; codecs=opus"
    assert request.headers["Content-Length"] == str(len(song))
    assert "Transfer-Encoding" not in request.headers
    assert body == song


@pytest.mark.parametrize("wrap", [lambda file: file, lambda file: Form({}, file)])
async def test_a_file_that_is_not_there_is_an_error_of_the_file(transport, tmp_path, wrap):
    file = File(tmp_path / "gone.png", "image/png", "gone.png")

    with pytest.raises(MediaError, match=r"gone\.png: cannot be read: No such file"):
        await transport.send(Request("POST", "http://127.0.0.1:1", TOKEN, wrap(file)))


async def test_a_download_comes_in_pieces(transport):
    film = b"film" * 500_000

    async def handler(_):
        return web.Response(body=film, content_type="video/mp4")

    async with serving(handler) as url, transport.stream(Request("GET", url)) as answer:
        pieces = [piece async for piece in answer.chunks()]

    assert answer.status == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == "2000000"
    assert b"".join(pieces) == film
    assert len(pieces) > 10


async def test_a_download_may_be_left_before_its_end(transport):
    async def handler(_):
        return web.Response(body=b"film" * 500_000)

    async with serving(handler) as url:
        async with transport.stream(Request("GET", url)) as answer:
            assert answer.status == 200
        assert (await transport.send(Request("GET", url))).status == 200


async def test_an_error_of_who_reads_a_download_stays_what_it_is(transport):
    async with serving(keeping([])) as url:
        with pytest.raises(OSError, match="disk full"):
            async with transport.stream(Request("GET", url)):
                raise OSError("disk full")


async def test_an_answer_that_takes_too_long_is_none(transport):
    gate = asyncio.Event()

    async def handler(_):
        await gate.wait()

    async with serving(handler) as url:
        with pytest.raises(TransportError, match=r"no whole answer within 0\.2 seconds") as caught:
            await transport.send(Request("GET", url, timeout=0.2))
        gate.set()

    assert caught.value.status is None


async def test_a_body_that_takes_too_long_is_none(transport):
    gate = asyncio.Event()

    async def handler(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"half")
        await gate.wait()

    async with serving(handler) as url:
        with pytest.raises(TransportError, match=r"no whole answer within 1 seconds") as caught:
            await transport.send(Request("GET", url, timeout=1.0))
        gate.set()

    assert caught.value.status == 200


async def test_nobody_there_is_an_error(transport):
    url = f"http://127.0.0.1:{free_port()}/v26.0"

    with pytest.raises(TransportError, match=f"^POST {url}: ClientConnectorError") as caught:
        await transport.send(Request("POST", f"{url}?token=x", TOKEN))

    assert caught.value.status is None


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"messages"'


async def test_half_a_body_is_no_answer_but_tells_the_status(transport):
    async with speaking(HALF) as url:
        with pytest.raises(TransportError, match="ClientPayloadError") as caught:
            await transport.send(Request("POST", url, TOKEN, b"{}"))

    assert caught.value.status == 200


async def test_half_a_download_is_an_error_after_what_came(transport):
    pieces = []
    async with speaking(HALF) as url:
        with pytest.raises(TransportError, match="ClientPayloadError"):
            async with transport.stream(Request("GET", url)) as answer:
                pieces += [piece async for piece in answer.chunks()]

    assert answer.status == 200


@pytest.mark.parametrize(
    "said",
    [b"", b"hello", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 OK\r\n\r\n"],
    ids=["nothing", "words", "another protocol", "no status"],
)
async def test_what_is_not_http_is_no_answer(transport, said):
    async with speaking(said) as url:
        with pytest.raises(TransportError, match=f"^GET {url}: "):
            await transport.send(Request("GET", url))


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://h/x", "http://", "http://a b/", "http://["])
async def test_what_is_no_address_is_an_error(transport, url):
    with pytest.raises(TransportError, match="GET"):
        await transport.send(Request("GET", url))


async def test_a_header_that_cannot_be_sent_is_an_error(transport):
    async with serving(keeping([])) as url:
        with pytest.raises(TransportError):
            await transport.send(Request("GET", url, {"Authorization": "Bearer a\r\nX: y"}))


@pytest.mark.parametrize("said", [b"hello", HALF], ids=["garbage", "half"])
async def test_no_error_tells_the_token_or_the_query(transport, said):
    async with speaking(said) as url:
        with pytest.raises(TransportError) as caught:
            await transport.send(Request("GET", f"{url}/media?hash=s3cr3t", TOKEN))

    assert "s3cr3t" not in str(caught.value)
    assert "EAAB" not in "".join(traceback.format_exception(None, caught.value, None))
    assert str(caught.value).startswith(f"GET {url}/media: ")


async def test_a_redirect_is_an_answer_and_the_token_stays_here(transport):
    asked = []
    elsewhere = web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(keeping(asked, elsewhere)) as url:
        response = await transport.send(Request("GET", f"{url}/here", TOKEN))

    assert response.status == 302
    assert [request.path for request, _ in asked] == ["/here"]


async def test_connections_are_kept_and_cookies_are_not(transport):
    seen = []

    async def handler(request):
        seen.append((request.transport.get_extra_info("peername"), request.headers.get("Cookie")))
        answer = web.json_response({})
        answer.set_cookie("user", "1")
        return answer

    async with serving(handler) as url:
        await transport.send(Request("GET", url))
        await transport.send(Request("GET", url))

    assert seen[0] == seen[1]
    assert seen[1][1] is None


async def test_a_file_of_passwords_does_not_change_the_token(transport, tmp_path, monkeypatch):
    asked = []
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async with serving(keeping(asked)) as url:
        await transport.send(Request("GET", url, TOKEN))

    assert asked[0][0].headers["Authorization"] == "Bearer EAAB-s3cr3t"


async def test_the_proxy_of_the_environment_is_used(transport, monkeypatch):
    asked = []
    async with serving(keeping(asked)) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        response = await transport.send(Request("GET", "http://graph.example/v26.0/1", TOKEN))

        assert response.status == 200
        assert asked[0][0].headers["Host"] == "graph.example"
        # but not for hosts that the environment excludes
        assert (await transport.send(Request("GET", f"{proxy}/direct"))).status == 200
        assert asked[1][0].headers["Host"] == proxy.removeprefix("http://")


def own_certificate():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "localhost.crt", TLS / "localhost.key")
    return context


async def status_at(transport, url):
    try:
        return (await transport.send(Request("GET", url))).status
    finally:
        await transport.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused():
    async with serving(keeping([]), tls=own_certificate()) as url:
        with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            await status_at(AiohttpTransport(), url)


async def test_a_certificate_in_the_ca_file_is_trusted():
    async with serving(keeping([]), tls=own_certificate()) as url:
        assert await status_at(AiohttpTransport(ca_file=str(TLS / "localhost.crt")), url) == 200


async def test_the_check_of_certificates_can_be_switched_off():
    async with serving(keeping([]), tls=own_certificate()) as url:
        assert await status_at(AiohttpTransport(verify_tls=False), url) == 200


@pytest.mark.parametrize("name", ["gone.pem", "README.md"])
def test_a_ca_file_that_is_none_is_refused_at_the_start(name):
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        AiohttpTransport(ca_file=str(TLS / name))


async def test_a_transport_can_be_closed_unused_twice_and_used_again(transport):
    await transport.close()
    await transport.close()

    async with serving(keeping([])) as url:
        assert (await transport.send(Request("GET", url))).status == 200
        await transport.close()
        assert (await transport.send(Request("GET", url))).status == 200
