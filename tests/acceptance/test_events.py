"""A form of Rasa's that asks for a street, and what people and WhatsApp do meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from support.bot import QUICKSTART, credentials, train, write
from support.ports import free_port
from support.processes import Person, RasaServer, Simulator

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS = "Which street is it?"
CONFIG = {
    "recipe": "default.v1",
    "assistant_id": "streets",
    "language": "en",
    "pipeline": [{"name": "KeywordIntentClassifier"}],
    "policies": [{"name": "RulePolicy"}],
}
DOMAIN = {
    "version": "3.1",
    "intents": ["address", "recall", "whatsapp_reaction", "whatsapp_sticker", "whatsapp_location"],
    "entities": ["emoji", "message_id"],
    "slots": {
        "street": {
            "type": "text",
            "influence_conversation": False,
            "mappings": [
                {
                    "type": "from_text",
                    "conditions": [{"active_loop": "address_form", "requested_slot": "street"}],
                }
            ],
        }
    },
    "forms": {"address_form": {"required_slots": ["street"]}},
    "actions": ["action_recall"],
    "responses": {
        "utter_ask_street": [{"text": ASKS}],
        "utter_known": [{"text": "It is {street}."}],
    },
}
ASK_AND_FILL = [
    {
        "rule": "ask",
        "steps": [
            {"intent": "address"},
            {"action": "action_reset"},
            {"action": "address_form"},
            {"active_loop": "address_form"},
        ],
    },
    {
        "rule": "the form is filled",
        "condition": [{"active_loop": "address_form"}],
        "steps": [
            {"action": "address_form"},
            {"active_loop": None},
            {"slot_was_set": [{"requested_slot": None}]},
            {"action": "utter_known"},
        ],
    },
    {"rule": "recall", "steps": [{"intent": "recall"}, {"action": "action_recall"}]},
]
NLU = [
    {"intent": "address", "examples": "- address\n"},
    {"intent": "recall", "examples": "- recall\n"},
]


@dataclass
class World:
    simulator: Simulator
    rasa: RasaServer
    session: aiohttp.ClientSession

    async def counts(self, line: str, number: float, *, within: float = 60.0) -> None:
        """Wait until a line of the page of metrics says *number*."""
        end = time.monotonic() + within
        while True:
            async with self.session.get(f"{self.rasa.url}/webhooks/whatsapp/metrics") as answer:
                lines = (await answer.text()).splitlines()
            if f"{line} {number:.1f}" in lines:
                return
            assert time.monotonic() < end, lines
            await asyncio.sleep(0.1)


def write_bot(folder: Path) -> None:
    write(folder / "config.yml", CONFIG)
    domain = {**DOMAIN, "actions": [*DOMAIN["actions"], "action_reset"]}
    write(folder / "domain.yml", domain)
    write(folder / "data" / "all.yml", {"version": "3.1", "nlu": NLU, "rules": ASK_AND_FILL})


async def run_action(request: web.Request) -> web.Response:
    """Forget the street, or tell what the tracker holds of WhatsApp, as docs/inbound.md says."""
    call: dict[str, Any] = json.loads(await request.read())
    if call["next_action"] == "action_reset":
        events = [{"event": "slot", "name": "street", "value": None}]
        return web.json_response({"events": events, "responses": []})
    told = []
    for event in call["tracker"]["events"]:
        facts = (event.get("metadata") or {}).get("whatsapp")
        if event["event"] != "export" or not facts:
            continue
        if facts["type"] == "reaction":
            reaction = facts["reaction"]
            told.append(f"{reaction['emoji'] or 'nothing'} at {reaction['response']}")
        elif facts["type"] == "delivery_failed":
            told.append(f"{facts['code']} {facts['title']}: {facts['response']}")
        else:
            told.append(facts["type"])
    return web.json_response({"events": [], "responses": [{"text": "\n".join(told) or "Nothing"}]})


@asynccontextmanager
async def action_server() -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/webhook", run_action)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("streets")
    write_bot(folder)
    train(folder, "domain.yml")
    port = free_port()
    async with AsyncExitStack() as stack:
        actions = await stack.enter_async_context(action_server())
        trackers = {"type": "SQL", "dialect": "sqlite", "db": str(folder / "rasa.db")}
        endpoints = {"action_endpoint": {"url": actions}, "tracker_store": trackers}
        write(folder / "endpoints.yml", endpoints)
        simulator = Simulator(folder, api="cloud", bot_port=port)
        stack.callback(simulator.process.stop)
        await simulator.start()
        inbound = {"sticker": "ignore", "location": "event"}
        block = credentials("cloud", simulator, inbound=inbound)
        rasa = RasaServer(folder, port=port, name="streets", credentials=block)
        stack.callback(rasa.process.stop)
        rasa.process.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await rasa.ready()
        yield World(simulator, rasa, session)


async def asked(world: World, phone: str) -> tuple[Person, str]:
    """Let somebody new be asked for a street; return also the id of the question."""
    person = await Person(world.session, world.simulator, phone).joins()
    await person.says("address")
    [question] = await person.gets(1)
    assert question["content"]["body"] == ASKS
    return person, question["id"]


async def lives_in_lake_road(person: Person) -> None:
    await person.says("Lake Road 1")
    [answer] = await person.gets(1)
    assert answer["content"]["body"] == "It is Lake Road 1."


async def recalls(person: Person) -> list[str]:
    await person.says("recall")
    [answer] = await person.gets(1)
    return str(answer["content"]["body"]).splitlines()


async def test_a_reaction_is_no_answer_and_an_action_can_read_it(world: World) -> None:
    person, question = await asked(world, "4915100000001")

    await person.sends({"type": "reaction", "reaction": {"message_id": question, "emoji": "👍"}})
    await person.sends({"type": "reaction", "reaction": {"message_id": question, "emoji": ""}})

    await lives_in_lake_road(person)
    assert await recalls(person) == ["👍 at utter_ask_street", "nothing at utter_ask_street"]


async def test_a_message_that_failed_is_no_answer_and_an_action_can_read_why(world: World) -> None:
    fails = {"on": "statuses", "when": {"next": 1}, "do": {"code": 131026}}
    async with world.session.post(f"{world.simulator.url}/simulator/faults", json=fails) as answer:
        assert answer.status == 200, await answer.text()
    person, _ = await asked(world, "4915100000002")
    await world.counts('whatsapp_tracker_events_total{type="delivery_failed"}', 1)

    await lives_in_lake_road(person)
    [told] = await recalls(person)
    assert told.startswith("131026 ")
    assert told.endswith(": utter_ask_street")


async def test_what_the_settings_keep_or_ignore_is_no_answer_either(world: World) -> None:
    person, _ = await asked(world, "4915100000003")
    sun = (QUICKSTART / "media" / "sun.webp").read_bytes()

    await person.sends_file("sticker", sun, filename="sun.webp", mime_type="image/webp")
    place = {"latitude": 47.9, "longitude": 11.3}
    await person.sends({"type": "location", "location": place})

    await lives_in_lake_road(person)
    assert await recalls(person) == ["location"]
    await world.counts('whatsapp_ignored_total{type="sticker"}', 1)
    await world.counts('whatsapp_tracker_events_total{type="location"}', 1)
