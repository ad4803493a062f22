"""360dialog: Cloud bodies, its own key, and media from its own host."""

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.whatsapp.clients import Dialog360Client
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.messages import Text
from rasa_whatsapp_channel.whatsapp.transport import File, Form

KEY = {"D360-API-KEY": "k3y"}
META = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=133&ext=174&hash=ARA"
MIRRORED = "https://waba-v2.360dialog.io/whatsapp_business/attachments/?mid=133&ext=174&hash=ARA"
PICTURE = answer(b"picture", headers={"content-type": "image/jpeg"})


def client_of(transport, **settings):
    return Dialog360Client(transport, access_token="k3y", **settings)


async def test_an_upload_is_a_form_with_its_type_and_the_file():
    transport = FakeTransport(answer({"id": "4490709327384033"}))
    file = File(b"OggS", "audio/ogg", "song.ogg")

    await client_of(transport).upload(file)

    (request,) = transport.requests
    assert request.url == "https://waba-v2.360dialog.io/media"
    assert request.body == Form({"messaging_product": "whatsapp", "type": "audio/ogg"}, file)


async def test_media_is_fetched_from_360dialog_instead_of_meta():
    transport = FakeTransport(answer({"id": "42", "url": META}), PICTURE)

    async with client_of(transport).download("42") as download:
        assert [chunk async for chunk in download.chunks] == [b"pict", b"ure"]

    assert [request.url for request in transport.requests] == [
        "https://waba-v2.360dialog.io/42",
        MIRRORED,
    ]
    assert all(request.headers == KEY for request in transport.requests)


async def test_a_url_from_the_webhook_is_fetched_from_360dialog_too():
    transport = FakeTransport(PICTURE)

    async with client_of(transport).download("42", url=META):
        pass

    assert transport.requests[0].url == MIRRORED


async def test_with_another_base_url_media_comes_from_there():
    transport = FakeTransport(PICTURE)
    client = client_of(transport, base_url="http://127.0.0.1:8400/d360/")

    async with client.download("42", url=META):
        pass

    (request,) = transport.requests
    assert request.url.startswith("http://127.0.0.1:8400/d360/whatsapp_business/attachments/?mid=")
    assert request.headers == KEY


@pytest.mark.parametrize(
    "url", ["https://cdn.example/x", "https://graph.facebook.com/x", "https://lookaside.fbsbx.com"]
)
async def test_the_key_goes_to_no_other_host(url):
    transport = FakeTransport(PICTURE)

    async with client_of(transport).download("42", url=url):
        pass

    assert transport.requests[0].url == url
    assert transport.requests[0].headers == {}


async def test_typing_shows_together_with_read():
    transport = FakeTransport(answer({"success": True}))

    await client_of(transport).mark_read("wamid.HBgL", typing=True)

    assert transport.requests[0].url == "https://waba-v2.360dialog.io/messages"
    assert transport.bodies == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.HBgL",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_an_error_of_the_gateway_is_read():
    refusal = {"meta": {"http_code": 401, "developer_message": "Invalid api key", "success": False}}
    transport = FakeTransport(answer(refusal, status=401))

    with pytest.raises(APIError, match="HTTP 401, 401 Invalid api key") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.REFRESH_TOKEN
