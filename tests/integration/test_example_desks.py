"""The desks in examples/desks, beside a bot that asks for a person."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support import webhooks
from support.documents import ROOT
from support.eventually import eventually
from support.webhooks import envelope

PHONE = "4915112345678"
SECRET = "a secret of both"


async def bot(message: Any) -> None:
    asks = {"text": "I fetch somebody.", "metadata": {"whatsapp": {"handoff": "a refund"}}}
    await message.output_channel.send_response(message.sender_id, asks)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "desks"))
    monkeypatch.setenv("WHATSAPP_DESK_SECRET", SECRET)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in ("bot", "terminal", "zammad"):
        sys.modules.pop(name, None)


def handoff(server: TestServer) -> dict[str, Any]:
    return {"desk": "webhook", "url": str(server.make_url("/events")), "secret": SECRET}


def words(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["text"]["body"] for body in bodies]


async def test_a_terminal(load, serve, platform, capsys, monkeypatch):
    terminal = load("terminal")
    async with TestServer(terminal.app()) as server:
        async with serve(bot, handoff=handoff(server)) as running:
            monkeypatch.setenv("WHATSAPP_BOT", running.url.removesuffix("/webhooks/whatsapp"))
            asked = webhooks.text(PHONE, "wamid.in1", "my money back")
            await running.deliver(envelope([asked]))
            printed = ""

            def prints(text: str) -> bool:
                nonlocal printed
                printed += capsys.readouterr().out
                return text in printed

            await eventually(lambda: prints(f"{PHONE} user: my money back"))
            await terminal.type_line(f"{PHONE} Which order?")
            await platform[0].sends(2)
            await terminal.type_line(f"{PHONE} /done refunded")
            await eventually(lambda: prints("owner.changed"))
            assert "refused" not in printed
        url = server.make_url("/events")
        async with aiohttp.ClientSession() as session, session.post(url, data=b"{}") as answer:
            assert answer.status == 401
    assert words(platform[0].sent)[:2] == ["I fetch somebody.", "Which order?"]


async def test_zammad(load, serve, platform, monkeypatch):
    zammad, posted = load("zammad"), []

    async def keeps(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Token token=zammad-token"
        posted.append((request.path, await request.json()))
        return web.json_response({"id": 17}, status=201)

    other = web.Application()
    other.router.add_post("/api/v1/{what}", keeps)
    async with TestServer(other) as theirs, TestServer(zammad.app()) as server:
        monkeypatch.setenv("ZAMMAD_URL", str(theirs.make_url("")).rstrip("/"))
        monkeypatch.setenv("ZAMMAD_TOKEN", "zammad-token")
        monkeypatch.setenv("ZAMMAD_SECRET", "zammad-secret")

        async def triggers(state: str, **article: Any) -> int:
            ticket = {"id": 17, "title": f"WhatsApp {PHONE}", "state": state}
            body = json.dumps({"ticket": ticket, "article": article}).encode()
            signature = hmac.new(b"zammad-secret", body, hashlib.sha1).hexdigest()
            headers = {"X-Hub-Signature": f"sha1={signature}"}
            url = server.make_url("/zammad")
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, data=body, headers=headers) as answer,
            ):
                return answer.status

        async with serve(bot, handoff=handoff(server)) as running:
            monkeypatch.setenv("WHATSAPP_BOT", running.url.removesuffix("/webhooks/whatsapp"))
            asked = webhooks.text(PHONE, "wamid.in1", "my money back")
            await running.deliver(envelope([asked]))
            await eventually(lambda: len(posted) == 2)
            (_, ticket), (_, article) = posted
            assert (ticket["title"], ticket["article"]["body"]) == (f"WhatsApp {PHONE}", "a refund")
            assert (article["ticket_id"], article["body"].strip()) == (17, "my money back")

            note = {"id": 2, "sender": "Agent", "internal": True, "body": "she is angry"}
            said = {"id": 3, "sender": "Agent", "internal": False}
            said["body"] = "<div>Which order, <b>Ada</b> &amp; Co?</div>"
            assert await triggers("open", **note) == await triggers("open", **said) == 200
            assert await triggers("open", **said) == 200  # Zammad repeats what was not answered
            await platform[0].sends(2)
            assert await triggers("closed") == 200

            async def is_the_bots() -> bool:
                await running.deliver(envelope([webhooks.text(PHONE, "wamid.in2", "hello")]))
                return len(running.agent.heard) > 1

            await eventually(is_the_bots)
    assert words(platform[0].sent)[:2] == ["I fetch somebody.", "Which order, Ada & Co?"]
