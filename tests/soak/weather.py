"""
Rough weather: people ask a bot for sixty kinds of answers, and what their phones show of them.

The weather is that of the simulator; who is lost, doubled or out of order is judged by `seen`.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import aiohttp
import yaml
from aiohttp import web
from soak.seen import TABLE, Seen, Verdict, judge, kind_by_id, met, response_of, seen_by
from support.ports import free_port
from support.processes import PROJECT
from support.redis_server import RedisServer
from support.stubs import DEFAULTS, Forge, stub_servers

from rasa_whatsapp_channel.factories import make_client
from rasa_whatsapp_channel.replay.host import simulator
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.weather import ROUGH
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD
from rasa_whatsapp_channel.whatsapp.errors import SendError
from rasa_whatsapp_channel.whatsapp.transport import File

SEEDS = 20
AT_ONCE = (
    2  # runs, which mostly wait; a machine too busy for statuses to come in time is no weather
)
PEOPLE = 50
MESSAGES = 4  # of each; every other one asks for two answers
PATIENCE = 150.0  # seconds for one answer
LOOK = 1.0  # seconds between two looks at all phones
QUIET = 4.0  # seconds in which a surplus message would come
BUSY = 1.0, 4.0  # a busy file server answers nobody in so many of so many seconds
NUMBER = "106540352242922"
TOKEN = "simulator-token"
MEDIA = PROJECT / "examples" / "quickstart" / "media"
TYPES = {
    "lake.jpg": "image/jpeg",
    "the lake.jpg": "image/jpeg",
    "guide.pdf": "application/pdf",
    "chime.ogg": "audio/ogg; codecs=opus",
    "boat.mp4": "video/mp4",
    "sun.webp": "image/webp",
    "notes.txt": "image/jpeg",  # as it says; it is a text
}
BY_KIND = {"image": "lake.jpg", "document": "guide.pdf", "audio": "chime.ogg"}


class Platform(NamedTuple):
    """What a server has to know of WhatsApp."""

    url: str
    number: str = NUMBER


Wish = TypeVar("Wish")
Response = dict[str, Any]
Ask = Callable[[Wish], Awaitable[tuple[str, list[Response]]]]


@dataclass(frozen=True)
class Plan:
    seed: int
    store: str  # sqlite, redis
    combine: str = "off"
    apart: bool = False  # door and sender in a process of their own
    people: int = PEOPLE
    api: str = CLOUD.name

    def __str__(self) -> str:
        together = ", combined" if self.combine == "turn" else ""
        apart = ", apart" if self.apart else ""
        api = f", {self.api}" if self.api != CLOUD.name else ""
        return f"{self.store}, rough weather {self.seed}{together}{apart}{api}"


@dataclass(frozen=True)
class Result:
    plan: Plan
    verdict: Verdict
    messages: int
    unheard: int  # messages that became a dead letter
    met: Counter[str]
    took: float

    @property
    def faults(self) -> list[str]:
        faults = self.verdict.faults
        return faults + ["not heard"] * self.unheard

    def __str__(self) -> str:
        return (
            f"{self.plan}: {self.messages} messages, {self.verdict}; "
            f"{self.met.total()} faults, {self.took:.0f} s"
        )


async def runs(plans: Sequence[Plan], folder: Path) -> AsyncIterator[Result]:
    """Yield the results as they come."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(plan: Plan) -> Result:
        async with turns:
            there = folder / str(plan).replace(", ", "-").replace(" ", "-")
            there.mkdir()
            return await run(plan, there, forge)

    async with file_server():
        forge = Forge(folder)
        tasks = [asyncio.create_task(one(plan)) for plan in plans]
        try:
            for result in asyncio.as_completed(tasks):
                yield await result
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            forge.close()


def rough(port: int, webhook: str, seed: int) -> Config:
    """Return what a simulator is started with, whose weather keeps nothing back for ever."""
    weather = {"weather": ROUGH, "seed": seed, "lasting": False}
    return Config(port=port, webhook=webhook, limits=False, **weather)


