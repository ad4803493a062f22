"""
Many people of a CSV file are written to, by two servers on one store: each once, or not at all.

The file is scheduled for tomorrow, by a command that is killed on the way and run again. The
servers' clocks say tomorrow; in Redis, which has a clock of its own, it is due at once. One server
is killed twice; people who opted out, and lines that are no number, get nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from support.cloud_api import Accepted, CloudApi, cloud_api
from support.phones import status_of
from support.processes import PROJECT
from support.redis_server import RedisServer
from support.stubs import SECRET, Forge, Stubs, stub_servers
from support.wall_clock import put_wrong
from support.webhooks import envelope

from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.outbound.recovery import OUTSIDE_WINDOW
from rasa_whatsapp_channel.store import open_store

DAY = 86_400.0
SERVERS = ("anna", "ben")
RATE = 120.0  # messages a second; faster than the servers, statuses would come too late
EVERY = 100  # one of so many opted out, and one line of so many is wrong
READERS = 100  # one of so many reads it
KILLED_AT = (0.3, 0.6)  # shares of the messages
# Longest time in which nothing arrives though something is left.
REST = OUTSIDE_WINDOW + 240.0
AT_ONCE = 100  # webhooks: WhatsApp tells of each message at once
LOOK = 2.0  # seconds between two looks

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    people: int
    store: str = "sqlite"
    seed: int = 1

    def __str__(self) -> str:
        return f"{self.people:,} people, {self.store}, {len(SERVERS)} × server"


@dataclass
class Result:
    plan: Plan
    faults: list[str] = field(default_factory=list)
    got: int = 0
    opted_out: int = 0
    scheduled_in: float = 0.0  # seconds, both runs of the command
    sent_in: float = 0.0
    late: float = 0.0  # seconds, the status that came last after its message
    memory: dict[str, list[int]] = field(default_factory=dict)  # MB of each server, again and again
    command_memory: int = 0  # MB at its end
    states: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        memory = ", ".join(
            f"{name} {min(looks)} to {max(looks)} MB" for name, looks in self.memory.items()
        )
        return (
            f"{self.plan}: {self.got:,} got it, {self.opted_out:,} opted out; scheduled in "
            f"{self.scheduled_in:.0f} s by {self.command_memory} MB, sent in {self.sent_in:.0f} s "
            f"({self.got / max(self.sent_in, 1e-9):.0f}/s); statuses came after at most "
            f"{self.late:.0f} s; {memory}; {dict(self.states)}"
        )


class Platform(CloudApi):
    """Takes messages, and soon reports each as delivered and some as read, to whoever lives."""

    def __init__(self) -> None:
        super().__init__()
        self.got: Counter[str] = Counter()
        self._told: deque[tuple[float, dict[str, Any]]] = deque()  # when it happened, and what
        self.telling = 0
        self.late = 0.0

    def accept(self, request: Any, body: dict[str, Any]) -> dict[str, Any]:
        number = self.got.total()
        taken = Accepted(f"wamid.out{number}", time.monotonic(), body["to"], "", "", body)
        self.got[body["to"]] += 1
        self._told.append((taken.at, status_of(taken, "delivered")))
        if number % READERS == 0:
            self._told.append((taken.at, status_of(taken, "read")))
        self.asked.clear()  # they would fill the memory
        return self._answer_to(taken)

    async def tells(self, stubs: Stubs) -> None:
        """Tell each status in a webhook of its own, some at a time, again until it is taken."""
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as session:
            tellers = [self._tell(session, stubs, place) for place in range(AT_ONCE)]
            await asyncio.gather(*tellers)

    async def _tell(self, session: aiohttp.ClientSession, stubs: Stubs, turn: int) -> None:
        while True:
            if not self._told:
                await asyncio.sleep(0.25)
                continue
            happened, status = self._told.popleft()
            raw = json.dumps(envelope([status])).encode()
            self.telling += 1
            digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
            headers = {"X-Hub-Signature-256": f"sha256={digest}"}
            while True:
                turn += 1
                with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                    url = stubs.webhook(SERVERS[turn % len(SERVERS)])
                    async with session.post(url, data=raw, headers=headers) as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.2)
            self.late = max(self.late, time.monotonic() - happened)
            self.telling -= 1

    @property
    def is_quiet(self) -> bool:
        """Return whether every status was told."""
        return not self._told and not self.telling


async def run(plan: Plan, folder: Path, forge: Forge, say: Say = lambda line: None) -> Result:
    result = Result(plan)
    async with AsyncExitStack() as stack:
        api = Platform()
        await stack.enter_async_context(cloud_api(api))
        store = f"sqlite:///{folder}/whatsapp.db"
        if plan.store == "redis":
            redis = RedisServer(folder)
            redis.start()
            stack.callback(redis.kill)
            store = redis.url
        settings = {"store": store, "max_messages_per_second": RATE, "media": {}}
        stubs = await stack.enter_async_context(stub_servers(folder, api, forge=forge, **settings))
        allowed, opted_out = _write_files(plan, folder, settings)
        async with open_store(store) as opened:  # makes it, too
            consents = Consents(opened.values)
            for phone in opted_out:
                await consents.note(Person.begin(phone), marketing=False, source="the shop")
        await _schedule(plan, folder, store, result, say)
        clock = folder / "clock"
        put_wrong(clock, DAY + 60)
        for name in SERVERS:
            await stubs.start(name, clock=str(clock))
        telling = asyncio.create_task(api.tells(stubs))
        began = time.monotonic()
        try:
            await _watch(plan, api, stubs, len(allowed), result, say)
        finally:
            telling.cancel()
        result.sent_in, result.late = time.monotonic() - began, api.late
        _judge(api, allowed, opted_out, result)
        result.got, result.opted_out = sum(map(bool, api.got.values())), len(opted_out)
        told = await _command(folder, store, "--key", "news")
        result.states = Counter(told["states"])
        if result.states["queued"]:
            result.faults.append(f"{result.states['queued']} were sent, and are not known as that")
        read = -(-len(allowed) // READERS)
        if abs(result.states["read"] - read) > len(KILLED_AT) + 1:
            result.faults.append(f"{result.states['read']} of {read} are known as read")
        return result


def _write_files(plan: Plan, folder: Path, settings: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Write the bot's files and the CSV; return who may get it, and who opted out."""
    parameters = [{"type": "text", "text": "{name}"}]
    template = {"name": "news", "language": {"code": "en"}}
    template |= {"components": [{"type": "body", "parameters": parameters}]}
    news = {"custom": {"type": "template", "template": template}}
    domain = {"responses": {"utter_news": [news]}}
    secrets = {"access_token": "x", "app_secret": SECRET, "verify_token": "x"}
    block = {"phone_number_id": "106540352242922", **secrets, **settings}
    channel = {"rasa_whatsapp_channel.WhatsAppInput": block}
    (folder / "domain.yml").write_text(yaml.safe_dump(domain), encoding="utf-8")
    (folder / "credentials.yml").write_text(yaml.safe_dump(channel), encoding="utf-8")
    draw, allowed, opted_out = random.Random(plan.seed), [], []
    with (folder / "people.csv").open("w", encoding="utf-8-sig") as file:
        file.write("to;name\n")
        for number in range(plan.people):
            phone = f"49151{number:08d}"
            file.write(f"+{phone};Person {number}\n")
            (opted_out if draw.randrange(EVERY) == 0 else allowed).append(phone)
            if draw.randrange(EVERY) == 0:
                file.write(draw.choice([f"+{phone};again\n", "0151;no country\n", "=A1;x\n"]))
    return allowed, opted_out


