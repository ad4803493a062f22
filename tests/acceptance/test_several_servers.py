"""The files of examples/several-servers, at work: two Rasa servers, one Redis, one of them dies."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from support.documents import blocks_of
from support.ports import free_port
from support.processes import PHONE, PROJECT, Person, RasaServer, Simulator
from support.redis_server import RedisServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = PROJECT / "examples" / "several-servers"


@asynccontextmanager
async def balancing(port: int, targets: list[str]) -> AsyncIterator[None]:
    """Hand each webhook to the next server, and to the other one when it does not answer."""
    turn = itertools.cycle(targets)

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {"X-Hub-Signature-256": request.headers["X-Hub-Signature-256"]}
        for _ in targets:
            try:
                url = next(turn) + request.path
                async with session.post(url, data=body, headers=headers) as answer:
                    return web.Response(status=answer.status)
            except aiohttp.ClientError:
                continue
        return web.Response(status=502)

    app = web.Application()
    app.router.add_post("/webhooks/whatsapp/webhook", forward)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as session:
        try:
            yield
        finally:
            await runner.cleanup()


def write_endpoints(folder: Path, redis: RedisServer) -> None:
    endpoints = yaml.safe_load((EXAMPLE / "endpoints.yml").read_text())
    for store in endpoints.values():
        store["port"] = redis.port
    (folder / "endpoints.yml").write_text(yaml.safe_dump(endpoints))


def credentials(simulator: Simulator, redis: RedisServer) -> str:
    text = (EXAMPLE / "credentials.yml").read_text()
    text = text.replace("http://127.0.0.1:8400", simulator.url)
    return text.replace("redis://127.0.0.1:6379/0", redis.url)


async def test_what_runs_here_is_what_the_readme_says():
    [printed] = blocks_of(EXAMPLE / "README.md", "sh")
    redis, simulator, *servers = printed.commands

    assert redis.startswith("redis-server --appendonly yes ")
    assert simulator == "rasa-whatsapp simulate"
    assert len(servers) == 2
    assert all(server.startswith("TICKET_LOCK_LIFETIME=20 rasa run ") for server in servers)


async def test_two_servers_share_the_work_and_one_goes_on_alone(worlds, tmp_path):
    folder = worlds["cloud"].folder
    redis = RedisServer(tmp_path, appendonly="yes")
    port = free_port()
    async with AsyncExitStack() as stack:
        stack.callback(redis.kill)
        redis.start()
        write_endpoints(folder, redis)
        simulator = Simulator(tmp_path, api="cloud", bot_port=port)
        stack.callback(simulator.process.stop)
        await simulator.start()
        servers = []
        for name in ("first", "second"):
            block = credentials(simulator, redis)
            server = RasaServer(
                folder,
                port=free_port(),
                name=name,
                credentials=block,
                TICKET_LOCK_LIFETIME="20",  # see docs/several-servers.md
            )
            stack.callback(server.process.stop)
            server.process.start()
            servers.append(server)
        for server in servers:
            await server.ready()
        await stack.enter_async_context(balancing(port, [server.url for server in servers]))
        session = await stack.enter_async_context(aiohttp.ClientSession())

        maya = Person(session, simulator, PHONE)
        others = [Person(session, simulator, f"49151000000{n}") for n in range(5)]
        people = [maya, *[await other.joins() for other in others]]
        for _ in range(3):
            await asyncio.gather(*(person.says("menu") for person in people))
            answers = await asyncio.gather(*(person.gets(1) for person in people))
            assert {answer["type"] for (answer,) in answers} == {"interactive"}

        mark = folder / "turn-has-begun"
        mark.unlink(missing_ok=True)
        await maya.says("answer me slowly")
        await maya.waits_for(lambda: mark.exists() and bool(mark.read_text()))
        killed = next(server for server in servers if server.process.pid == int(mark.read_text()))
        killed.process.kill()

        (answer,) = await maya.gets(1, within=180)
        assert answer["content"]["body"] == "See you at the lake!"
        await asyncio.gather(*(person.says("menu") for person in people[1:]))
        await asyncio.gather(*(person.gets(1) for person in people[1:]))
        assert await maya.new_answers() == []
