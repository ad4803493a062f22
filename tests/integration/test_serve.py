"""`rasa-whatsapp serve`: door and sender in a process without Rasa, the bot in another one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from support.cloud_api import PICTURE, PICTURE_SHA256
from support.desk_server import SECRET as DESK_SECRET
from support.desk_server import DeskServer, Door
from support.eventually import PATIENCE, eventually
from support.ports import free_port
from support.processes import PROJECT, Process, StandAlone
from support.webhooks import envelope, picture, texts

from rasa_whatsapp_channel.store import open_store

PHONE = "4915112345678"
SECRET = "an-app-secret"
BOT = {"roles": ["bot"]}


def signed(payload: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(payload).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Hub-Signature-256": f"sha256={digest}"}


async def echo(message: Any) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


class Served:
    """A running `rasa-whatsapp serve`."""

    def __init__(self, process: Process, port: int, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        self._session = session

    async def deliver(self, *said: str | dict[str, Any], first: int = 1) -> int:
        """Deliver a webhook of texts, numbered from *first*, or of one message."""
        bodies = [each for each in said if isinstance(each, str)]
        body, headers = signed(texts(*bodies, first=first) if bodies else envelope(said))
        async with self._session.post(f"{self.url}/webhook", data=body, headers=headers) as answer:
            return answer.status

    async def get(self, path: str = "/") -> tuple[int, str]:
        async with self._session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.text()

    async def health(self) -> dict[str, Any]:
        return dict(json.loads((await self.get())[1]))


def credentials_of(folder: Path, url: str, **more: Any) -> Path:
    block = {
        "base_url": url,
        "phone_number_id": "106540352242922",
        "access_token": "a-token",
        "app_secret": "an-app-secret",
        "verify_token": "a-verify-token",
        "store": f"sqlite:///{folder / 'whatsapp.db'}",
        "media": {"store": str(folder / "received")},
        "roles": ["bot"],
        **more,
    }
    file = folder / "credentials.yml"
    file.write_text(json.dumps({"rasa_whatsapp_channel.WhatsAppInput": block}))
    return file


Apart = Callable[..., Any]


@pytest.fixture
def apart(platform: Any, tmp_path: Path) -> Apart:
    """Run `rasa-whatsapp serve` on the store that the fixture `serve` uses."""

    @asynccontextmanager
    async def apart(name: str = "serve", *options: str, **settings: Any) -> AsyncIterator[Served]:
        server = StandAlone(
            tmp_path,
            port=free_port(),
            name=name,
            credentials=credentials_of(tmp_path, platform[1], **settings).read_text(),
            more=options,
        )
        server.process.start()
        try:
            await server.ready()
            async with aiohttp.ClientSession() as session:
                yield Served(server.process, server.port, session)
        finally:
            server.process.stop()

    return apart


def said(sent: list[dict[str, Any]]) -> list[str]:
    return [message["text"]["body"] for message in sent]


async def test_a_message_comes_in_here_is_heard_there_and_is_answered_from_here(
    apart, serve, platform
):
    async with apart() as door, serve(echo, **BOT) as rasa:
        assert await door.deliver("Grüße 👋") == 200

        assert said(await platform[0].sends(1)) == ["Grüße 👋"]
        (heard,) = rasa.agent.heard
        assert heard.text == "Grüße 👋"
        _, counted = await door.get("/metrics")
        _, by_bot = await rasa.get("/metrics")
    assert 'whatsapp_sent_total{type="text"} 1.0' in counted
    assert 'whatsapp_sent_total{type="text"} 1.0' not in by_bot
    assert "whatsapp_turns_handled_total 1.0" in by_bot


async def test_what_comes_in_while_rasa_is_away_is_answered_when_it_is_back(apart, serve, platform):
    async with apart() as door:
        assert [await door.deliver(f"m{n}", first=n) for n in range(3)] == [200, 200, 200]
        assert (await door.health())["inbox"]["waiting"] == 3

        async with serve(echo, **BOT):
            assert said(await platform[0].sends(3)) == ["m0", "m1", "m2"]


async def test_what_rasa_said_is_sent_though_it_has_ended(apart, serve, platform):
    platform[0].gate.clear()
    async with apart() as door:
        async with serve(echo, **BOT):
            await door.deliver("hello", "and more")
            await eventually(lambda: waits_in_outbox(door, 2))
        platform[0].gate.set()

        assert said(await platform[0].sends(2)) == ["hello", "and more"]


async def waits_in_outbox(door: Served, count: int) -> bool:
    return (await door.health())["outbox"]["waiting"] == count


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'whatsapp.db'}"
    return f"{request.getfixturevalue('redis').url}?name={uuid4().hex}"


@pytest.fixture
def handed(store: str, desk: DeskServer) -> dict[str, Any]:
    """Settings of both processes."""
    return {
        "store": store,
        "handoff": {"desk": "webhook", "url": desk.url, "secret": DESK_SECRET},
    }


async def taken(served: Served) -> Door:
    """Let a colleague take the conversation by writing in it."""
    door = Door(served.url, PHONE)
    assert (await door.asks("messages", {"client_id": "1", "text": "Eve here"}))[0] == 202
    return door


async def test_a_desk_writes_by_it_and_hears_of_it_while_rasa_is_away(
    apart, serve, platform, desk, handed
):
    platform[0].files["17"] = PICTURE, "image/jpeg"
    async with apart(**handed) as served:
        door = await taken(served)
        assert said(await platform[0].sends(1)) == ["Eve here"]
        await served.deliver("to Eve")
        lake = {"media_id": "17", "sha256": PICTURE_SHA256}
        await served.deliver(picture(PHONE, "wamid.in2", "my lake", **lake))
        told = await desk.hears("message.received", 2)

        assert desk.texts() == ["to Eve", "my lake"]
        assert told["message"]["media"]["size"] == len(PICTURE)
        assert desk.types() == ["owner.changed", "message.received", "message.received"]
        async with serve(echo, **handed, **BOT) as rasa:
            await served.deliver("and more", first=3)
            await desk.hears("message.received", 3)
            await door.asks("owner", {"owner": "bot"})
            await desk.hears("owner.changed", 2)
            await served.deliver("to the bot", first=4)
            assert said((await platform[0].sends(3))[2:]) == ["to the bot"]
    at_return, after = (message.text for message in rasa.agent.heard)
    places = [at_return.index(words) for words in ("to Eve", "my lake", "and more")]
    assert places == sorted(places)
    assert desk.texts() == ["to Eve", "my lake", "and more"]
    assert [event["sequence"] for event in desk.told] == [1, 2, 3, 4, 5]
    assert after == "to the bot"


async def test_what_waits_for_rasa_as_a_colleague_takes_it_comes_to_the_desk_in_order(
    apart, serve, platform, desk, handed
):
    async with apart(**handed) as served:
        await served.deliver("is nobody there?")
        await taken(served)
        await served.deliver("to Eve", first=2)
        await desk.hears("message.received", 2)
        async with serve(echo, **handed, **BOT) as rasa:
            await is_empty(served)
    assert desk.texts() == ["is nobody there?", "to Eve"]
    assert rasa.agent.heard == []
    assert said(platform[0].sent) == ["Eve here"]


async def test_a_return_and_what_comes_after_it_wait_for_rasa(apart, serve, platform, desk, handed):
    async with apart(**handed) as served:
        door = await taken(served)
        await served.deliver("to Eve")
        await desk.hears("message.received")
        await door.asks("messages", {"client_id": "2", "text": "Bye"})
        await door.asks("owner", {"owner": "bot"})
        await served.deliver("to the bot", first=2)
        await served.deliver("this, too", first=3)
        assert (await door.state())["owner"] == "human"
        async with serve(echo, **handed, **BOT) as rasa:
            assert said(await platform[0].sends(4))[2:] == ["to the bot", "this, too"]
            await is_empty(served)
    assert desk.texts() == ["to Eve"]
    assert [message.text for message in rasa.agent.heard] == ["to the bot", "this, too"]


async def test_a_desk_hears_of_it_though_rasa_still_loads_its_model(
    apart, serve, platform, desk, handed
):
    async with apart(**handed) as served, serve(echo, **handed, **BOT) as rasa:
        rasa.agent.ready = False
        await taken(served)
        await served.deliver("to Eve")
        await desk.hears("message.received")
        rasa.agent.ready = True
        await is_empty(served)
    assert desk.texts() == ["to Eve"]
    assert rasa.agent.heard == []


async def is_empty(served: Served) -> None:
    async def empty() -> bool:
        return (await served.health())["inbox"]["waiting"] == 0

    await eventually(empty)


async def test_rasa_takes_no_webhooks_then(serve, caplog):
    async with serve(echo, **BOT) as rasa:
        assert await rasa.deliver(texts("hello")) == 404
        _, page = await rasa.get("/metrics")

    assert 'whatsapp_webhooks_refused_total{reason="role"} 1.0' in page
    assert "let WhatsApp call `rasa-whatsapp serve`" in caplog.text


async def test_health_says_what_no_process_does(apart, serve):
    async with apart() as door:
        health = await door.health()
        assert health["status"] == "degraded"
        assert health["missing"] == ["no process runs the bot, so what comes in waits"]
        async with serve(echo, **BOT) as rasa:
            await eventually(lambda: is_well(door))
            assert "missing" not in await rasa.health()


async def is_well(door: Served) -> bool:
    return (await door.health())["status"] == "ok"


async def test_rasa_says_that_nobody_takes_webhooks_and_sends(serve):
    async with serve(echo, **BOT) as rasa:
        health = await rasa.health()

    assert health["missing"] == [
        "no process takes webhooks, so nothing comes in",
        "no process sends, so what the bot says waits",
    ]


async def test_several_share_the_work_and_send_each_message_once(apart, serve, platform):
    async with apart("one") as one, apart("two") as two, serve(echo, **BOT):
        for number in range(20):
            assert await (one, two)[number % 2].deliver(f"m{number}", first=number) == 200

        assert said(await platform[0].sends(20)) == [f"m{number}" for number in range(20)]


async def test_one_may_take_webhooks_and_another_one_send(apart, serve, platform):
    async with apart("door", "--role", "door") as door:
        assert "no process sends, so what the bot says waits" in (await door.health())["missing"]
        async with apart("sender", "--role", "sender") as sender, serve(echo, **BOT):
            assert await sender.deliver("hello") == 404
            assert await door.deliver("hello") == 200

            assert said(await platform[0].sends(1)) == ["hello"]


async def test_a_webhook_is_verified_and_answers_are_those_of_rasas_server(apart, serve):
    question = "/webhook?hub.mode=subscribe&hub.challenge=17&hub.verify_token="
    asked = ["/", f"{question}a-verify-token", f"{question}wrong", "/nothing"]
    async with apart(roles=["door", "bot", "sender"]) as door, serve(echo) as rasa:
        await eventually(lambda: is_well(door))
        here = [await door.get(path) for path in asked[:3]]
        there = [await rasa.get(path) for path in asked[:3]]
        assert here == there
        assert [status for status, _ in here] == [200, 200, 401]
        assert (await door.get(asked[3]))[0] == 404
        body, _ = signed(texts("hello"))
        async with aiohttp.ClientSession() as session:
            forged = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
            async with session.post(f"{door.url}/webhook", data=body, headers=forged) as answer:
                assert answer.status == 401


RAW = {
    # What is sent, and how it is answered.
    "a chunk without a length": (
        "Transfer-Encoding: chunked",
        b"not-a-length\r\n",
        b"400",
    ),
    "more than is read": (
        "Content-Length: 99999999",
        b"",
        b"413",
    ),
    "a length that is none": ("Content-Length: many", b"", b"400"),
}


@pytest.mark.parametrize("case", RAW)
async def test_a_malformed_body_is_refused_and_its_connection_closed(apart, case):
    header, body, expected = RAW[case]
    async with apart() as door:
        port = int(door.url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        signature = "X-Hub-Signature-256: sha256=" + "0" * 64
        head = f"POST /webhooks/whatsapp/webhook HTTP/1.1\r\nHost: x\r\n{signature}\r\n{header}"
        writer.write(f"{head}\r\n\r\n".encode() + body)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)  # until it is closed
        writer.close()
        assert (await door.get())[0] == 200

    assert answer.split()[1] == expected
    assert "Traceback" not in door.process.tail(200)


async def test_a_caller_that_waits_for_100_continue_gets_it_if_it_may_call(apart):
    body, headers = signed(texts("hello"))
    async with apart() as door:
        port = int(door.url.split(":")[2].split("/")[0])
        lines = [
            "POST /webhooks/whatsapp/webhook HTTP/1.1",
            "Host: x",
            "Expect: 100-continue",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write("\r\n".join([*lines, "", ""]).encode())
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await reader.readline()
        writer.write(body)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_what_it_has_in_hand_when_it_is_asked_to_stop(
    apart, serve, platform, tmp_path, how
):
    async with apart() as door, serve(echo, **BOT):
        platform[0].gate.clear()
        await door.deliver("hello")
        await eventually(lambda: platform[0].waiting)

        door.process.send(how)
        await eventually(lambda: "whatsapp.stopping" in door.process.tail())
        platform[0].gate.set()
        assert await door.process.ends() == 0

        assert said(platform[0].sent) == ["hello"]
        assert await waits_in_none(tmp_path)
    assert "Traceback" not in door.process.tail(200)


async def waits_in_none(folder: Path) -> bool:
    async with open_store(f"sqlite:///{folder / 'whatsapp.db'}") as store:
        return [(await queue.depth()).waiting for queue in (store.inbox, store.outbox)] == [0, 0]


def run(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "rasa_whatsapp_channel", "serve", *options]
    ended = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(PROJECT)}, capture_output=True, timeout=60
    )
    return ended.returncode, ended.stderr.decode()


async def test_a_mistake_is_told_with_its_remedy(tmp_path):
    url = "http://127.0.0.1:1"
    assert run(tmp_path) == (
        1,
        "Error: credentials.yml: does not exist; go to the bot's folder, or name it with "
        "--credentials\n",
    )

    credentials_of(tmp_path, url, store="memory:", roles=["door", "bot", "sender"])
    status, told = run(tmp_path)
    assert (status, "where Rasa's cannot see it" in told) == (1, True)

    credentials_of(tmp_path, url, store="memory:")
    status, told = run(tmp_path)
    assert (status, "'roles' leaves work to other processes" in told) == (1, True)

    credentials_of(tmp_path, url, roles=["bots"])
    status, told = run(tmp_path)
    assert (status, "'roles' must be a list with some of door, bot, sender" in told) == (1, True)

    credentials_of(tmp_path, url, store=f"sqlite:///{tmp_path}/nowhere/whatsapp.db")
    status, told = run(tmp_path)
    assert (status, "nowhere does not exist; make it" in told) == (1, True)

    credentials_of(tmp_path, url, transcribe="my_bot.words")
    status, told = run(tmp_path)
    assert (status, "'transcribe': my_bot.words cannot be imported" in told) == (1, True)

    credentials_of(tmp_path, url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, told = run(tmp_path, "--host", "127.0.0.1", "--port", port)
    assert status == 1
    assert f"Error: cannot listen on 127.0.0.1:{port}" in told
    assert "give another one with --port" in told
    assert "Traceback" not in told


def test_neither_rasa_nor_sanic_is_imported():
    imported = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import rasa_whatsapp_channel.server, rasa_whatsapp_channel.cli.commands.serve, sys;"
            "print(sorted({'rasa', 'sanic', 'numpy', 'tensorflow'} & set(sys.modules)))",
        ],
        env={"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        timeout=60,
    )
    assert imported.stdout.decode().strip() == "[]"


async def test_a_connection_that_says_nothing_does_not_keep_it_from_stopping(apart):
    async with apart() as door:
        port = int(door.url.split(":")[2].split("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port)

        door.process.send(signal.SIGTERM)
        assert await door.process.ends() == 0
        writer.close()
