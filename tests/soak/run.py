"""
One run: many people chat with a bot while everything happens to it that happens to servers.

WhatsApp refuses, breaks connections and answers late; statuses come early, twice and in disorder;
servers are killed, turns block them, clocks jump, and one message kills whoever takes it up.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from support.chaos import Chaos
from support.cloud_api import cloud_api
from support.crowd import Written, webhook_of
from support.numbered import answers_of
from support.phones import Habits
from support.redis_server import RedisServer
from support.stubs import DEFAULTS, Forge, Stubs, stub_servers
from support.verdict import Verdict
from support.wall_clock import put_wrong
from support.weather import Weather

BOT = "illustrated"
MESSAGES = 3  # of each person: a text, a picture and a text
HABITS = Habits(early=0.1, twice=0.1, disorder=0.1)
SERVERS = ("anna", "ben")
BOT_OF = "-bot"
BLOCKS = (5, 14)  # seconds
# Seconds; a clock is wrong for a moment. By less than an hour it is followed at once.
JUMPS = (-86_400.0, 7_200.0, 86_400.0, 864_000.0)
MOMENT = (1.0, 3.0)
REST = 180.0  # longest time in which nothing happens though something is left
SLOW = 10.0  # seconds between two lines of progress

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    seed: int
    store: str  # sqlite, redis
    servers: int  # 1, 2
    people: int
    seconds: float  # in which they write
    kills: int
    blocks: int
    jumps: int
    late: float = 0.0  # share of the messages that are answered after more than 30 seconds
    poison: bool = True  # one message that kills whoever takes it up
    apart: bool = False  # each server is two processes: door and sender, and the bot

    def __str__(self) -> str:
        apart = ", apart" if self.apart else ""
        return f"{self.store}, {self.servers} × server{apart}, seed {self.seed}"

    @property
    def processes(self) -> Mapping[str, str]:
        return processes(self.servers, apart=self.apart)


def processes(servers: int, *, apart: bool) -> Mapping[str, str]:
    """Return the names of all processes, with what each does of a server's work."""
    doors = SERVERS[:servers]
    if not apart:
        return dict.fromkeys(doors, "")
    bots = {f"{name}{BOT_OF}": "bot" for name in doors}
    return {**dict.fromkeys(doors, "door and sender"), **bots}


@dataclass(frozen=True)
class Result:
    plan: Plan
    verdict: Verdict
    messages: int
    kills: int
    crashes: int  # by the poison
    dead: Sequence[str]  # dead letters that are none of the poison
    median: float  # seconds from a message to the last of its answers on the phone
    longest: float
    requests: float  # to WhatsApp, for each answer
    turns: float  # begun, for each message
    met: Counter[str]  # troubles
    stories: str
    took: float

    @property
    def faults(self) -> list[str]:
        """Return what breaks a promise."""
        faults = [*self.verdict.faults, *(f"dead letter: {each}" for each in self.dead)]
        if self.verdict.doubles > self.kills + self.crashes:
            faults.append(f"doubled: {self.verdict.doubles} by {self.kills + self.crashes} kills")
        return faults


async def run(plan: Plan, folder: Path, forge: Forge, say: Say = lambda line: None) -> Result:
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(cloud_api())
        api.weather = weather = Weather(api, seed=plan.seed, late=plan.late)
        stubs = await stack.enter_async_context(
            stub_servers(
                folder,
                api,
                forge=forge,
                bot=BOT,
                **{**DEFAULTS, "store": _store(plan, folder, stack)},
            )
        )
        run = _Run(plan, stubs)
        chaos = Chaos(
            stubs,
            api,
            tuple(plan.processes),
            doors=SERVERS[: plan.servers],
            seed=plan.seed,
            habits=HABITS,
            says=run.says,
            answers_to=answers_of(BOT),
            order=run.order,
            rest=REST,
        )
        beside = [
            asyncio.create_task(_tell(say, chaos, api.accepted, began)),
            asyncio.create_task(run.supervises(chaos)),
        ]
        try:
            verdict = await chaos.run(
                plan.people, MESSAGES, run.happens(chaos), seconds=plan.seconds
            )
        finally:
            for task in beside:
                task.cancel()
        waits = _waits(chaos, plan, run)
        lines = stubs.journal.read()
        turns = sum(line["what"] == "began" and "crashes" not in line["text"] for line in lines)
        dead = await stubs.dead_letters()
        return Result(
            plan=plan,
            verdict=verdict,
            messages=plan.people * MESSAGES,
            kills=len(chaos.kills) - run.crashes,
            crashes=run.crashes,
            dead=[
                f"{entry['key']}: {entry['why']}" for entry in dead if entry["key"] != run.poison.id
            ],
            median=statistics.median(waits) if waits else 0.0,
            longest=max(waits, default=0.0),
            requests=len(api.asked) / max(verdict.answers, 1),
            turns=turns / (plan.people * MESSAGES),
            met=weather.met,
            stories=chaos.stories(verdict),
            took=time.monotonic() - began,
        )


