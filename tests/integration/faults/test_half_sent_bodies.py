"""Hundreds of connections whose bodies are left half sent, to a server in a real process."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from support.cloud_api import CloudApi, cloud_api
from support.eventually import eventually
from support.ports import free_port
from support.processes import PROJECT, Process
from support.webhooks import texts

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads memory as Linux tells it"
)

CALLERS = 300
LENGTH = 3 * 1024 * 1024  # the largest body that is read at all
SENT = LENGTH - 100_000
ROOM = 64  # MB
DELIVERED = 20  # webhooks of other people, meanwhile
SECRET = "an-app-secret"
CREDENTIALS = """
rasa_whatsapp_channel.WhatsAppInput:
  base_url: {url}
  phone_number_id: "106540352242922"
  access_token: a-token
  app_secret: an-app-secret
  verify_token: a-verify-token
  mark_read: false
"""


class Server:
    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}/webhooks/whatsapp"

    def memory(self) -> float:
        """Return what the process holds now, in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    async def refused(self) -> Counter[str]:
        """Return how many webhooks were refused, by reason."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as page:
            lines = (await page.text()).splitlines()
        found = [line for line in lines if line.startswith("whatsapp_webhooks_refused_total{")]
        return Counter({line.split('"')[1]: int(float(line.split()[-1])) for line in found})


# What serves the webhook. Only the first runs a bot, too, which answers.
SERVERS = {
    "sanic": ["-m", "support.lone_server", "{port}", "{file}"],
    "aiohttp": [
        *("-m", "rasa_whatsapp_channel", "serve"),
        *("--host", "127.0.0.1", "--port", "{port}", "--credentials", "{file}"),
    ],
}


@asynccontextmanager
async def serving(folder: Path, platform: CloudApi, kind: str) -> AsyncIterator[Server]:
    file = folder / "credentials.yml"
    file.write_text(CREDENTIALS.format(url=platform.url), encoding="utf-8")
    port = free_port()
    process = Process(
        "server",
        [sys.executable, *(each.format(port=port, file=file) for each in SERVERS[kind])],
        folder=folder,
        env={
            "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or Rasa Pro asks the internet for prices
        },
    )
    server = Server(process, port)
    process.start()
    try:
        await process.ready(f"{server.url}/")
        yield server
    finally:
        process.stop()


def signed(body: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def head(method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} /webhooks/whatsapp{path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


LOOKS_SIGNED = "X-Hub-Signature-256: sha256=" + "0" * 64
LARGEST = f"Content-Length: {LENGTH}"
CHUNKED = "Transfer-Encoding: chunked"
# What is sent, how much of a body behind it, and why the channel refuses it.
ATTACKS = {
    "unsigned": (head("POST", "/webhook", LARGEST), SENT, "signature"),
    "signed by somebody": (head("POST", "/webhook", LARGEST, LOOKS_SIGNED), SENT, "busy"),
    "in chunks": (head("POST", "/webhook", CHUNKED, LOOKS_SIGNED), SENT, "busy"),
    "short": (head("POST", "/webhook", "Content-Length: 65536", LOOKS_SIGNED), 65_000, "busy"),
    "too long": (
        head("POST", "/webhook", "Content-Length: 9999999", LOOKS_SIGNED),
        SENT,
        "too_large",
    ),
    "with a question": (head("GET", "/webhook", LARGEST), SENT, "challenge"),
    "to the health page": (head("GET", "/", LARGEST), SENT, None),
}


def parts(sent: bytes, size: int) -> Iterator[bytes]:
    """Return *sent* and a body that does not end."""
    yield sent
    while size > 0:
        part = b" " * min(size, 65_536)
        yield b"%x\r\n%b\r\n" % (len(part), part) if CHUNKED.encode() in sent else part
        size -= len(part)


async def call(port: int, sent: bytes, size: int, until: asyncio.Event) -> None:
    with suppress(ConnectionError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for part in parts(sent, size):
                writer.write(part)
                await writer.drain()
            await until.wait()
        finally:
            writer.transport.abort()


async def deliver(session: aiohttp.ClientSession, url: str, number: int) -> int:
    body = json.dumps(texts("Hello", phone=f"4915112345{number:04}")).encode()
    async with session.post(f"{url}/webhook", data=body, headers=signed(body)) as answer:
        return answer.status


@pytest.mark.parametrize("kind", SERVERS)
async def test_half_sent_bodies_take_little_memory_and_nobody_elses_turn(kind, tmp_path):
    grown, reasons, answers = {}, {}, []
    async with (
        cloud_api() as platform,
        serving(tmp_path, platform, kind) as server,
        aiohttp.ClientSession() as session,
    ):
        for number in range(5):  # what is loaded with the first webhooks
            await deliver(session, server.url, number)
        if kind == "sanic":
            await platform.takes(5)
        before, refused = server.memory(), await server.refused()
        for attack, (sent, size, why) in ATTACKS.items():
            over, most = asyncio.Event(), before
            callers = [
                asyncio.create_task(call(server.port, sent, size, over)) for _ in range(CALLERS)
            ]
            for _ in range(DELIVERED):
                number += 1
                answers.append(await deliver(session, server.url, number))
                most = max(most, server.memory())
                await asyncio.sleep(0.1)

            async def is_refused(why: str | None = why, before: Counter[str] = refused) -> bool:
                return why is None or bool((await server.refused() - before)[why])

            await eventually(is_refused)
            over.set()
            await asyncio.gather(*callers)
            grown[attack] = round(most - before)
            reasons[attack] = set(await server.refused() - refused)
            refused = await server.refused()
        if kind == "sanic":
            await platform.takes(number + 1)

    assert set(answers) == {200}
    assert {attack: size for attack, size in grown.items() if size >= ROOM} == {}
    assert reasons == {attack: {why} - {None} for attack, (*_, why) in ATTACKS.items()}
