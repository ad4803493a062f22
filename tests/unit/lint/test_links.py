from __future__ import annotations

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.lint.media import LinkAnswer, ask_all
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.transport import Response

LINK = "https://shop.example/a.jpg"


def moved(to: str) -> Response:
    return answer(status=302, headers={"location": to})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            [answer(headers={"content-type": "image/png", "content-length": "12"})],
            LinkAnswer("image/png", 12),
        ),
        ([answer(headers={"content-length": "many"})], LinkAnswer()),
        ([answer(status=404)], LinkAnswer(problem="answers HTTP 404")),
        ([TransportError("GET a: no connection")], LinkAnswer(problem="GET a: no connection")),
        ([moved("/b.jpg"), answer(headers={"content-type": "x/y"})], LinkAnswer("x/y")),
        ([moved(LINK)] * 6, LinkAnswer(problem="leads from one address to the next")),
    ],
)
async def test_a_server_says_what_is_behind_a_link(
    answers: list[Response | Exception], said: LinkAnswer
) -> None:
    assert await ask_all(FakeTransport(*answers), [LINK]) == {LINK: said}


async def test_a_link_leads_where_the_server_says() -> None:
    transport = FakeTransport(moved("/b.jpg"), moved("https://other.example/c.jpg"), answer())

    await ask_all(transport, [LINK])

    assert [request.url for request in transport.requests] == [
        LINK,
        "https://shop.example/b.jpg",
        "https://other.example/c.jpg",
    ]


async def test_a_link_is_asked_once() -> None:
    transport = FakeTransport(answer(), answer())

    await ask_all(transport, [LINK, "https://shop.example/b.jpg", LINK])

    assert len(transport.requests) == 2