async def run(plan: Plan, folder: Path, forge: Forge) -> Result:
    began = time.monotonic()
    shutil.copytree(MEDIA, folder / "media")
    async with AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{free_port()}"
        stubs = await stack.enter_async_context(
            stub_servers(
                folder,
                Platform(url),
                forge=forge,
                bot="table",
                **{**DEFAULTS, **credentials_of(plan.api, url)},
                store=_store(plan, folder, stack),
                combine=plan.combine,
            )
        )
        if plan.apart:
            await stubs.start("bot", apart="bot")
        await stubs.start("anna", apart="door and sender" if plan.apart else "")
        config = rough(int(url.rpartition(":")[2]), stubs.webhook("anna"), plan.seed)
        config = replace(config, api=APIS[plan.api])
        client = await stack.enter_async_context(
            SimulatorClient(await stack.enter_async_context(simulator(config)))
        )
        ask = partial(ask_for, url=client.url, api=plan.api)
        crowd = Crowd(client, wishes_of(plan.seed, plan.people), ask, api=plan.api)
        await crowd.live()
        await asyncio.sleep(QUIET)
        verdict = judge(await crowd.look(), await client.requests(), await client.webhooks())
        assert stubs.is_alive("anna"), stubs.log("anna")
        inbox = (await stubs.health("anna"))["inbox"]
        faults = (await client.weather())["faults"]
        await stubs.stop("anna")
        if plan.apart:
            await stubs.stop("bot")
        return Result(
            plan=plan,
            verdict=verdict,
            messages=plan.people * MESSAGES,
            unheard=inbox["dead_letters"] + inbox["waiting"],
            met=met(faults),
            took=time.monotonic() - began,
        )