class _Run:
    """What happens, drawn from the seed."""

    def __init__(self, plan: Plan, stubs: Stubs) -> None:
        self.crashes = 0
        self.poison = Written(plan.people, 1, "crashes")
        self._plan = plan
        self._stubs = stubs
        self._random = random.Random(plan.seed)
        # The processes of a server have the clock of their machine.
        self._clocks = {name: stubs.folder / f"clock-{name}" for name in SERVERS[: plan.servers]}
        for clock in self._clocks.values():
            put_wrong(clock, 0)
        everything = [(user, number) for user in range(plan.people) for number in (1, 3)]
        self._blocking = {
            which: f"blocks {self._random.randint(*BLOCKS)}"
            for which in self._random.sample(everything, min(plan.blocks, len(everything)))
        }

    def says(self, user: int, number: int) -> Written:
        order = self._blocking.get((user, number), "")
        return Written(user, number, order, is_picture=number == 2)

    def order(self, name: str) -> dict[str, str]:
        clock = self._clocks[name.removesuffix(BOT_OF)]
        return {"clock": str(clock), "apart": self._plan.processes[name]}

    async def happens(self, chaos: Chaos) -> None:
        """Do it all within the time in which people write."""
        events = ["kill"] * self._plan.kills + ["jump"] * self._plan.jumps
        events += ["poison"] * self._plan.poison
        self._random.shuffle(events)
        tasks = []
        for event in events:
            await asyncio.sleep(self._plan.seconds / (len(events) + 1))
            if event == "kill":
                tasks.append(asyncio.create_task(self._kill(chaos)))
            elif event == "jump":
                tasks.append(asyncio.create_task(self._jump(chaos)))
            else:
                tasks.append(asyncio.create_task(chaos.crowd.deliver(webhook_of([self.poison]))))
        await asyncio.gather(*tasks)

    async def _kill(self, chaos: Chaos) -> None:
        name = self._random.choice(chaos.servers)
        if self._stubs.is_alive(name):
            chaos.kill(name)
            await asyncio.sleep(self._random.uniform(0, 2))
            chaos.start(name)

    async def _jump(self, chaos: Chaos) -> None:
        clock = self._random.choice(list(self._clocks.values()))
        for seconds in (self._random.choice(JUMPS), 0.0):
            put_wrong(clock, seconds)
            chaos.events.append((time.monotonic(), f"{clock.name} wrong by {seconds:.0f} s"))
            if seconds:
                await asyncio.sleep(self._random.uniform(*MOMENT))

    async def supervises(self, chaos: Chaos) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.crashes += chaos.start_the_crashed()


def _store(plan: Plan, folder: Path, stack: AsyncExitStack) -> str:
    if plan.store == "sqlite":
        return f"sqlite:///{folder}/whatsapp.db"
    redis = RedisServer(folder, appendonly="yes")
    redis.start()
    stack.callback(redis.kill)
    return redis.url


def _waits(chaos: Chaos, plan: Plan, run: _Run) -> list[float]:
    """Return for each message that was answered how long the last of its answers took."""
    shown: dict[str, float] = {}
    for message in chaos.phones.shown:
        shown.setdefault(message.text, message.at)
    waits = []
    for user in range(plan.people):
        for number in range(1, MESSAGES + 1):
            text = run.says(user, number).text
            answers = [shown.get(answer) for answer in answers_of(BOT)(text)]
            ends = [at for at in answers if at is not None]
            if len(ends) == len(answers):
                waits.append(max(ends) - chaos.crowd.written[text])
    return waits


async def _tell(say: Say, chaos: Chaos, accepted: Sequence[object], began: float) -> None:
    while True:
        await asyncio.sleep(SLOW)
        say(
            f"{time.monotonic() - began:4.0f} s: {len(chaos.crowd.written)} messages, "
            f"{len(accepted)} answers taken, {len(chaos.phones.shown)} shown, "
            f"{len(chaos.kills)} kills and crashes"
        )
