"""
What Rasa 3.6 needs goes away while people write: they are all answered afterwards, and rightly.

    OUTAGE=180 make test ARGS=tests/acceptance/test_outage_of_rasa.py

keeps each of it away for three minutes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from support.bot import credentials, train, write
from support.eventually import eventually
from support.ports import free_port
from support.processes import Person, RasaServer, Simulator
from support.redis_server import RedisServer
from support.small_bot import ActionServer, action_server, write_bot

pytestmark = pytest.mark.asyncio(loop_scope="session")
pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

OUTAGE = float(os.environ.get("OUTAGE", "8"))  # seconds, in which Rasa is asked again and again
PEOPLE = 5
SILENCED = 'whatsapp_turns_silenced_total{reason="paused"}'
WITHIN = 120.0  # seconds after the outage in which everybody is answered, on a busy machine


@dataclass
class Server:
    """A Rasa at work, and what it needs."""

    rasa: RasaServer
    simulator: Simulator
    session: aiohttp.ClientSession
    locks: RedisServer
    trackers: RedisServer
    actions: ActionServer
    folder: Path
    _joined: int = 0

    async def people(self, count: int = PEOPLE) -> list[Person]:
        """Let somebody new come; each has written a note before."""
        people = []
        for _ in range(count):
            self._joined += 1
            person = Person(self.session, self.simulator, f"49151000000{self._joined:02}")
            people.append(await person.joins())
        for person in people:
            await person.says(f"note {person.phone}")
        for person in people:
            [answer] = await person.gets(1)
            assert answer["content"]["body"] == "Noted."
        return people

    async def health(self) -> dict[str, Any]:
        async with self.session.get(f"{self.rasa.url}/webhooks/whatsapp/") as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def metric(self, line: str) -> float:
        async with self.session.get(f"{self.rasa.url}/webhooks/whatsapp/metrics") as answer:
            page = await answer.text()
        [value] = [each.rpartition(" ")[2] for each in page.splitlines() if each.startswith(line)]
        return float(value)

    async def says(self, what: str | None, *, within: float = 60.0) -> dict[str, Any]:
        """Wait until the health page names *what* as away; None: nothing is."""
        end = time.monotonic() + within
        while True:
            health = await self.health()
            away = [each["what"] for each in health.get("away", [])]
            if away == ([what] if what else []):
                return health
            assert time.monotonic() < end, health
            await asyncio.sleep(0.2)

    def lines(self, event: str) -> list[str]:
        log = self.rasa.process.log.read_text(errors="replace")
        return [line for line in log.splitlines() if event in line]


@asynccontextmanager
async def serving(
    folder: Path, name: str, tracker_store: dict[str, Any], **settings: Any
) -> AsyncIterator[Server]:
    """Serve the bot in *folder*, with a Redis for its locks and one for its trackers."""
    async with AsyncExitStack() as stack:
        redis = {}
        for part in ("locks", "trackers"):
            (folder / f"{name}-{part}").mkdir()
            # Else a Redis that comes back has forgotten everything.
            redis[part] = RedisServer(folder / f"{name}-{part}", appendonly="yes")
            stack.callback(redis[part].kill)
            redis[part].start()
        actions = await stack.enter_async_context(action_server(free_port()))
        store = tracker_store or {
            "type": "redis",
            "url": "127.0.0.1",
            "port": redis["trackers"].port,
        }
        endpoints = {
            "lock_store": {"type": "redis", "url": "127.0.0.1", "port": redis["locks"].port},
            "tracker_store": store,
            "action_endpoint": {"url": f"http://127.0.0.1:{actions.port}/webhook"},
        }
        write(folder / "endpoints.yml", endpoints)
        port = free_port()
        simulator = Simulator(folder, api="cloud", bot_port=port)
        stack.callback(simulator.process.stop)
        await simulator.start()
        block = credentials("cloud", simulator, **{"store": f"sqlite:///{name}.db", **settings})
        rasa = RasaServer(
            folder,
            port=port,
            name=name,
            credentials=block,
            more=["--enable-api"],
        )
        stack.callback(rasa.process.stop)
        rasa.process.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await rasa.ready()
        yield Server(rasa, simulator, session, redis["locks"], redis["trackers"], actions, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small-bot")
    write_bot(folder)
    train(folder, "domain.yml")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(bot: Path) -> AsyncIterator[Server]:
    async with serving(bot, "redis", {}) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sql_server(bot: Path) -> AsyncIterator[Server]:
    """Another one, whose trackers are in a file, and whose turns wait for the action server."""
    (bot / "trackers").mkdir()
    store = {"type": "SQL", "dialect": "sqlite", "db": str(bot / "trackers" / "rasa.db")}
    async with serving(bot, "sql", store, wait_for_action_server=True) as server:
        yield server


async def ticks_have_come(server: Server) -> None:
    """Return when the first message of somebody new has blue ticks; earlier ones had theirs."""
    [person] = await server.people(1)

    async def are_blue() -> bool:
        return await person.ticks() == ["blue"]

    await eventually(are_blue)


async def everybody_is_answered_afterwards(
    server: Server,
    what: str,
    *,
    goes: Callable[[], object],
    comes: Callable[[], object],
    figures: Callable[[object], None],
) -> None:
    people = await server.people()
    began, ended = len(server.lines("outage_began")), len(server.lines("outage_over"))

    goes()
    down = time.monotonic()
    for person in people:
        await person.says("recall")
        await asyncio.sleep(min(OUTAGE / 10, 2))
    health = await server.says(what)
    assert health["status"] == "degraded"
    assert await server.metric(f'whatsapp_bot_away{{what="{what.replace(" ", "_")}"}}') == 1
    await asyncio.sleep(max(down + OUTAGE - time.monotonic(), 0))
    assert [await person.new_answers() for person in people] == [[]] * PEOPLE

    up = time.monotonic()
    comes()
    answers = await asyncio.gather(*(person.gets(1, within=WITHIN) for person in people))
    took = time.monotonic() - up
    figures(
        f"{what} away for {up - down:.0f} s: {len(answers)} of {PEOPLE} people answered, "
        f"the last {took:.0f} s after it came back\n"
        + "\n".join(server.lines("outage_began")[began:] + server.lines("outage_over")[ended:])
    )

    # Who was taken for a newcomer would hear "None".
    said = [answer["content"]["body"] for (answer,) in answers]
    assert said == [f"You said: note {person.phone}" for person in people]
    health = await server.says(None)
    assert health["status"] == "ok"
    assert (health["inbox"]["waiting"], health["inbox"]["dead_letters"]) == (0, 0)
    assert len(server.lines("outage_began")) == began + 1
    assert len(server.lines("outage_over")) == ended + 1


async def test_while_the_lock_store_is_away_messages_wait_and_are_answered_afterwards(
    server, figures
):
    await everybody_is_answered_afterwards(
        server, "lock store", goes=server.locks.kill, comes=server.locks.start, figures=figures
    )


async def test_while_the_tracker_store_is_away_nobody_is_taken_for_a_newcomer(server, figures):
    await everybody_is_answered_afterwards(
        server,
        "tracker store",
        goes=server.trackers.kill,
        comes=server.trackers.start,
        figures=figures,
    )


async def test_a_lock_store_that_takes_connections_and_does_not_answer_is_an_outage_as_well(server):
    people = await server.people(3)

    server.locks.pause()
    for person in people:
        await person.says("recall")
    # Rasa asks it from its event loop, and gives up after ten seconds; until then all stands still.
    await people[0].waits_for(lambda: "Timeout" in "".join(server.lines("outage_began")[-1:]))
    await asyncio.sleep(5)
    server.locks.resume()

    answers = await asyncio.gather(*(person.gets(1, within=WITHIN) for person in people))
    said = [answer["content"]["body"] for (answer,) in answers]
    assert said == [f"You said: note {person.phone}" for person in people]
    assert (await server.says(None))["inbox"]["dead_letters"] == 0


async def test_a_tracker_store_in_sql_that_goes_away_is_an_outage_as_well(sql_server, figures):
    database, away = sql_server.folder / "trackers", sql_server.folder / "away"
    await everybody_is_answered_afterwards(
        sql_server,
        "tracker store",
        goes=lambda: database.rename(away),
        comes=lambda: away.rename(database),
        figures=figures,
    )


async def test_where_it_is_wanted_a_turn_waits_for_the_action_server(sql_server):
    [ann] = await sql_server.people(1)

    await sql_server.actions.close()
    await ann.says("order")
    await sql_server.says("action server")
    [moment] = await ann.gets(1)
    assert moment["content"]["body"] == "One moment"
    assert sql_server.actions.orders == []

    await sql_server.actions.open()
    answers = await ann.gets(2)
    assert [answer["content"]["body"] for answer in answers] == ["Ordered.", "Done."]
    assert sql_server.actions.orders == [ann.phone]
    health = await sql_server.says(None)
    assert health["inbox"]["dead_letters"] == 0


async def test_a_service_that_one_message_needs_is_waited_for_and_nobody_else_waits(server):
    ann, ben = await server.people(2)

    await ann.says("break the line")
    health = await server.says("service")
    await ben.says("recall")
    [answer] = await ben.gets(1)

    assert answer["content"]["body"] == f"You said: note {ben.phone}"
    assert "ConnectionRefusedError" in health["away"][0]["reason"]
    assert (await server.health())["inbox"]["dead_letters"] == 0


async def test_an_error_of_the_bots_own_is_no_outage(server):
    [carla] = await server.people(1)
    failed = len(server.lines("whatsapp.turn_failed"))

    await carla.says("break yourself")
    await carla.waits_for(lambda: len(server.lines("whatsapp.turn_failed")) >= failed + 2)

    line = server.lines("whatsapp.turn_failed")[-1]
    assert "ZeroDivisionError: a slip of the bot's author" in line
    assert "lock store" not in str((await server.health()).get("away"))


async def test_an_action_that_did_not_run_is_noticed_and_said_once(server):
    ann, ben = await server.people(2)
    began = len(server.lines("outage_began"))
    missed = await server.metric('whatsapp_actions_failed_total{reason="away"}')

    await server.actions.close()
    for person in (ann, ben):
        await person.says("order")
        answers = await person.gets(2)  # as Rasa does it
        assert [answer["content"]["body"] for answer in answers] == ["One moment", "Done."]
    away = (await server.health())["away"]
    assert [each["reason"] for each in away if each["what"] == "action server"]
    assert await server.metric('whatsapp_actions_failed_total{reason="away"}') == missed + 2
    assert len(server.lines("outage_began")) == began + 1

    await server.actions.open()
    await ann.says("order")
    answers = await ann.gets(3)
    assert [answer["content"]["body"] for answer in answers] == ["One moment", "Ordered.", "Done."]
    away = (await server.health()).get("away", [])
    assert [each for each in away if each["what"] == "action server"] == []


async def test_while_a_person_has_taken_over_the_ticks_stay_grey(server):
    [dora] = await server.people(1)
    await dora.says("human")
    await dora.gets(1)
    before = await server.metric(SILENCED)

    await dora.says("recall")
    await dora.says("hello?")

    async def are_silenced() -> bool:
        return await server.metric(SILENCED) >= before + 2

    async def are_blue() -> bool:
        return (await dora.ticks()).count("blue") >= 2

    await eventually(are_silenced)
    await eventually(are_blue)
    await ticks_have_come(server)
    assert await dora.ticks() == ["blue", "blue", "grey", "grey"]
    assert len(server.lines("whatsapp.silenced")) == 1

    # As docs/inbound.md says.
    events = f"{server.rasa.url}/conversations/{dora.phone}/tracker/events"
    resume = [{"event": "resume"}, {"event": "action", "name": "action_listen"}]
    async with server.session.post(events, json=resume) as answer:
        assert answer.status == 200, await answer.text()
    await dora.says("recall")
    [answer] = await dora.gets(1)
    assert answer["content"]["body"] == f"You said: note {dora.phone}"


async def test_a_pause_from_outside_is_noticed_as_well(server):
    [emma] = await server.people(1)
    events = f"{server.rasa.url}/conversations/{emma.phone}/tracker/events"
    async with server.session.post(events, json={"event": "pause"}) as answer:
        assert answer.status == 200, await answer.text()

    before = await server.metric(SILENCED)
    await emma.says("recall")

    async def is_silenced() -> bool:
        return await server.metric(SILENCED) > before

    await eventually(is_silenced)
    await ticks_have_come(server)

    assert await emma.ticks() == ["blue", "grey"]
    assert await emma.new_answers() == []
