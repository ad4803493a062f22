"""Real Rasa with the quickstart bot: our channel beside Rasa's own REST channel, in one server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, Final

import yaml
from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, at_least, at_most
from bench.people import Chats, Load, Turn, at_rate, closed, so_many, somebody
from bench.rows.compose import KINDS, Response
from bench.rows.compose import measure as measure_composing
from bench.servers import cpu_of, memory_of, stand_alone
from support.ports import free_port
from support.processes import PROJECT, RASA_ENV, RasaServer

QUICKSTART: Final = PROJECT / "examples" / "quickstart"
MODELS: Final = PROJECT / "build" / "bench"  # training takes half a minute
PEOPLE: Final = 50
TURNS: Final = "turns/s"
# What people write; the bot answers each with one message: a text, buttons, a list.
WORDS: Final = ("see you later", "show me the menu", "tell me about the house")


SERVE: Final = "serve"
BLOCK: Final = "rasa_whatsapp_channel.WhatsAppInput"


async def rows(bench: Bench) -> AsyncIterator[Row]:
    bench.say("real Rasa: training the quickstart bot")
    model = trained_model()
    bench.say("real Rasa: starting")
    bench.whatsapp.latency = bench.size.latency
    async with AsyncExitStack() as stack:
        block = bench.credentials("sqlite:///whatsapp.db")
        apart = {**block, "roles": ["bot"]}
        folder = bench.folder / "quickstart"
        one = start_rasa(folder / "one", "one", model, stack, {"rest": None, BLOCK: block})
        bot = start_rasa(folder / "bot", "bot", model, stack, {BLOCK: apart})
        began = time.monotonic()
        door = await stack.enter_async_context(stand_alone(bot.folder, apart))
        door_took = time.monotonic() - began
        await one.ready()
        took = time.monotonic() - began
        await bot.ready()
        caller, to_door = Caller(one.port), Caller(door.port)
        stack.callback(caller.close)
        stack.callback(to_door.close)
        chats = Chats(bench.whatsapp, words=WORDS)
        rate = 0.0
        for turn in (chats.through(caller), rest(caller), chats.through(to_door)):
            await so_many(turn, people=5, turns=50)  # what is loaded with the first turns
        pids = {"one": _pid(one), "bot": _pid(bot), "door": door.pid}
        async for row in _throughput(bench, chats, caller, to_door, pids):
            rate = rate or row.figure  # of the first row
            yield row
        yield Row("start of `rasa-whatsapp serve`", door_took, "start of Rasa", took, "s")
        yield Row(
            "memory of `rasa-whatsapp serve`", door.memory(), "of Rasa", memory_of(_pid(one)), "MB"
        )
        async for row in _answers(bench, chats, caller, rate / 2):
            yield row


def start_rasa(
    folder: Path, name: str, model: Path, stack: AsyncExitStack, credentials: dict[str, Any]
) -> RasaServer:
    """Start Rasa with the quickstart bot in *folder*, and end it with *stack*."""
    if not folder.exists():
        unwanted = shutil.ignore_patterns("models", ".rasa", "*.db*")
        shutil.copytree(QUICKSTART, folder, ignore=unwanted)
        (folder / "models").mkdir()
        shutil.copy(model, folder / "models")
    block = yaml.safe_dump(credentials)
    rasa = RasaServer(folder, port=free_port(), name=name, credentials=block, forked=False)
    rasa.process.start()
    stack.callback(rasa.process.kill)
    return rasa


def _pid(rasa: RasaServer) -> int:
    assert rasa.process.pid is not None
    return rasa.process.pid


async def _throughput(
    bench: Bench, chats: Chats, caller: Caller, to_door: Caller, pids: Mapping[str, int]
) -> AsyncIterator[Row]:
    async def measure(name: str, turn: Turn, parts: Mapping[str, int]) -> dict[str, float]:
        size = bench.size
        # Long: people are answered in waves, and a wave more or less must not decide.
        seconds = (2 if size.quick else 3) * size.seconds
        load = await closed(
            turn, people=PEOPLE, warm=size.warm, seconds=seconds, cpu=partial(cpu_of, parts)
        )
        bench.note_load(f"real Rasa, {name}", load)
        return {"rate": load.rate, **load.costs}

    one = {"": pids["one"]}
    apart = {": bot": pids["bot"], ": door and sender": pids["door"]}
    found = await bench.alternate(
        "real Rasa",
        {
            "whatsapp": lambda: measure("whatsapp", chats.through(caller), one),
            "rest": lambda: measure("rest", rest(caller), one),
            SERVE: lambda: measure(SERVE, chats.through(to_door), apart),
        },
        servers={
            "whatsapp": pids["one"],
            "rest": pids["one"],
            **{f"{SERVE}{part}": pid for part, pid in apart.items()},
        },
    )
    rate = {name: figures["rate"] for name, figures in found.items()}
    cost = {name: figures["cost"] for name, figures in found.items()}
    beside = "Rasa's REST channel"
    yield Row(
        "Rasa 3.6, quickstart bot, one process",
        rate["whatsapp"],
        f"{beside}, same server",
        rate["rest"],
        TURNS,
        at_least(0.85),
        f"{PEOPLE} people at once",
    )
    yield Row(
        "Rasa 3.6, quickstart bot, with `rasa-whatsapp serve`",
        rate[SERVE],
        beside,
        rate["rest"],
        TURNS,
        at_least(1.0),
        f"{PEOPLE} people at once; the load and all processes share the cores",
    )
    yield Row("processor time of a turn", cost["whatsapp"], "over REST", cost["rest"], "ms")
    yield Row(
        "processor time of a turn in Rasa's process, with `rasa-whatsapp serve`",
        found[SERVE]["cost: bot"],
        "over REST",
        cost["rest"],
        "ms",
        note=f"and {found[SERVE]['cost: door and sender']:.3g} ms in `serve`",
    )
    said = [measure_composing(partial(_again, make), 20)[0] / 1000 for make in KINDS.values()]
    yield Row(
        "composing a response",
        mean(said),
        "a turn over REST",
        cost["rest"],
        "ms",
        at_most(0.02),
        f"the mean of five kinds that were said before; the slowest takes {max(said):.2g} ms",
    )


async def _answers(bench: Bench, chats: Chats, caller: Caller, rate: float) -> AsyncIterator[Row]:
    """How long WhatsApp waits for its 200 while the bot has half of what it can bear."""
    write, get = chats.only_write(caller), root(caller)
    seconds = bench.size.seconds

    async def together() -> dict[str, float]:
        """Both at once, since turns of the bot hold everything up, whoever asks."""
        before = bench.whatsapp.taken
        half = {"rate": rate, "seconds": seconds}
        webhook, health = await both(at_rate(write, **half), at_rate(get, **half))
        await bench.whatsapp.has_taken(before + webhook.turns)
        return {
            "webhook median": webhook.percentile(0.5),
            "webhook 99th": webhook.percentile(0.99),
            "get median": health.percentile(0.5),
            "get 99th": health.percentile(0.99),
        }

    async def alone() -> dict[str, float]:
        health = await at_rate(get, rate=rate, seconds=seconds)
        return {"median": health.percentile(0.5), "99th": health.percentile(0.99)}

    found = await bench.alternate(
        "webhook answers", {"under load": together, "idle": alone}, rounds=bench.size.rounds
    )
    loaded, idle = found["under load"], found["idle"]
    beside = "Rasa's GET / under the same load"
    for name, which, goal in (("median", "median", 2.0), ("99th percentile", "99th", 3.0)):
        yield Row(
            f"webhook answer, {name}",
            loaded[f"webhook {which}"],
            beside,
            loaded[f"get {which}"],
            "ms",
            at_most(goal),
            f"real Rasa, at {rate:.0f} messages/s, half of the load",
        )
    for name, which in (("median", "median"), ("99th percentile", "99th")):
        yield Row(
            f"webhook answer, {name}",
            loaded[f"webhook {which}"],
            "Rasa's GET / on an idle server",
            idle[which],
            "ms",
            note="with the turns of the bot in between, which hold up everything in Rasa",
        )


async def both(first: Any, second: Any) -> tuple[Load, Load]:
    loads = await asyncio.gather(first, second)
    return loads[0], loads[1]


def _again(make: Callable[[int], Response], _number: int) -> Response:
    return make(1)


def rest(caller: Caller) -> Turn:
    """Return a turn over Rasa's REST channel, whose answer holds what the bot said."""
    number = 0

    async def turn() -> None:
        nonlocal number
        number += 1
        body = {"sender": somebody(), "message": WORDS[number % len(WORDS)]}
        answer = await caller.post("/webhooks/rest/webhook", json.dumps(body).encode(), {})
        if answer.status != 200 or not json.loads(answer.body):
            raise RuntimeError(f"Rasa answered {answer.status}: {answer.body!r}")

    return turn


def root(caller: Caller) -> Turn:
    async def turn() -> None:
        answer = await caller.get("/")
        if answer.status != 200:
            raise RuntimeError(f"Rasa's GET / answered {answer.status}")

    return turn


def trained_model() -> Path:
    """Return the quickstart bot's model, trained if it was not yet."""
    sources = sorted(
        path
        for path in (*QUICKSTART.glob("*.yml"), *QUICKSTART.glob("data/*.yml"))
        if path.name != "credentials.yml"
    )
    content = b"".join(path.read_bytes() for path in sources)
    model = MODELS / f"quickstart-{hashlib.sha256(content).hexdigest()[:12]}.tar.gz"
    if not model.exists():
        MODELS.mkdir(parents=True, exist_ok=True)
        command = ["train", "--out", str(MODELS), "--fixed-model-name", "training"]
        trained = subprocess.run(
            [sys.executable, "-m", "rasa", *command],
            cwd=QUICKSTART,
            env={**os.environ, **RASA_ENV},
            capture_output=True,
            text=True,
            timeout=600,
        )
        if trained.returncode:
            raise RuntimeError(trained.stdout[-2000:] + trained.stderr[-2000:])
        (MODELS / "training.tar.gz").rename(model)
    return model
