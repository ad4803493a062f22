"""The on-premises client: logging in, renewing the token, raw media, read by PUT."""

import asyncio
import json

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.whatsapp.clients import MediaInfo, OnPremisesClient
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, TransportError
from rasa_whatsapp_channel.whatsapp.messages import Text
from rasa_whatsapp_channel.whatsapp.transport import File

DAY = 86_400
SENT = answer({"messages": [{"id": "gBEG"}]}, status=201)
EXPIRED = answer(
    {"errors": [{"code": 1005, "title": "Access denied", "details": "Invalid credentials."}]},
    status=401,
)


class Clock:
    now = 1_519_313_366.0  # 2018-02-22 15:29:26 UTC, seven days before WEEK

    def __call__(self):
        return self.now


WEEK = "2018-03-01 15:29:26+00:00"


def token(text, until=WEEK):
    return answer({"users": [{"token": text, "expires_after": until}], "meta": {}})


def client_of(transport, clock=None):
    return OnPremisesClient(
        transport,
        base_url="https://wa.example:9090",
        username="admin",
        password="pässword",
        clock=clock or Clock(),
    )


def asked(transport):
    return [
        (request.method, request.url.removeprefix("https://wa.example:9090"))
        for request in transport.requests
    ]


def proofs(transport):
    return [request.headers["Authorization"] for request in transport.requests]


