"""What the page and tests do and see: people, chats, files, events, logs; and who is kept out."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from support.documents import ROOT

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.control import control_routes
from rasa_whatsapp_channel.simulator.world import World

MAYA = "4915112345678"
CHAT = f"/simulator/people/{MAYA}/messages"
TO = {"messaging_product": "whatsapp", "to": MAYA}
TEXT = {**TO, "type": "text", "text": {"body": "Hello"}}


async def test_there_is_somebody_to_chat_with_at_once(simulator, bot):
    _, state = await simulator.get("/simulator/state")
    assert state.pop("templates")
    assert state == {
        "api": "cloud",
        "webhook": bot.url,
        "number": {
            "phone_number_id": "106540352242922",
            "display_phone_number": "15550783881",
            "name": "Your bot",
        },
        "direct_send": True,
        "messaging_limit": {"people": None, "reached": 0},
        "faults": [],
        "rasa": False,
        "numbers": [
            {
                "phone_number_id": "106540352242922",
                "display_phone_number": "15550783881",
                "name": "Your bot",
            }
        ],
        "clock": {"now": 1.75e9, "offset": 0.0},
        "people": [
            {
                "phone": MAYA,
                "user_id": "DE.13491208655302741918",
                "name": "Maya",
                "window": 1.75e9 + 24 * 3600,
            }
        ],
        "owners": [],
        "messages": [],
        "billing": {"currency": None, "free_messages": 1000},
        "weather": {"weather": "calm", "seed": None, "lasting": None, "faults": []},
        "refusals": [],
    }


async def test_the_page_is_served(simulator):
    async with simulator.session.get(simulator.url) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (await simulator.get("/app.js"))[0] == 200
    assert (await simulator.get("/../server.py"))[0] == 404
    assert (await simulator.get("/nothing.js"))[0] == 404


async def test_people_are_added_by_phone_by_user_id_or_by_name_alone(simulator):
    _, by_phone = await simulator.post(
        "/simulator/people", {"name": "Ann", "phone": "+1 (650) 555-1234"}
    )
    _, by_id = await simulator.post("/simulator/people", {"name": "Noor", "user_id": "US.1349"})
    _, by_name = await simulator.post("/simulator/people", {"name": "Kim"})

    assert (by_phone["phone"], by_phone["user_id"][:3]) == ("16505551234", "US.")
    assert (by_id["phone"], by_id["user_id"]) == (None, "US.1349")
    assert by_name["phone"].isdigit()
    written = await simulator.says("hi", by_phone["user_id"])
    assert written["person"] == "16505551234"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"name": 7}, 400),
        ({"name": "Ann", "phone": "me"}, 400),
        ({"name": "Maya", "phone": MAYA}, 409),
        ({"name": "Maya", "user_id": "DE.13491208655302741918"}, 409),
    ],
)
async def test_a_person_that_cannot_be_is_refused(simulator, body, status):
    answered, answer = await simulator.post("/simulator/people", body)
    assert (answered, set(answer)) == (status, {"error"})


async def test_on_premises_nobody_is_without_a_phone(start):
    simulator = await start("on_premises")
    status, _ = await simulator.post("/simulator/people", {"name": "Noor", "user_id": "US.1"})
    assert status == 400
    assert (await simulator.post("/simulator/people", {"name": "Kim"}))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        [],
        "hi",
        {},
        {"type": "text"},
        {"type": "text", "text": {"body": "x"}, "context": "x"},
        {"type": "reaction", "reaction": {"emoji": "x"}},
        {"type": 7},
    ],
)
async def test_a_message_that_cannot_be_is_refused(simulator, body):
    status, answer = await simulator.post(CHAT, body)
    assert (status, set(answer)) == (400, {"error"})


async def test_what_is_not_there_is_404(simulator):
    for method, path, body in (
        ("GET", "/simulator/people/1/messages", None),
        ("POST", "/simulator/people/1/messages", {"type": "text", "text": {"body": "x"}}),
        ("GET", f"{CHAT}?after=unknown", None),
        ("POST", f"/simulator/people/{MAYA}/read", {"message_id": "unknown"}),
        ("GET", "/simulator/media/unknown", None),
    ):
        status, answer = await simulator.call(method, path, json=body)
        assert (status, set(answer)) == (404, {"error"}), path


async def test_files_and_bodies_that_cannot_be_read_are_refused(simulator):
    form = aiohttp.FormData()
    form.add_field("type", "hologram")
    form.add_field("file", b"x", filename="x.bin", content_type="application/x-hologram")
    assert (await simulator.call("POST", CHAT, data=form))[0] == 400
    empty = aiohttp.FormData()
    empty.add_field("type", "image", content_type="text/plain")
    assert (await simulator.call("POST", CHAT, data=empty))[0] == 400
    assert (await simulator.call("POST", CHAT, data=b"{"))[0] == 400
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    status, answer = await simulator.call("POST", CHAT, data=b"--y\r\n", headers=broken)
    assert (status, set(answer)) == (400, {"error"})


async def test_a_test_can_wait_for_an_answer(simulator):
    written = await simulator.says("hi")
    waiting = asyncio.create_task(simulator.get(f"{CHAT}?after={written['id']}&wait=60"))
    await asyncio.sleep(0.05)
    assert not waiting.done()

    await simulator.cloud(TEXT)

    _, answers = await asyncio.wait_for(waiting, 60)
    assert [answer["content"]["body"] for answer in answers] == ["Hello"]
    _, nothing = await simulator.get(f"{CHAT}?after={answers[0]['id']}&wait=0.01")
    assert nothing == []
    assert (await simulator.get(f"{CHAT}?wait=soon"))[0] == 400


async def test_a_file_of_a_chat_can_be_shown_in_part_and_does_no_harm(simulator):
    async def headers_of(mime_type, filename, **headers):
        form = aiohttp.FormData(quote_fields=False)  # names as a browser writes them
        form.add_field("type", "document")
        form.add_field("file", b"0123456789", filename=filename, content_type=mime_type)
        _, message = await simulator.call("POST", CHAT, data=form)
        url = simulator.url + message["content"]["url"]
        async with simulator.session.get(url, headers=headers) as response:
            return response.status, response.headers, await response.read()

    status, headers, content = await headers_of("application/pdf", "Menü.pdf", Range="bytes=2-4")
    assert (status, content) == (206, b"234")
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''Men%C3%BC.pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"

    nasty = "%22><img src=x onerror=alert(1)>.html"
    _, headers, _ = await headers_of("text/html", nasty)
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert "<" not in headers["Content-Disposition"]
    _, headers, _ = await headers_of("image/svg+xml", "a.svg")
    assert headers["Content-Disposition"].startswith("attachment")


async def test_everything_that_happens_is_told_on_the_socket(simulator, bot):
    async with simulator.session.ws_connect(simulator.url + "/simulator/socket") as socket:

        async def next_of(event):
            while (happening := await socket.receive_json(timeout=60))["event"] != event:
                pass
            return happening

        written = await simulator.says("hi")
        assert (await next_of("message"))["message"] == written
        webhook = await next_of("webhook")
        assert (webhook["status"], webhook["attempt"]) == (200, 1)
        status = await next_of("status")
        assert (status["message_id"], status["status"]) == (written["id"], "delivered")

        read = {"messaging_product": "whatsapp", "status": "read", "message_id": written["id"]}
        await simulator.cloud({**read, "typing_indicator": {"type": "text"}})
        assert (await next_of("status"))["status"] == "read"
        assert (await next_of("read"))["message_id"] == written["id"]
        typing = await next_of("typing")
        assert (typing["person"], typing["seconds"]) == (MAYA, 25)

        _, answer = await simulator.cloud(TEXT)
        message = (await next_of("message"))["message"]
        assert message["id"] == answer["messages"][0]["id"]
        assert message["status"] == "sent"

        _, answer = await simulator.cloud({**TEXT, "text": {}})
        refused = await next_of("refused")
        assert refused["person"] == MAYA
        assert refused["request"]["body"] == {**TEXT, "text": {}}
        assert refused["answer"] == answer
        assert refused["rule"] == answer["simulator"]["rule"]

        _, person = await simulator.post("/simulator/people", {"name": "Ann"})
        assert (await next_of("person"))["person"] == person
        await simulator.post("/simulator/reset")
        await next_of("reset")


async def test_a_socket_is_closed_when_the_simulator_ends(start):
    simulator = await start()
    async with simulator.session.ws_connect(simulator.url + "/simulator/socket") as socket:
        assert not socket.closed


async def test_a_reset_forgets_everything(simulator, bot):
    bot.statuses = [500] * 100
    form = aiohttp.FormData()
    form.add_field("file", b"x", filename="a.txt", content_type="text/plain")
    _, message = await simulator.call("POST", CHAT, data=form)
    await simulator.cloud(TEXT)
    await simulator.post("/simulator/people", {"name": "Ann"})
    await bot.takes(2)

    _, state = await simulator.post("/simulator/reset")

    assert [person["name"] for person in state["people"]] == ["Maya"]
    assert state["messages"] == []
    assert (await simulator.get("/simulator/webhooks"))[1] == []
    assert (await simulator.get("/simulator/requests"))[1] == []
    assert (await simulator.get(message["content"]["url"]))[0] == 404
    tries = len(bot.received)
    await asyncio.sleep(0.1)
    assert len(bot.received) <= tries + 1  # one may have been on its way


async def test_requests_are_noted_without_their_token(simulator):
    await simulator.cloud(TEXT)
    await simulator.post("/1/messages", TEXT, headers={"Authorization": "Bearer hush"})

    _, requests = await simulator.get("/simulator/requests")

    assert [(one["method"], one["status"]) for one in requests] == [("POST", 200), ("POST", 401)]
    assert requests[0]["path"] == "/v26.0/106540352242922/messages"
    assert requests[0]["body"] == TEXT
    assert "messages" in requests[0]["answer"]
    assert "hush" not in str(requests)
    assert "simulator-token" not in str(requests)


async def test_pages_of_other_hosts_are_kept_out(simulator):
    port = simulator.url.rpartition(":")[2]
    for origin, expected in (
        ("http://evil.example", 403),
        ("null", 403),
        (f"http://127.0.0.1:{port}", 200),
    ):
        status, _ = await simulator.post(
            CHAT, {"type": "text", "text": {"body": "x"}}, headers={"Origin": origin}
        )
        assert status == expected, origin
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await simulator.session.ws_connect(
            simulator.url + "/simulator/socket", headers={"Origin": "http://evil.example"}
        )


async def test_only_names_of_this_machine_are_known(start):
    simulator = await start(allowed_hosts=("host.docker.internal",))
    for host, expected in (
        ("evil.example", 421),
        ("localhost:8400", 200),
        ("host.docker.internal:8400", 200),
    ):
        status, _ = await simulator.get("/simulator/state", headers={"Host": host})
        assert status == expected, host


async def test_files_can_be_kept_in_a_folder_of_ones_own(start, tmp_path):
    simulator = await start(media_root=tmp_path / "media")
    form = aiohttp.FormData()
    form.add_field("file", b"kept", filename="a.txt", content_type="text/plain")
    await simulator.call("POST", CHAT, data=form)
    assert [path.read_bytes() for path in (tmp_path / "media").iterdir()] == [b"kept"]


async def test_every_route_is_on_the_page_about_the_simulator():
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    world = World(Config())

    paths = {route.path for route in control_routes(world)}

    await world.close()
    missing = [
        path
        for path in paths
        if path.replace("{webhook}", "{id}") not in page
        and f"…/{path.rpartition('/')[2]}" not in page
    ]
    assert missing == []
