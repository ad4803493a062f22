"""What every client promises, whichever API it speaks."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.whatsapp.clients import (
    Client,
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.clients.requests import is_loopback
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    InvalidMessage,
    MediaError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.messages import Image, Media, Text
from rasa_whatsapp_channel.whatsapp.transport import File, Response

NOW = 1_700_000_000.0
SECRET = "EAAB-s3cr3t"
LOGIN = answer(
    {"users": [{"token": SECRET, "expires_after": "2023-11-21 22:13:20+00:00"}]},
)


@dataclass(frozen=True)
class Spoken:
    """One API: how its client is made, what stands in its requests, how it answers."""

    name: str
    make: Callable[[FakeTransport], Client]
    proof: tuple[str, str]
    messages_url: str
    media_url: str
    sent: Any = field(default_factory=dict)
    uploaded: Any = field(default_factory=dict)
    busy: Any = field(default_factory=dict)
    login: tuple[Response, ...] = ()

    def __str__(self) -> str:
        return self.name


CLOUD_SENT = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "16505551234", "wa_id": "16505551234"}],
    "messages": [{"id": "wamid.HBgLMTY1MDU1NTEyMzQ="}],
}
CLOUD_BUSY = {
    "error": {
        "message": "(#130429) Rate limit hit",
        "type": "OAuthException",
        "code": 130429,
        "fbtrace_id": "A1",
    }
}
V1_SENT = {
    "messages": [{"id": "wamid.HBgLMTY1MDU1NTEyMzQ="}],
    "meta": {"api_status": "stable", "version": "2.53.1"},
}
V1_UPLOADED = {"media": [{"id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68"}]}

SPOKEN = [
    Spoken(
        "cloud",
        lambda transport: CloudClient(
            transport,
            phone_number_id="106540352242922",
            access_token=SECRET,
            clock=lambda: NOW,
        ),
        proof=("Authorization", f"Bearer {SECRET}"),
        messages_url="https://graph.facebook.com/v26.0/106540352242922/messages",
        media_url="https://graph.facebook.com/v26.0/106540352242922/media",
        sent=CLOUD_SENT,
        uploaded={"id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68"},
        busy=CLOUD_BUSY,
    ),
    Spoken(
        "360dialog",
        lambda transport: Dialog360Client(transport, access_token=SECRET, clock=lambda: NOW),
        proof=("D360-API-KEY", SECRET),
        messages_url="https://waba-v2.360dialog.io/messages",
        media_url="https://waba-v2.360dialog.io/media",
        sent=CLOUD_SENT,
        uploaded={"id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68"},
        busy=CLOUD_BUSY,
    ),
    Spoken(
        "on_premises",
        lambda transport: OnPremisesClient(
            transport,
            base_url="https://wa.example:9090",
            username="bot",
            password="hunter2-s3cr3t",
            clock=lambda: NOW,
        ),
        proof=("Authorization", f"Bearer {SECRET}"),
        messages_url="https://wa.example:9090/v1/messages",
        media_url="https://wa.example:9090/v1/media",
        sent=V1_SENT,
        uploaded=V1_UPLOADED,
        busy={"errors": [{"code": 1015, "title": "Too many requests"}]},
        login=(LOGIN,),
    ),
    Spoken(
        "turn",
        lambda transport: TurnClient(transport, access_token=SECRET, clock=lambda: NOW),
        proof=("Authorization", f"Bearer {SECRET}"),
        messages_url="https://whatsapp.turn.io/v1/messages",
        media_url="https://whatsapp.turn.io/v1/media",
        sent=V1_SENT,
        uploaded=V1_UPLOADED,
        busy={"errors": [{"code": 429, "title": "Rate limit hit"}]},
    ),
]
HERE = "http://127.0.0.1:8400"
SPOKEN_HERE: dict[str, Callable[[FakeTransport], Client]] = {
    "cloud": lambda transport: CloudClient(
        transport, base_url=HERE, phone_number_id="106540352242922", access_token=SECRET
    ),
    "360dialog": lambda transport: Dialog360Client(transport, base_url=HERE, access_token=SECRET),
    "on_premises": lambda transport: OnPremisesClient(
        transport, base_url=HERE, username="bot", password="hunter2-s3cr3t", clock=lambda: NOW
    ),
    "turn": lambda transport: TurnClient(transport, base_url=HERE, access_token=SECRET),
}
every_api = pytest.mark.parametrize("spoken", SPOKEN, ids=str)


def talk(spoken: Spoken, *answers: Response | Exception) -> tuple[Client, FakeTransport]:
    transport = FakeTransport(*spoken.login, *answers)
    return spoken.make(transport), transport


@every_api
async def test_a_message_is_posted_with_the_proof_of_who_sends_it(spoken):
    client, transport = talk(spoken, answer(spoken.sent))

    message_id = (await client.send("16505551234", Text("Grüße 👋"))).message_id

    request = transport.requests[-1]
    name, value = spoken.proof
    assert message_id == "wamid.HBgLMTY1MDU1NTEyMzQ="
    assert (request.method, request.url) == ("POST", spoken.messages_url)
    assert request.headers == {name: value, "Content-Type": "application/json"}
    assert json.loads(request.body) == client.body("16505551234", Text("Grüße 👋"))
    assert "Grüße 👋".encode() in request.body


LOCAL = {"X-Local": "utter_x"}


@every_api
async def test_a_header_for_the_simulator_goes_to_no_host_but_this_one(spoken):
    client, transport = talk(spoken, answer(spoken.sent))

    await client.send("16505551234", Text("Hello"), local_headers=LOCAL)

    assert "utter_x" not in repr([(each.headers, each.body) for each in transport.requests])


@every_api
async def test_a_simulator_on_this_machine_gets_its_header_with_the_message(spoken):
    here = FakeTransport(*spoken.login, answer(spoken.sent))
    client = SPOKEN_HERE[spoken.name](here)

    await client.send("16505551234", Text("Hello"), local_headers=LOCAL)

    assert here.requests[-1].headers["X-Local"] == "utter_x"


DEAD_LETTER = {"to": "16505551234", "reason": "no such file", "body": {"type": "text"}}


@every_api
async def test_a_simulator_on_this_machine_is_told_of_dead_letters_without_the_token(spoken):
    here = FakeTransport(answer({"noted": True}))
    client = SPOKEN_HERE[spoken.name](here)

    await client.post_local("/simulator/dead-letters", DEAD_LETTER)

    (request,) = here.requests
    address = urlsplit(request.url)
    assert (request.method, address.path) == ("POST", "/simulator/dead-letters")
    assert is_loopback(request.url)
    assert json.loads(request.body) == DEAD_LETTER
    assert request.headers == {"Content-Type": "application/json"}


@every_api
async def test_whatsapp_is_told_nothing_of_what_is_a_dead_letter(spoken):
    client, transport = talk(spoken)

    await client.post_local("/simulator/dead-letters", DEAD_LETTER)

    assert transport.requests == []


@every_api
async def test_whether_a_simulator_hears_of_dead_letters_does_not_matter(spoken):
    here = FakeTransport(TransportError("nobody is there", reached=False))

    await SPOKEN_HERE[spoken.name](here).post_local("/simulator/dead-letters", DEAD_LETTER)


@every_api
@pytest.mark.parametrize("status", [200, 201])
async def test_any_2xx_is_a_success(spoken, status):
    client, _ = talk(spoken, answer(spoken.sent, status=status))

    assert (
        await client.send("16505551234", Text("Hello"))
    ).message_id == "wamid.HBgLMTY1MDU1NTEyMzQ="


@every_api
@pytest.mark.parametrize("status", [200, 400, 429])
async def test_a_limit_is_an_error_that_says_when_to_come_again(spoken, status):
    refusal = answer(spoken.busy, status=status, headers={"retry-after": "3"})
    client, _ = talk(spoken, refusal)

    with pytest.raises(APIError) as caught:
        await client.send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.RETRY
    assert caught.value.retry_after == 3.0
    assert caught.value.status == status


@every_api
async def test_no_answer_may_be_tried_again(spoken):
    client, _ = talk(spoken, TransportError("POST https://h: no connection"))

    with pytest.raises(TransportError) as caught:
        await client.send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.RETRY


@every_api
@pytest.mark.parametrize(
    "half",
    [
        answer(b""),
        answer(b'{"messages":[{"id":"wam'),
        answer({"success": True}),
        TransportError("POST https://h: broken off", status=200),
    ],
    ids=["nothing", "half the text", "no id", "half the bytes"],
)
async def test_a_success_without_an_id_is_not_sent_twice(spoken, half):
    client, transport = talk(spoken, half)

    with pytest.raises(TransportError, match="may have arrived") as caught:
        await client.send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.DO_NOT_RETRY
    assert len(transport.requests) == len(spoken.login) + 1


@every_api
async def test_a_broken_answer_to_a_refusal_may_be_tried_again(spoken):
    client, _ = talk(spoken, TransportError("POST https://h: broken off", status=503))

    with pytest.raises(TransportError) as caught:
        await client.send("16505551234", Text("Hello"))

    assert caught.value.verdict is Verdict.RETRY


@every_api
async def test_a_message_that_cannot_go_is_refused_without_a_request(spoken):
    client, transport = talk(spoken)

    with pytest.raises(InvalidMessage, match="must be uploaded first"):
        await client.send("16505551234", Image(Media(path="offer.jpg")))

    assert transport.requests == []


@every_api
async def test_an_upload_gives_the_id_to_send(spoken):
    client, transport = talk(spoken, answer(spoken.uploaded, status=201))

    media_id = await client.upload(File(b"\x89PNG", "image/png", "chart.png"))

    request = transport.requests[-1]
    name, value = spoken.proof
    assert media_id == "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68"
    assert (request.method, request.url) == ("POST", spoken.media_url)
    assert request.headers == {name: value}
    assert request.timeout > 60


@every_api
async def test_a_file_that_cannot_be_read_is_an_error_of_the_file(spoken):
    client, _ = talk(spoken, MediaError("gone.png: cannot be read"))

    with pytest.raises(MediaError):
        await client.upload(File(b"", "image/png", "gone.png"))


@every_api
async def test_media_is_deleted_by_its_id(spoken):
    client, transport = talk(spoken, answer(b""))

    await client.delete_media("f043afd0")

    request = transport.requests[-1]
    assert request.method == "DELETE"
    assert request.url.endswith("/f043afd0")
    assert spoken.proof in request.headers.items()


async def download(client: Client) -> None:
    async with client.download("f043afd0"):
        pass


@every_api
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.upload(File(b"x", "image/png", "x.png")),
        lambda client: client.media_info("f043afd0"),
        lambda client: client.delete_media("f043afd0"),
        download,
    ],
    ids=["upload", "info", "delete", "download"],
)
async def test_a_refusal_is_an_error_whatever_was_asked(spoken, ask):
    client, _ = talk(spoken, answer(spoken.busy, status=429))

    with pytest.raises(APIError) as caught:
        await ask(client)

    assert caught.value.verdict is Verdict.RETRY


@every_api
async def test_secrets_are_in_no_error_and_no_repr(spoken):
    client, transport = talk(spoken, answer({"error": {"code": 190}}, status=401), *spoken.login)
    transport.answers.append(answer({"error": {"code": 190}}, status=401))

    with pytest.raises(APIError) as caught:
        await client.send("16505551234", Text("Hello"))

    seen = "".join(traceback.format_exception(None, caught.value, caught.value.__traceback__))
    assert "s3cr3t" not in seen
    assert "s3cr3t" not in repr(client)
    assert "s3cr3t" not in "".join(map(repr, transport.requests))


@every_api
async def test_closing_a_client_closes_its_connections(spoken):
    client, transport = talk(spoken)

    await client.close()

    assert transport.closed


# Whether it answers at all


@pytest.mark.parametrize("spoken", SPOKEN, ids=str)
@pytest.mark.parametrize("status", [200, 400, 404, 503])
async def test_an_api_is_asked_for_a_sign_of_life_with_a_message_that_is_none(spoken, status):
    transport = FakeTransport(*spoken.login, answer(b"<h1>whatever</h1>", status=status))

    await spoken.make(transport).ping()

    request = transport.requests[-1]
    assert (request.method, request.url) == ("POST", spoken.messages_url)
    assert json.loads(request.body) == {}


@pytest.mark.parametrize("spoken", SPOKEN, ids=str)
async def test_an_api_that_does_not_answer_is_told_from_one_that_does(spoken):
    silence = TransportError("no whole answer within 10 seconds")
    transport = FakeTransport(*spoken.login, silence)

    with pytest.raises(TransportError):
        await spoken.make(transport).ping()
