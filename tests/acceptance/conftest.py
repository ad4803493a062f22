"""One bot, trained once; for each API one simulator and one Rasa that serves the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from support.bot import MEDIA, QUICKSTART, credentials, train, write_bot
from support.ports import free_port
from support.processes import PHONE, Person, RasaServer, Simulator
from support.side_by_side import SideBySide, begun
from support.stubs import Forge

APIS = ("cloud", "on_premises")


@dataclass(frozen=True)
class World:
    """What a test needs of one API."""

    api: str
    folder: Path
    simulator: Simulator
    rasa: RasaServer

    def media(self, name: str) -> bytes:
        return (QUICKSTART / "media" / name).read_bytes()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worlds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, World]]:
    folder = tmp_path_factory.mktemp("bot")
    ports = {api: free_port() for api in APIS}
    async with AsyncExitStack() as stack:
        media_url = await stack.enter_async_context(files_over_http(QUICKSTART / "media"))
        simulators = {}
        for api in APIS:
            simulator = Simulator(folder, api=api, bot_port=ports[api])
            stack.callback(simulator.process.stop)
            await simulator.start()
            simulators[api] = simulator
        await write_bot(folder, media_url, simulators)
        train(folder)
        worlds = {}
        for api, simulator in simulators.items():
            block = credentials(api, simulator)
            rasa = RasaServer(folder, port=ports[api], name=api, credentials=block)
            stack.callback(rasa.process.stop)
            rasa.process.start()
            worlds[api] = World(api, folder, simulator, rasa)
        for world in worlds.values():
            await world.rasa.ready()
        yield worlds


@pytest.fixture(params=APIS)
def world(request: pytest.FixtureRequest, worlds: dict[str, World]) -> World:
    return worlds[request.param]


@pytest_asyncio.fixture(loop_scope="session")
async def maya(world: World) -> AsyncIterator[Person]:
    """Maya, who is in every simulator from the start, with an empty chat."""
    async with aiohttp.ClientSession() as session:
        maya = Person(session, world.simulator, PHONE)
        await maya.looks()
        yield maya


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beside(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forge: Forge
) -> AsyncIterator[SideBySide]:
    """All tests of a module that wait at the same time."""
    async with begun(request, tmp_path_factory.mktemp("beside"), forge) as beside:
        yield beside


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Show *what* at the end of the test run, whether the test passes or not."""

    def show(what: object) -> None:
        record_property("figures", str(what))

    return show


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [
        f"{report.nodeid.rsplit('::', 1)[-1]}\n    {value}"
        for report in reports
        for name, value in report.user_properties
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(lines))


@asynccontextmanager
async def files_over_http(folder: Path) -> AsyncIterator[str]:
    """Serve *folder* with the types WhatsApp asks for: a bare audio/ogg would be refused."""
    types = {file: mime_type for _, file, _, mime_type in MEDIA}

    async def serve(request: web.Request) -> web.Response:
        file = request.match_info["file"]
        if file not in types:
            raise web.HTTPNotFound
        return web.Response(
            body=(folder / file).read_bytes(), headers={"Content-Type": types[file]}
        )

    app = web.Application()
    app.router.add_get("/{file}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
