"""Real Rasa with the quickstart bot: our channel beside Rasa's own REST channel, in one server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, at_least, at_most
from bench.people import Chats, Load, Turn, at_rate, closed, somebody
from bench.servers import cpu_of
from support.ports import free_port
from support.processes import PROJECT, RASA_ENV, RasaServer

QUICKSTART: Final = PROJECT / "examples" / "quickstart"
MODELS: Final = PROJECT / "build" / "bench"  # training takes half a minute
PEOPLE: Final = 50
TURNS: Final = "turns/s"
# What people write; the bot answers each with one message: a text, buttons, a list.
WORDS: Final = ("see you later", "show me the menu", "tell me about the house")


async def rows(bench: Bench) -> AsyncIterator[Row]:
    bench.say("real Rasa: training the quickstart bot")
    folder = bench.folder / "quickstart"
    shutil.copytree(QUICKSTART, folder, ignore=shutil.ignore_patterns("models", ".rasa", "*.db*"))
    (folder / "models").mkdir()
    shutil.copy(trained_model(), folder / "models")
    block = bench.credentials("sqlite:///whatsapp.db")
    credentials = {"rest": None, "rasa_whatsapp_channel.WhatsAppInput": block}
    port = free_port()
    rasa = RasaServer(folder, port=port, name="bench", credentials=yaml.safe_dump(credentials))
    bench.say("real Rasa: starting")
    bench.whatsapp.latency = bench.size.latency
    rasa.process.start()
    caller = Caller(port)
    try:
        await rasa.ready()
        chats = Chats(bench.whatsapp, words=WORDS)
        rate = 0.0
        assert rasa.process.pid is not None
        async for row in _throughput(bench, chats, caller, rasa.process.pid):
            if row.unit == TURNS:
                rate = row.figure
            yield row
        async for row in _answers(bench, chats, caller, rate / 2):
            yield row
    finally:
        caller.close()
        rasa.process.kill()


async def _throughput(bench: Bench, chats: Chats, caller: Caller, pid: int) -> AsyncIterator[Row]:
    async def measure(name: str, turn: Turn) -> dict[str, float]:
        size = bench.size
        # Long: people are answered in waves, and a wave more or less must not decide.
        seconds = (2 if size.quick else 3) * size.seconds
        load = await closed(
            turn, people=PEOPLE, warm=size.warm, seconds=seconds, cpu=partial(cpu_of, pid)
        )
        bench.note_load(f"real Rasa, {name}", load)
        return {"rate": load.rate, "cost": 1000 * load.cpu / max(load.turns, 1)}

    found = await bench.alternate(
        "real Rasa",
        {
            "whatsapp": lambda: measure("whatsapp", chats.through(caller)),
            "rest": lambda: measure("rest", rest(caller)),
        },
        servers={"whatsapp": pid, "rest": pid},
    )
    yield Row(
        "Rasa 3.6, quickstart bot",
        found["whatsapp"]["rate"],
        "Rasa's REST channel, same server",
        found["rest"]["rate"],
        TURNS,
        at_least(0.9),
        f"{PEOPLE} people at once",
    )
    cost = {name: figures["cost"] for name, figures in found.items()}
    yield Row("processor time of a turn", cost["whatsapp"], "over REST", cost["rest"], "ms")


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
