"""The Cloud API: addresses, media by URL, read and typing."""

import json

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.whatsapp.clients import CloudClient, Dialog360Client, MediaInfo
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.messages import Text, parse
from rasa_whatsapp_channel.whatsapp.transport import File, Form

TOKEN = {"Authorization": "Bearer EAAB"}
SENT = answer({"messages": [{"id": "wamid.1"}]})
URL = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=133&ext=174&hash=ARA"
INFO = answer(
    {
        "messaging_product": "whatsapp",
        "url": URL,
        "mime_type": "image/jpeg",
        "sha256": "6a95165c6d2ffcc7",
        "file_size": 9,
        "id": "2621233374848975",
    }
)
PICTURE = answer(b"\xff\xd8picture", headers={"content-type": "image/jpeg", "content-length": "9"})
GONE = answer({"error": {"message": "Media not found", "code": 100}}, status=404)


def client_of(transport, **settings):
    return CloudClient(
        transport, **{"phone_number_id": "106540", "access_token": "EAAB", **settings}
    )


async def read(download):
    return b"".join([chunk async for chunk in download.chunks])


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://graph.facebook.com/v26.0/106540/messages"),
        ({"api_version": "v24.0"}, "https://graph.facebook.com/v24.0/106540/messages"),
        ({"api_version": ""}, "https://graph.facebook.com/106540/messages"),
        ({"base_url": "http://127.0.0.1:8400/"}, "http://127.0.0.1:8400/v26.0/106540/messages"),
    ],
)
async def test_where_messages_go(settings, url):
    transport = FakeTransport(SENT)

    await client_of(transport, **settings).send("16505551234", Text("Hello"))

    assert transport.requests[0].url == url


@pytest.mark.parametrize(
    "beside", [{"product_policy": "STRICT"}, {"message_activity_sharing": True}]
)
async def test_a_marketing_message_goes_to_an_endpoint_of_its_own(beside):
    transport = FakeTransport(SENT)
    template = {"name": "welcome_offer", "language": {"code": "en"}}

    message = parse({"type": "template", "template": template, **beside})
    await client_of(transport).send("16505551234", message, callback_data="wamid.in:0")

    (request,) = transport.requests
    assert request.url == "https://graph.facebook.com/v26.0/106540/marketing_messages"
    assert json.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "16505551234",
        "type": "template",
        "template": template,
        "biz_opaque_callback_data": "wamid.in:0",
        **beside,
    }


@pytest.mark.parametrize(
    ("recipient_id", "address"),
    [
        ("16505551234", {"recipient_type": "individual", "to": "16505551234"}),
        ("US.1349", {"recipient_type": "individual", "recipient": "US.1349"}),
        ("Y2FwaV9ncm91cDox", {"recipient_type": "group", "to": "Y2FwaV9ncm91cDox"}),
    ],
)
def test_a_person_or_a_group_is_written_to(recipient_id, address):
    body = client_of(FakeTransport()).body(recipient_id, Text("Hello"))

    assert address.items() <= body.items()


async def test_an_upload_is_a_form_with_its_type_and_the_file():
    transport = FakeTransport(answer({"id": "4490709327384033"}))
    file = File(b"%PDF", "application/pdf", "invoice.pdf")

    await client_of(transport).upload(file)

    (request,) = transport.requests
    fields = {"messaging_product": "whatsapp", "type": "application/pdf"}
    assert request.url == "https://graph.facebook.com/v26.0/106540/media"
    assert request.body == Form(fields, file)


async def test_what_is_known_of_a_media_id():
    transport = FakeTransport(INFO)

    info = await client_of(transport).media_info("2621233374848975")

    (request,) = transport.requests
    assert (request.method, request.headers) == ("GET", TOKEN)
    assert request.url == "https://graph.facebook.com/v26.0/2621233374848975"
    assert info == MediaInfo("2621233374848975", URL, "image/jpeg", "6a95165c6d2ffcc7", 9)


async def test_a_download_asks_for_the_url_and_shows_the_token_there():
    transport = FakeTransport(INFO, PICTURE)

    async with client_of(transport).download("2621233374848975") as download:
        picture = await read(download)

    assert picture == b"\xff\xd8picture"
    assert (download.mime_type, download.size) == ("image/jpeg", 9)
    assert [request.url for request in transport.requests] == [
        "https://graph.facebook.com/v26.0/2621233374848975",
        URL,
    ]
    assert transport.requests[1].headers == TOKEN