async def test_the_first_request_logs_in_and_the_next_ones_do_not():
    transport = FakeTransport(token("eyJ1"), SENT, SENT)
    client = client_of(transport)

    await client.send("16505551234", Text("one"))
    await client.send("16505551234", Text("two"))

    assert asked(transport) == [
        ("POST", "/v1/users/login"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages"),
    ]
    # base64 of "admin:pässword" in UTF-8
    assert proofs(transport) == ["Basic YWRtaW46cMOkc3N3b3Jk", "Bearer eyJ1", "Bearer eyJ1"]
    assert transport.requests[0].body is None


@pytest.mark.parametrize("base_url", ["https://wa.example:9090/", "https://wa.example:9090/v1"])
async def test_the_address_may_end_as_people_write_it(base_url):
    transport = FakeTransport(token("eyJ1"), SENT)
    client = OnPremisesClient(transport, base_url=base_url, username="u", password="p")

    await client.send("16505551234", Text("Hello"))

    assert transport.requests[0].url == "https://wa.example:9090/v1/users/login"
    assert transport.requests[1].url == "https://wa.example:9090/v1/messages"


async def test_the_token_is_renewed_before_it_ends():
    clock = Clock()
    transport = FakeTransport(token("eyJ1"), SENT, SENT, token("eyJ2", "2018-03-08"), SENT)
    client = client_of(transport, clock)

    await client.send("16505551234", Text("one"))
    clock.now += 6 * DAY
    await client.send("16505551234", Text("two"))
    clock.now += DAY - 3600
    await client.send("16505551234", Text("three"))

    assert proofs(transport)[1:] == [
        "Bearer eyJ1",
        "Bearer eyJ1",
        "Basic YWRtaW46cMOkc3N3b3Jk",
        "Bearer eyJ2",
    ]


@pytest.mark.parametrize("until", [None, "", "soon", 7, "2018-03-01"])
async def test_an_end_in_another_form_is_no_reason_to_fail(until):
    transport = FakeTransport(token("eyJ1", until), SENT, SENT)
    client = client_of(transport)

    await client.send("16505551234", Text("one"))
    await client.send("16505551234", Text("two"))

    assert proofs(transport)[1:] == ["Bearer eyJ1", "Bearer eyJ1"]


async def test_a_token_that_is_refused_is_renewed_once():
    transport = FakeTransport(token("eyJ1"), EXPIRED, token("eyJ2"), SENT)

    message_id = (await client_of(transport).send("16505551234", Text("Hello"))).message_id

    assert message_id == "gBEG"
    assert asked(transport) == [
        ("POST", "/v1/users/login"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/users/login"),
        ("POST", "/v1/messages"),
    ]
    assert proofs(transport)[3] == "Bearer eyJ2"


async def test_a_new_token_that_is_refused_as_well_is_an_error():
    transport = FakeTransport(token("eyJ1"), EXPIRED, token("eyJ2"), EXPIRED)

    with pytest.raises(APIError, match="1005 Access denied: Invalid credentials") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.REFRESH_TOKEN


async def test_a_wrong_password_is_tried_only_once():
    transport = FakeTransport(EXPIRED)

    with pytest.raises(APIError, match="HTTP 401, 1005 Access denied") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.REFRESH_TOKEN
    assert len(transport.requests) == 1


async def test_the_first_login_ever_says_what_the_operator_must_do():
    refusal = {"errors": [{"code": 1024, "title": "Password Change Required"}]}
    transport = FakeTransport(answer(refusal, status=403))

    with pytest.raises(APIError, match="1024 Password Change Required: this user never") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert '{"new_password": "…"}' in str(caught.value)
    assert caught.value.verdict is Verdict.REFRESH_TOKEN


@pytest.mark.parametrize("body", [{}, {"users": []}, {"users": [{}]}, {"users": [{"token": ""}]}])
async def test_a_login_without_a_token_may_be_tried_again(body):
    transport = FakeTransport(answer(body), token("eyJ1"), SENT)
    client = client_of(transport)

    with pytest.raises(TransportError, match="holds no token"):
        await client.send("16505551234", Text("Hello"))

    assert (await client.send("16505551234", Text("Hello"))).message_id == "gBEG"


async def test_half_an_answer_to_the_login_sent_no_message_and_may_be_tried_again():
    half = TransportError("POST https://wa.example: broken off", status=200)
    transport = FakeTransport(half, token("eyJ1"), SENT)
    client = client_of(transport)

    with pytest.raises(TransportError) as caught:
        await client.send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.RETRY
    assert (await client.send("16505551234", Text("Hello"))).message_id == "gBEG"


@pytest.mark.parametrize(
    "failed",
    [
        TransportError("no answer", timed_out=True),
        TransportError("broken off", status=200),
        answer({}),
    ],
)
@pytest.mark.parametrize("before", [[], [token("eyJ1"), EXPIRED]])
async def test_where_the_login_fails_the_message_was_not_sent(failed, before):
    transport = FakeTransport(*before, failed)

    with pytest.raises(TransportError, match="the login failed") as caught:
        await client_of(transport).send("16505551234", Text("Hello"))

    assert (caught.value.reached, caught.value.timed_out, caught.value.status) == (
        False,
        False,
        None,
    )


class SlowTransport(FakeTransport):
    async def send(self, request):
        await asyncio.sleep(0)
        return await super().send(request)


async def test_many_messages_at_once_log_in_only_once():
    class Server(SlowTransport):
        def _next(self, request):
            login = request.url.endswith("/login")
            self.answers = [token("eyJ1") if login else SENT]
            return super()._next(request)

    transport = Server()
    client = client_of(transport)

    await asyncio.gather(*(client.send("16505551234", Text("Hello")) for _ in range(20)))

    assert asked(transport).count(("POST", "/v1/users/login")) == 1


async def test_many_refused_at_once_log_in_only_once_more():
    class Server(SlowTransport):
        """Takes the second token only."""

        def _next(self, request):
            if request.url.endswith("/login"):
                self.answers = [token(f"eyJ{proofs(self).count('Basic YWRtaW46cMOkc3N3b3Jk')}")]
            else:
                self.answers = [SENT if request.headers["Authorization"].endswith("1") else EXPIRED]
            return super()._next(request)

    transport = Server()
    client = client_of(transport)

    await asyncio.gather(*(client.send("16505551234", Text("Hello")) for _ in range(20)))

    assert asked(transport).count(("POST", "/v1/users/login")) == 2


async def test_media_goes_up_as_it_is():
    transport = FakeTransport(token("eyJ1"), answer({"media": [{"id": "f043afd0"}]}))
    file = File(b"OggS", "audio/ogg; codecs=opus", "song.ogg")

    assert await client_of(transport).upload(file) == "f043afd0"
    assert asked(transport)[1] == ("POST", "/v1/media")
    assert transport.requests[1].body == file


async def test_media_comes_down_as_it_is_whatever_url_the_webhook_had():
    picture = answer(b"picture", headers={"content-type": "image/jpeg", "content-length": "7"})
    transport = FakeTransport(token("eyJ1"), picture)

    async with client_of(transport).download("f043afd0", url="https://elsewhere/x") as download:
        assert b"".join([chunk async for chunk in download.chunks]) == b"picture"

    assert (download.mime_type, download.size) == ("image/jpeg", 7)
    assert asked(transport)[1] == ("GET", "/v1/media/f043afd0")
    assert proofs(transport)[1] == "Bearer eyJ1"


async def test_a_download_renews_the_token_too():
    transport = FakeTransport(token("eyJ1"), EXPIRED, token("eyJ2"), answer(b"picture"))

    async with client_of(transport).download("f043afd0") as download:
        assert b"".join([chunk async for chunk in download.chunks]) == b"picture"

    assert proofs(transport)[-1] == "Bearer eyJ2"


async def test_the_headers_of_a_download_tell_what_is_known_of_a_media_id():
    picture = answer(b"picture", headers={"content-type": "image/jpeg", "content-length": "7"})
    transport = FakeTransport(token("eyJ1"), picture)

    info = await client_of(transport).media_info("f043afd0")

    assert info == MediaInfo("f043afd0", mime_type="image/jpeg", size=7)


async def test_media_that_is_gone_is_an_error():
    gone = {"errors": [{"code": 1006, "title": "Resource not found"}]}
    transport = FakeTransport(token("eyJ1"), answer(gone, status=404))

    with pytest.raises(APIError, match="1006 Resource not found"):
        async with client_of(transport).download("f043afd0"):
            pass


@pytest.mark.parametrize("typing", [False, True])
async def test_a_message_is_marked_as_read_and_typing_is_not_known(typing):
    transport = FakeTransport(token("eyJ1"), answer(b"null"))

    await client_of(transport).mark_read("ABGGFlA5FpafAgo6tHcNmNjXmuSf", typing=typing)

    assert asked(transport)[1] == ("PUT", "/v1/messages/ABGGFlA5FpafAgo6tHcNmNjXmuSf")
    assert json.loads(transport.requests[1].body) == {"status": "read"}


async def test_media_is_deleted_below_media():
    transport = FakeTransport(token("eyJ1"), answer({}))

    await client_of(transport).delete_media("f043afd0")

    assert asked(transport)[1] == ("DELETE", "/v1/media/f043afd0")