class Crowd(Generic[Wish]):
    """
    People who ask a bot for something, and wait for the answer before they go on.

    *wishes* is what each of them asks for, one after the other, and *ask* returns how one is
    written, and the responses that have to come.
    """

    def __init__(
        self,
        client: SimulatorClient,
        wishes: Sequence[Sequence[Wish]],
        ask: Ask[Wish],
        *,
        api: str = CLOUD.name,
    ) -> None:
        self._client = client
        self._api = api
        self._wishes = wishes
        self._ask = ask
        self._asked: dict[str, list[Response]] = {}  # by the name of the person
        self._seen: dict[str, list[Seen]] = {}
        self._looked = asyncio.Condition()

    async def live(self) -> None:
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            await asyncio.gather(*(self._one(*each) for each in enumerate(self._wishes)))
        finally:
            looking.cancel()

    async def look(self) -> Mapping[str, Sequence[Seen]]:
        """Return what everybody has seen by now of what they asked for."""
        state = await self._client.state()
        chats: dict[str, list[Any]] = {person: [] for person in self._asked}
        for message in state["messages"]:
            chats.get(message["person"], []).append(message)
        losses: dict[str, list[Any]] = {person: [] for person in self._asked}
        for refusal in state["refusals"]:
            losses.get(refusal["person"], []).append(refusal)
        self._seen = {
            person: seen_by(asked, chats[person], losses[person])
            for person, asked in self._asked.items()
        }
        return self._seen

    async def _one(self, number: int, wishes: Sequence[Wish]) -> None:
        person = await join(self._client, number, self._api)
        self._asked[person] = []
        for wish in wishes:
            text, responses = await self._ask(wish)
            self._asked[person] += responses
            await self._client.write(person, {"type": "text", "text": {"body": text}})
            await self._until_answered(person)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self.look()
            async with self._looked:
                self._looked.notify_all()

    async def _until_answered(self, person: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self._is_answered(person):
            async with self._looked:
                await self._looked.wait()

    def _is_answered(self, person: str) -> bool:
        seen = self._seen.get(person, [])
        return len(seen) == len(self._asked[person]) and all(each.is_whole for each in seen)


def wishes_of(seed: int, people: int) -> list[list[list[str]]]:
    """Return the names of the responses that everybody's messages ask for: nobody's twice."""
    draw, left = random.Random(seed), list[str]()
    wishes: list[list[list[str]]] = []
    for _ in range(people):
        mine: list[list[str]] = []
        for message in range(MESSAGES):
            had = {name for names in mine for name in names}
            if len(set(left) - had) < 2:
                left += draw.sample(sorted(TABLE), len(TABLE))
            names = [name for name in dict.fromkeys(left) if name not in had][: 1 + message % 2]
            for name in names:
                left.remove(name)
            mine.append(names)
        wishes.append(mine)
    return wishes


async def ask_for(names: Sequence[str], *, url: str, api: str) -> tuple[str, list[Response]]:
    """Return how somebody asks for *names*: with a new id, where a file is said by id."""
    ids = [await _upload(url, kind, api) if (kind := kind_by_id(name)) else "" for name in names]
    asked = list(zip(names, ids, strict=True))
    words = (f"{name}:{media_id}" if media_id else name for name, media_id in asked)
    return " ".join(words), [response_of(*each) for each in asked]


async def _upload(url: str, kind: str, api: str) -> str:
    file = BY_KIND[kind]
    keys = {key: value for key, value in credentials_of(api, url).items() if value is not None}
    client = make_client(Settings.from_credentials(keys))
    try:
        while True:
            with suppress(SendError):  # the weather
                return await client.upload(File(MEDIA / file, TYPES[file], file))
    finally:
        await client.close()


def credentials_of(api: str, url: str) -> dict[str, str | None]:
    """Return what a bot is given for a simulator of *api* at *url*; None where a stub has more."""
    of_cloud = ["phone_number_id", "access_token", "app_secret", "verify_token"]
    no_receipts = [] if APIS[api].mark_read else ["mark_read"]
    (keys,) = yaml.safe_load(credentials_block(Config(api=APIS[api]), url)).values()
    return {**dict.fromkeys(of_cloud + no_receipts), **keys}


async def join(client: SimulatorClient, number: int, api: str) -> str:
    """Let there be one person more, and return their name."""
    person = {"name": f"Person {number}", **_names(number, api)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.url}/simulator/people", json=person) as answer,
    ):
        joined = await answer.json()
    return str(joined["phone"] or joined["user_id"])


def _names(number: int, api: str) -> dict[str, str]:
    """Return numbers that WhatsApp writes as they are dialled, and such that it does not."""
    if number == 0 and APIS[api].user_ids:
        return {"user_id": "DE.90000000000000000001"}
    country = ("49151", "55119", "5255", "5411")[number % 4]
    return {"phone": f"{country}{80_000_000 + number}"}


def _store(plan: Plan, folder: Path, stack: AsyncExitStack) -> str:
    if plan.store == "sqlite":
        return f"sqlite:///{folder}/whatsapp.db"
    redis = RedisServer(folder, appendonly="yes")
    redis.start()
    stack.callback(redis.kill)
    return redis.url


@asynccontextmanager
async def file_server() -> AsyncIterator[None]:
    """
    Be the open internet: a proxy that the environment names, with the files of the quickstart.

    Nothing but WhatsApp and the bot on this machine is reached without it.
    """

    async def serve(request: web.Request) -> web.Response:
        *folder, name = request.path.removeprefix("/").split("/")
        if request.host != "93.184.215.14" or "gone" in folder or name not in TYPES:
            raise web.HTTPNotFound
        if "closed" in folder:
            raise web.HTTPForbidden
        if "busy" in folder and time.monotonic() % BUSY[1] < BUSY[0]:
            raise web.HTTPServiceUnavailable
        file = MEDIA / name.replace("the ", "")
        content = file.read_bytes() if file.exists() else b"No picture at all"
        return web.Response(body=content, headers={"Content-Type": TYPES[name]})

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    before = dict(os.environ)
    os.environ |= {"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        await runner.cleanup()
