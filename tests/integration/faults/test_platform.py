"""WhatsApp in trouble: every message still arrives, once and in order, and nobody else waits."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from support.cloud_api import answers, answers_half, fails, hangs, hangs_up
from support.webhooks import envelope, status, texts

from rasa_whatsapp_channel.outbound import recovery

ANNA, BEN = "491511111111", "491522222222"


@pytest.fixture
def short_wait(monkeypatch):
    """A status is awaited for 20 s after a broken answer, see tests/unit/outbound."""
    monkeypatch.setattr(recovery, "BROKEN", 1.0)


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


@pytest.mark.parametrize(
    "trouble",
    [
        fails(500, 131000, "Something went wrong"),
        fails(500, 2, "Service temporarily unavailable"),
        fails(503, 131016, "Service unavailable"),
        fails(429, 130429, "Rate limit hit"),
        answers(502, b"<html><h1>502 Bad Gateway</h1></html>", Content_Type="text/html"),
        answers(500, b"\xff\xfe\x00 no text at all"),
        hangs_up,
    ],
)
@pytest.mark.usefixtures("short_wait")
async def test_after_one_bad_answer_all_messages_go_once_and_in_order(serve, api, trouble):
    api.next.append(trouble)

    async with serve(echo) as running:
        await running.deliver(texts("one", "two", "three"))
        await api.takes(3)
        await running.idle()

    assert api.texts == ["one", "two", "three"]
    assert len(api.refused) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        answers(200, b'{"messaging_product": "whatsapp", "contacts": [{"inp'),
        answers(200, b"<html>Welcome to the hotel's network</html>", Content_Type="text/html"),
        answers(200, b""),
        answers(200, []),
        answers(200, {"success": True}),
        answers_half,
    ],
)
@pytest.mark.usefixtures("short_wait")
async def test_a_success_without_an_id_is_not_sent_again_but_a_dead_letter(serve, api, trouble):
    api.next.append(trouble)

    async with serve(echo) as running:
        await running.deliver(texts("one", "two", "three"))
        health = await running.idle()

    assert api.texts == ["two", "three"]
    assert health["outbox"] == {
        "waiting": 0,
        "dead_letters": 1,
        "oldest": None,
        "failing": 0,
        "last_error": None,
    }


async def test_a_platform_that_is_gone_is_waited_for(serve, api):
    await api.close()

    async with serve(echo) as running:
        assert await running.deliver(texts("one", "two")) == 200
        await asyncio.sleep(1.5)
        await api.open()
        await api.takes(2)

    assert api.texts == ["one", "two"]


@pytest.mark.parametrize(
    "trouble",
    [
        fails(429, 130429, "Rate limit hit", Retry_After="2"),
        fails(400, 131056, "Pair rate limit hit", Retry_After="2"),
    ],
)
async def test_what_whatsapp_asks_to_wait_is_waited_also_when_the_person_writes_on(
    serve, api, trouble
):
    async with serve(echo) as running:
        await running.deliver(texts("one", phone=ANNA))
        await api.takes(1)
        api.next.append(trouble)
        await running.deliver(texts("two", phone=ANNA, first=2))
        while not api.refused:
            await asyncio.sleep(0.01)
        for number in range(3, 8):
            await asyncio.sleep(0.1)
            await running.deliver(texts(f"message {number}", phone=ANNA, first=number))
        await api.takes(7)

    assert api.texts[1] == "two"
    assert api.accepted[1].at - api.refused[0] >= 2
    assert len(api.refused) == 1


@pytest.mark.usefixtures("short_wait")
async def test_a_person_whose_message_hangs_delays_nobody_else(serve, api):
    gate = asyncio.Event()
    hanging: list[web.Request] = []

    async def hangs_for_anna(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["to"] == ANNA:
            hanging.append(request)
            return await hangs(gate)(request)
        return web.json_response(api.accept(request, body))

    api.trouble = hangs_for_anna
    async with serve(echo) as running:
        await running.deliver(texts("from Anna", phone=ANNA))
        while not api.refused:
            await asyncio.sleep(0.01)
        for number in range(10):
            await running.deliver(texts(f"{number}", phone=BEN, first=number))
        await api.takes(10)
        [still] = hanging
        assert still.transport is not None  # nobody waited until it was given up
        assert "from Anna" not in api.texts

        api.trouble = None
        gate.set()
        await api.takes(11)

    assert api.texts == [*map(str, range(10)), "from Anna"]


@pytest.mark.parametrize("told", [True, False])
async def test_an_acceptance_without_an_answer_doubles_only_what_no_status_tells_of(
    serve, api, told, request
):
    """The one gap of the promises: without a status nobody can tell that it got there."""
    if not told:
        request.getfixturevalue("short_wait")

    async def takes_it_and_hangs_up(request: web.Request) -> web.StreamResponse:
        api.accept(request, await request.json())
        return await hangs_up(request)

    api.next.append(takes_it_and_hangs_up)
    async with serve(echo) as running:
        await running.deliver(texts("one", "two"))
        await api.takes(1)
        if told:
            taken = api.accepted[0]
            echoed = {"biz_opaque_callback_data": taken.body["biz_opaque_callback_data"]}
            await running.deliver(envelope([status(taken.id, "sent", taken.to, **echoed)]))
        await api.takes(2 if told else 3)
        await running.idle()

    assert api.texts == (["one", "two"] if told else ["one", "one", "two"])


async def test_statuses_of_messages_nobody_sent_are_taken_and_change_nothing(serve, api):
    failed = {"errors": [{"code": 131026, "title": "Message undeliverable"}]}
    statuses = [
        status("wamid.unknown", "sent", ANNA),
        status("wamid.unknown", "delivered", ANNA),
        status("wamid.another", "failed", ANNA, **failed),
        status("", "read", ANNA),
        status("wamid.unknown", "teleported", ANNA),
    ]

    async with serve(echo, failure_intent="whatsapp_failed") as running:
        for content in statuses:
            assert await running.deliver(envelope([content])) == 200
        await running.deliver(texts("hello", phone=ANNA))
        await api.takes(1)
        await running.idle()

    assert [message.text for message in running.agent.heard] == ["hello"]