async def test_a_url_from_the_webhook_saves_a_request():
    transport = FakeTransport(PICTURE)

    async with client_of(transport).download("2621233374848975", url=URL) as download:
        assert await read(download) == b"\xff\xd8picture"

    assert [request.url for request in transport.requests] == [URL]


async def test_a_url_that_is_too_old_is_replaced_by_a_new_one():
    transport = FakeTransport(GONE, INFO, PICTURE)

    async with client_of(transport).download("2621233374848975", url=f"{URL}&old") as download:
        assert await read(download) == b"\xff\xd8picture"

    assert [request.url for request in transport.requests] == [
        f"{URL}&old",
        "https://graph.facebook.com/v26.0/2621233374848975",
        URL,
    ]


async def test_media_that_is_gone_is_an_error():
    transport = FakeTransport(GONE, INFO, GONE)

    with pytest.raises(APIError, match="HTTP 404, 100 Media not found") as caught:
        async with client_of(transport).download("2621233374848975", url=URL):
            pass

    assert caught.value.verdict is Verdict.FIX_AND_RETRY


async def test_what_goes_wrong_while_reading_is_not_mistaken_for_an_old_url():
    transport = FakeTransport(PICTURE)
    other = APIError(
        PlatformError(100, "of another call"), status=400, verdict=Verdict.DO_NOT_RETRY
    )

    with pytest.raises(APIError, match="of another call"):
        async with client_of(transport).download("1", url=URL):
            raise other

    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/whatsapp_business/attachments/?mid=133",
        "https://lookaside.fbsbx.com@evil.example/?mid=133",
        "http://lookaside.fbsbx.com/?mid=133",
    ],
)
async def test_the_token_goes_to_no_other_host(url):
    transport = FakeTransport(PICTURE)

    async with client_of(transport).download("1", url=url) as download:
        assert await read(download) == b"\xff\xd8picture"

    assert transport.requests[0].headers == {}


async def test_the_token_goes_to_the_host_of_another_base_url():
    transport = FakeTransport(PICTURE)
    client = client_of(transport, base_url="http://127.0.0.1:8400")

    async with client.download("1", url="http://127.0.0.1:8400/files/1?x=y"):
        pass

    assert transport.requests[0].headers == TOKEN


async def test_packed_bytes_do_not_tell_the_size_of_the_file():
    packed = {"content-length": "5", "content-encoding": "gzip"}
    transport = FakeTransport(answer(b"123456789", headers=packed))

    async with client_of(transport).download("1", url=URL) as download:
        assert download.size is None


async def test_an_error_page_as_long_as_a_film_is_not_read_to_its_end():
    transport = FakeTransport(answer(b"x" * 10_000_000, status=502), INFO, PICTURE)

    async with client_of(transport).download("1", url=URL) as download:
        assert await read(download) == b"\xff\xd8picture"


async def test_a_message_is_marked_as_read():
    transport = FakeTransport(answer({"success": True}))

    await client_of(transport).mark_read("wamid.HBgL")

    assert transport.requests[0].url == "https://graph.facebook.com/v26.0/106540/messages"
    assert transport.bodies == [
        {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL"}
    ]


@pytest.mark.parametrize(
    ("client", "url"),
    [
        (client_of, "https://graph.facebook.com/v26.0/106540/calls"),
        (
            lambda transport: Dialog360Client(transport, access_token="k"),
            "https://waba-v2.360dialog.io/calls",
        ),
    ],
)
async def test_a_call_is_rejected(client, url):
    transport = FakeTransport(answer({"success": True}))

    await client(transport).act_on_call("wacid.ABGG", "reject")

    assert transport.requests[0].url == url
    assert transport.bodies == [
        {"messaging_product": "whatsapp", "call_id": "wacid.ABGG", "action": "reject"}
    ]


async def test_typing_shows_together_with_read():
    transport = FakeTransport(answer({"success": True}))

    await client_of(transport).mark_read("wamid.HBgL", typing=True)

    assert transport.bodies == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.HBgL",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_a_token_that_ended_is_for_a_person_to_replace():
    expired = {
        "error": {
            "message": "Error validating access token: Session has expired",
            "type": "OAuthException",
            "code": 190,
            "error_subcode": 463,
            "fbtrace_id": "A",
        }
    }
    transport = FakeTransport(answer(expired, status=401))

    with pytest.raises(APIError, match="190 Error validating access token") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.REFRESH_TOKEN
    assert len(transport.requests) == 1


async def test_media_information_without_an_address_is_no_answer():
    transport = FakeTransport(answer({"id": "1"}))

    with pytest.raises(TransportError):
        await client_of(transport).media_info("1")