async def _schedule(plan: Plan, folder: Path, store: str, result: Result, say: Say) -> None:
    """Let the command schedule all: it is killed on the way, and run again."""
    many = ("--csv", "people.csv", "--response", "utter_news", "--key", "news", "--yes")
    if plan.store != "redis":  # whose clock is that of all
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        many = (*many, "--at", tomorrow.isoformat(timespec="seconds"))
    began = time.monotonic()
    process = await _begin(folder, store, *many)
    killed = False
    while process.returncode is None and not killed:
        await asyncio.sleep(0.2)
        with suppress(aiohttp.ClientError):
            async with open_store(store) as opened:
                waiting = (await opened.inbox.depth()).waiting
            if waiting >= plan.people / 3 and process.returncode is None:
                with suppress(ProcessLookupError):  # it may be over by now
                    process.kill()
                    killed = True
    await process.wait()
    say(f"the command was {'killed with' if killed else 'faster than'} {waiting:,} scheduled")
    told = await _command(folder, store, *many, result=result)
    result.scheduled_in = time.monotonic() - began
    say(f"scheduled: {told}")
    if told["states"] != {"scheduled": plan.people}:
        result.faults.append(f"scheduled: {told['states']}")


async def _begin(folder: Path, store: str, *args: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rasa_whatsapp_channel", "notify", "--json"),
        *(*args, "--domain", "domain.yml", "--store", store),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _command(
    folder: Path, store: str, *args: str, result: Result | None = None
) -> dict[str, Any]:
    process = await _begin(folder, store, *args)
    reading = asyncio.create_task(process.communicate())
    while not reading.done():
        if result is not None:
            result.command_memory = max(result.command_memory, _memory(process.pid))
        await asyncio.wait([reading], timeout=0.5)
    assert process.returncode == 0
    return dict(json.loads(reading.result()[0]))


async def _watch(
    plan: Plan, api: Platform, stubs: Stubs, expected: int, result: Result, say: Say
) -> None:
    """Kill a server twice on the way; return when all is done, or nothing happens any more."""
    kills = [share * expected for share in KILLED_AT]
    last, moved, spoke = -1, time.monotonic(), 0.0
    while True:
        await asyncio.sleep(LOOK)
        count = api.got.total()
        for name in SERVERS:
            result.memory.setdefault(name, []).append(_memory(stubs.pid(name)))
        if kills and count >= kills[0]:
            kills.pop(0)
            stubs.kill(SERVERS[0])
            await stubs.start(SERVERS[0], clock=str(stubs.folder / "clock"))
            say(f"{SERVERS[0]} was killed with {count:,} sent")
        if count != last:
            last, moved = count, time.monotonic()
        if time.monotonic() - spoke > 30:
            spoke = time.monotonic()
            memory = ", ".join(f"{name} {looks[-1]} MB" for name, looks in result.memory.items())
            say(f"{count:,} of {expected:,} sent; {memory}")
        if count >= expected and api.is_quiet and await stubs.is_idle(SERVERS[1]):
            return
        if time.monotonic() - moved > REST and api.is_quiet:
            result.faults.append(f"nothing moved any more with {count} of {expected} sent")
            return


def _judge(api: Platform, allowed: list[str], opted_out: list[str], result: Result) -> None:
    lost = [phone for phone in allowed if not api.got[phone]]
    twice = [phone for phone, count in api.got.items() if count > 1]
    withheld = [phone for phone in opted_out if api.got[phone]]
    others = api.got.keys() - {*allowed, *opted_out}
    for what, who in (
        ("got nothing", lost),
        ("got it twice", twice),
        ("opted out and got it", withheld),
        ("stand in no line that can go", others),
    ):
        if some := sorted(who)[:3]:
            result.faults.append(f"{len(who)} {what}, such as {', '.join(some)}")


def _memory(pid: int) -> int:
    """Return the MB that a process has in memory."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
    return 0
