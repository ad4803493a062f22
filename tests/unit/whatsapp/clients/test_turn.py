"""Turn.io: on-premises bodies and media, a token that lasts, Cloud codes, rate headers."""

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import TURN
from rasa_whatsapp_channel.whatsapp.clients import TurnClient
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.messages import Text
from rasa_whatsapp_channel.whatsapp.transport import File

NOW = 1_533_715_100.0


def client_of(transport):
    return TurnClient(transport, access_token="eyJ", clock=lambda: NOW)


async def test_media_goes_up_as_it_is():
    transport = FakeTransport(answer({"media": [{"id": "8a1b0c3d"}]}, status=201))
    file = File(b"\x89PNG", "image/png", "chart.png")

    assert await client_of(transport).upload(file) == "8a1b0c3d"

    (request,) = transport.requests
    assert request.url == "https://whatsapp.turn.io/v1/media"
    assert request.headers == {"Authorization": "Bearer eyJ"}
    assert request.body == file


async def test_media_comes_down_as_it_is():
    transport = FakeTransport(answer(b"picture"))

    async with client_of(transport).download("8a1b0c3d") as download:
        assert b"".join([chunk async for chunk in download.chunks]) == b"picture"

    assert transport.requests[0].url == "https://whatsapp.turn.io/v1/media/8a1b0c3d"


@pytest.mark.parametrize(
    "response",
    [
        {
            "text": "Our offer",
            "image": "https://foo.bar/image.jpg",
            "buttons": [{"type": "web_url", "title": "Look", "url": "https://foo.bar"}],
        },
        {
            "custom": {
                "type": "interactive",
                "interactive": {
                    "type": "cta_url",
                    "header": {"type": "image", "image": {"link": "https://foo.bar/image.jpg"}},
                    "body": {"text": "Our offer"},
                    "action": {
                        "name": "cta_url",
                        "parameters": {"display_text": "Look", "url": "https://foo.bar"},
                    },
                },
            }
        },
    ],
)
def test_a_picture_stands_above_a_link_button(response):
    """As the Turn handler of nyaruka/courier sends it."""
    composed = compose(response, api=TURN)

    (outgoing,) = composed.messages
    assert composed.changes == ()
    assert client_of(FakeTransport()).body("250788383383", outgoing.message) == {
        "recipient_type": "individual",
        "to": "250788383383",
        "type": "interactive",
        "interactive": {
            "type": "cta_url",
            "header": {"type": "image", "image": {"link": "https://foo.bar/image.jpg"}},
            "body": {"text": "Our offer"},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "Look", "url": "https://foo.bar"},
            },
        },
    }


async def test_nothing_is_asked_to_mark_a_message_as_read():
    transport = FakeTransport()

    await client_of(transport).mark_read("ABGG", typing=True)

    assert transport.requests == []


@pytest.mark.parametrize(
    ("status", "body", "words", "verdict"),
    [
        (
            400,
            {"errors": [{"code": -1, "title": "Bad Request", "details": "invalid key"}]},
            "HTTP 400, -1 Bad Request: invalid key",
            Verdict.DO_NOT_RETRY,
        ),
        (
            200,
            {"errors": [{"code": 131053, "title": "Media upload error"}]},
            "HTTP 200, 131053 Media upload error",
            Verdict.FIX_AND_RETRY,
        ),
        (
            200,
            {"errors": [{"code": 131047, "title": "Re-engagement message"}]},
            "HTTP 200, 131047 Re-engagement message",
            Verdict.FIX_AND_RETRY,
        ),
        (
            400,
            {"error": {"message": "(#131056) Pair rate limit hit", "code": 131056}},
            "HTTP 400, 131056 .#131056. Pair rate limit hit",
            Verdict.RETRY,
        ),
    ],
)
async def test_errors_come_in_two_shapes_with_the_codes_of_the_cloud(status, body, words, verdict):
    transport = FakeTransport(answer(body, status=status))

    with pytest.raises(APIError, match=words) as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is verdict


async def test_a_full_bucket_says_when_it_is_empty_again():
    full = {"errors": [{"code": 429, "title": "Rate limit hit"}]}
    headers = {
        "x-ratelimit-bucket": "text",
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1533715145",
    }
    transport = FakeTransport(answer(full, status=429, headers=headers))

    with pytest.raises(APIError) as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.RETRY
    assert caught.value.retry_after == 45.0
