"""The whole state: as one JSON, and in a file that outlives the simulator."""

import sqlite3
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app

MAYA = "4915112345678"
TOKEN = {"Authorization": "Bearer simulator-token"}
HELLO = {"messaging_product": "whatsapp", "to": MAYA, "type": "text", "text": {"body": "hello"}}
PDF = b"%PDF-1.4\n" + bytes(range(256))


async def fill(simulator):
    """A chat with a text, a file, a reaction and a refusal, a day later; return what it shows."""
    await simulator.post("/simulator/clock", {"advance": 86_000})
    await simulator.post("/simulator/people", {"name": "Tom", "phone": "4915100000001"})
    text = await simulator.says("grüß dich")
    form = aiohttp.FormData()
    form.add_field("file", PDF, filename="bill.pdf", content_type="application/pdf")
    await simulator.call("POST", f"/simulator/people/{MAYA}/messages", data=form)
    await simulator.cloud(HELLO)
    *_, answer = await simulator.shows(3)
    await simulator.post(
        f"/simulator/people/{MAYA}/reaction", {"message_id": answer["id"], "emoji": "👍"}
    )
    await simulator.post("/simulator/templates/hello_world/en_US", {"status": "PAUSED"})
    assert text["status"]
    assert (await simulator.cloud({**HELLO, "text": {}}))[0] == 400
    await simulator.attempts(5)  # all webhooks are through, no status will change any more
    _, state = await simulator.get("/simulator/state")
    return state


def without_address(state):
    return {key: value for key, value in state.items() if key not in ("webhook",)}


async def media_of(simulator):
    document = next(m for m in await simulator.chat() if m["type"] == "document")
    return await simulator.call("GET", document["content"]["url"])


async def test_an_export_brings_everything_into_another_simulator(start):
    one, two = await start(), await start()
    before = await fill(one)
    _, exported = await one.get("/simulator/export")

    status, after = await two.post("/simulator/import", exported)

    assert status == 200
    assert without_address(after) == without_address(before)
    assert await media_of(two) == (200, PDF)
    assert (await two.get("/simulator/export"))[1] == exported


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: [],
        lambda value: {},
        lambda value: {**value, "simulator": 99},
        lambda value: {key: each for key, each in value.items() if key != "messages"},
        lambda value: {**value, "messages": [{"id": 1}]},
        lambda value: {**value, "people": [{"name": "x"}]},
        lambda value: {**value, "files": [{"id": "../../etc/passwd", "content": ""}]},
        lambda value: {**value, "clock": None},
    ],
)
async def test_an_import_that_cannot_be_read_changes_nothing(simulator, damage):
    before = await fill(simulator)
    _, exported = await simulator.get("/simulator/export")

    status, answer = await simulator.post("/simulator/import", damage(exported))

    assert status == 400
    assert answer["error"]
    assert (await simulator.get("/simulator/state"))[1] == before


async def test_chats_are_there_again_after_a_restart(bot, tmp_path):
    path = tmp_path / "chats.db"
    config = Config(webhook=bot.url, state=path)
    seen = []
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with TestServer(create_app(config, clock=lambda: 1.75e9)) as server:
                url = str(server.make_url("/")).rstrip("/")
                if not seen:
                    text = {"type": "text", "text": {"body": "still here"}}
                    chat = f"{url}/simulator/people/{MAYA}/messages"
                    async with session.post(chat, json=text):
                        await bot.takes(1)
                    async with session.post(f"{url}/simulator/clock", json={"advance": 9}):
                        pass
                async with session.get(f"{url}/simulator/state") as response:
                    seen.append(await response.json())

    first, second = seen
    assert second["messages"][0]["content"] == {"body": "still here"}
    assert second["clock"] == first["clock"] == {"now": 1.75e9 + 9, "offset": 9.0}
    assert second["people"] == first["people"]


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 40, "row"])
async def test_a_file_that_is_no_state_keeps_the_simulator_from_starting(tmp_path, content):
    path = tmp_path / "chats.db"
    if content == "row":
        with sqlite3.connect(path) as link:
            link.execute("CREATE TABLE parts (kind, id, position, value)")
            link.execute("INSERT INTO parts VALUES ('messages', '1', 0, '{')")
        link.close()
    else:
        path.write_bytes(content)
    runner = web.AppRunner(create_app(Config(state=path)))

    with pytest.raises(SettingsError, match="--state"):
        await runner.setup()
    await runner.cleanup()


TRACKER = {
    "sender_id": MAYA,
    "slots": {"size": "M"},
    "latest_message": {"text": "hi", "intent": {"name": "greet", "confidence": 0.9}},
    "events": [{"event": "slot", "name": str(number)} for number in range(40)],
    "paused": False,
}


@pytest.fixture
async def rasa():
    """Rasa's HTTP API; `asked` are the paths with their queries, `answer` what it says."""

    rasa = SimpleNamespace(url="", asked=[], answer=(200, TRACKER))

    async def tracker(request):
        rasa.asked.append((request.match_info["sender"], dict(request.query)))
        status, body = rasa.answer
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/conversations/{sender}/tracker", tracker)
    async with TestServer(app) as server:
        rasa.url = str(server.make_url("/"))
        yield rasa


async def test_the_tracker_of_a_person_comes_from_rasa(start, rasa):
    simulator = await start(rasa=rasa.url, rasa_token="s3cret")

    status, tracker = await simulator.get(f"/simulator/people/{MAYA}/tracker")

    assert status == 200
    assert tracker["intent"] == {"name": "greet", "confidence": 0.9}
    assert tracker["slots"] == {"size": "M"}
    assert [event["name"] for event in tracker["events"]] == [str(n) for n in range(10, 40)]
    ((sender, query),) = rasa.asked
    assert (sender, query["token"]) == (MAYA, "s3cret")
    assert (await simulator.get("/simulator/state"))[1]["rasa"] is True


@pytest.mark.parametrize(
    ("answer", "said"),
    [((401, {}), "--rasa-token"), ((404, {}), "--enable-api"), ((500, {}), "500"), ((200, []), "")],
)
async def test_a_rasa_that_tells_nothing_is_a_502_with_the_way_out(start, rasa, answer, said):
    rasa.answer = answer
    simulator = await start(rasa=rasa.url)

    status, body = await simulator.get(f"/simulator/people/{MAYA}/tracker")

    assert status == 502
    assert said in body["error"]


async def test_without_rasa_there_is_no_tracker(start, simulator):
    assert (await simulator.get(f"/simulator/people/{MAYA}/tracker"))[0] == 404
    away = await start(rasa="http://127.0.0.1:9")
    assert (await away.get(f"/simulator/people/{MAYA}/tracker"))[0] == 502
