"""How the bot is: what the simulator learns from the health page beside the webhook."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp_channel.simulator.bot import SHOWN, health_address

EMPTY = {"waiting": 0, "dead_letters": 0, "oldest": None, "failing": 0, "last_error": None}
BUSY = {
    "waiting": 3,
    "dead_letters": 1,
    "oldest": 1764400000.5,
    "failing": 2,
    "last_error": "the bot failed: KeyError: 'boat'",
}
WELL = {"status": "ok", "inbox": EMPTY, "outbox": EMPTY, "desk": EMPTY}
PAUSED = {**WELL, "status": "sending paused", "paused": {"first": "token"}, "outbox": BUSY}
OUTAGE = {
    "what": "tracker store",
    "since": "2026-11-29T09:00:04+00:00",
    "reason": "Connection refused",
}
AWAY = {**WELL, "status": "degraded", "away": [OUTAGE], "inbox": BUSY}
STORE_FAILED = {"status": "store failed", "reason": "file is damaged"}
ASKED = "/webhooks/whatsapp/"


@pytest.fixture
async def page():
    """A server at the health address: it says `body`; `asked` are the requests it has had."""
    page = SimpleNamespace(asked=[], status=200, body=json.dumps(WELL), headers={}, url="")

    async def answer(request):
        page.asked.append(request.path_qs)
        return web.Response(status=page.status, text=page.body, headers=page.headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        page.url = str(server.make_url("/webhooks/whatsapp/webhook"))
        yield page


async def ask(start, webhook, **options):
    simulator = await start(webhook=webhook, **options)
    status, answer = await simulator.get("/simulator/bot")
    assert status == 200
    return answer


async def test_a_bot_that_is_well_says_so(start, page):
    answer = await ask(start, page.url)

    assert (answer["answers"], answer["health"]["status"]) == (True, "ok")
    assert answer["health"]["inbox"]["waiting"] == 0
    assert page.asked == [ASKED]


async def test_a_number_that_sends_nothing_is_told_with_what_waits_and_the_last_error(start, page):
    page.body = json.dumps(PAUSED)

    health = (await ask(start, page.url))["health"]

    assert (health["status"], health["paused"]) == ("sending paused", {"first": "token"})
    assert health["outbox"] == {key: BUSY[key] for key in BUSY if key != "oldest"}


async def test_what_whatsapp_reported_about_the_account_is_told(start, page):
    trouble = {"topic": "template", "event": "PAUSED", "subject": "order (en)", "since": 1.5}
    page.body = json.dumps({**WELL, "account": [trouble, "no object", {"topic": 7}]})

    health = (await ask(start, page.url))["health"]

    assert health["account"] == [
        {"topic": "template", "subject": "order (en)", "event": "PAUSED"},
        {},
    ]


async def test_what_of_rasa_is_away_is_told_with_the_reason(start, page):
    page.body = json.dumps(AWAY)

    health = (await ask(start, page.url))["health"]

    assert health["status"] == "degraded"
    assert health["away"] == [{"what": "tracker store", "reason": "Connection refused"}]


async def test_a_store_that_fails_is_told_with_the_reason(start, page):
    page.status, page.body = 503, json.dumps(STORE_FAILED)

    assert (await ask(start, page.url))["health"] == STORE_FAILED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(404, json.dumps(WELL), id="not there"),
        pytest.param(200, "<!doctype html><h1>Hello</h1>", id="a page of HTML"),
        pytest.param(200, "", id="nothing"),
        pytest.param(200, '{"status": "ok"}', id="another channel of Rasa"),
        pytest.param(200, '["status", "inbox", "outbox"]', id="a list"),
        pytest.param(200, "[" * 30_000, id="a deep list"),
        pytest.param(200, json.dumps({**WELL, "padding": "x" * 100_000}), id="too large"),
        pytest.param(200, json.dumps({**WELL, "inbox": {}}), id="no counts"),
        pytest.param(200, json.dumps({**WELL, "inbox": {**EMPTY, "waiting": "3"}}), id="a word"),
        pytest.param(200, json.dumps({**WELL, "inbox": {**EMPTY, "waiting": True}}), id="a truth"),
        pytest.param(200, json.dumps({**WELL, "inbox": {**EMPTY, "waiting": -1}}), id="minus one"),
        pytest.param(
            200, json.dumps(WELL).replace('"waiting": 0', '"waiting": 1e999'), id="infinity"
        ),
        pytest.param(
            200, json.dumps(WELL).replace('"waiting": 0', f'"waiting": {"9" * 6000}'), id="huge"
        ),
        pytest.param(500, json.dumps(WELL), id="an error"),
    ],
)
async def test_of_a_bot_that_is_not_ours_is_known_only_that_it_answers(start, page, status, body):
    page.status, page.body = status, body

    assert await ask(start, page.url) == {"answers": True, "health": None}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(start, page, status):
    page.status, page.headers = status, {"Location": "/elsewhere"}

    assert await ask(start, page.url) == {"answers": True, "health": None}
    assert page.asked == [ASKED]


async def test_odd_parts_of_a_health_page_are_left_out(start, page):
    odd = {
        "away": [{"what": 3, "reason": "x"}, "x", {"what": "broker"}, OUTAGE],
        "paused": {"first": {"deep": 1}, "106540352242923": "throughput"},
        "script": "<script>",
    }
    page.body = json.dumps({**AWAY, **odd, "outbox": {**EMPTY, "last_error": ["x"]}})

    health = (await ask(start, page.url))["health"]

    assert health["away"] == [{"what": "tracker store", "reason": "Connection refused"}]
    assert health["paused"] == {"106540352242923": "throughput"}
    assert health["outbox"]["last_error"] is None
    assert "script" not in health


async def test_a_long_error_is_cut(start, page):
    page.body = json.dumps({**AWAY, "inbox": {**BUSY, "last_error": "ä" * 9000}})

    error = (await ask(start, page.url))["health"]["inbox"]["last_error"]

    assert error == "ä" * (SHOWN - 1) + "…"


async def test_where_nothing_listens_the_reason_is_in_words(start):
    answer = await ask(start, "http://127.0.0.1:9/webhook")

    assert answer == {"answers": False, "error": "Connection refused"}


@pytest.mark.parametrize("address", ["nowhere", "http://", "http://[::1/webhook"])
async def test_an_address_that_is_none_is_told(start, address):
    answer = await ask(start, address)

    assert answer == {"answers": False, "error": "the webhook is not an HTTP address"}


async def silence(reader, writer):
    await reader.read()


async def hang_up(reader, writer):
    writer.close()


async def other_protocol(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await reader.read()


async def dripping(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (silence, "no response within 2 seconds"),
        (dripping, "no response within 2 seconds"),
        (hang_up, "the connection was closed without a response"),
        (other_protocol, "the server does not speak HTTP"),
    ],
)
async def test_what_does_not_answer_as_a_bot_would_is_told_in_words(start, behave, said):
    async def serve(reader, writer):
        try:
            await behave(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await ask(start, f"http://127.0.0.1:{port}/webhook")

    assert answer == {"answers": False, "error": said}


async def test_the_token_of_a_webhook_stays_out_of_the_question(start, page):
    await ask(start, f"{page.url}?token=s3cret", api="on_premises")

    assert page.asked == [ASKED]


def test_the_health_page_stands_beside_the_webhook():
    assert health_address("https://bot.example/a/whatsapp/webhook?token=x#y") == (
        "https://bot.example/a/whatsapp/"
    )
    assert health_address("http://localhost:5005") == "http://localhost:5005/"
