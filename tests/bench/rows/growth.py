"""The same throughput with much in the store: entries that wait, messages that were sent."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, at_least
from bench.people import Load, closed, deliver, somebody, webhook
from support.webhooks import NUMBER

from rasa_whatsapp_channel.inbound.receiver import Receiver
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.sqlite import SQLiteStore
from rasa_whatsapp_channel.whatsapp.webhook import read

# Short, or a hundred entries on their way would be the limit.
LATENCY: Final = 0.01
FEW: Final = 100
LONG: Final = 500_000  # from here on one round takes minutes
# The first of those the store is stocked with.
WRITES: Final = "49160000000000"
WAS_SENT: Final = "49170000000000"


async def rows(bench: Bench) -> AsyncIterator[Row]:
    """The number that waits stays the same: for each that goes out, one comes in."""
    bench.whatsapp.latency = LATENCY
    stocks = {f"{number:,} waiting": {"waiting": number} for number in (FEW, *bench.size.waiting)}
    if sent := bench.size.ledger:
        stocks[f"{sent:,} rows in the ledger"] = {"waiting": FEW, "sent": sent}
    measures: dict[str, Callable[[], Awaitable[dict[str, float]]]] = {}
    for name, content in stocks.items():
        bench.say(f"growth: a store with {name}")
        file = await stock(bench.folder / f"stock {name}.db", **content)
        measures[name] = partial(_measure, bench, file, name)
    rounds = 1 if bench.size.quick or max(bench.size.waiting) > LONG else 3
    found = await bench.alternate("growth", measures, rounds=rounds)
    few = found.pop(f"{FEW:,} waiting")["rate"]
    for name, figures in found.items():
        yield Row(
            f"messages/s with {name}",
            figures["rate"],
            f"with {FEW} waiting",
            few,
            "messages/s",
            at_least(0.8),
            f"SQLite store, WhatsApp answers after {LATENCY * 1000:.0f} ms",
        )
    yield await _numbers(bench)


async def _numbers(bench: Bench) -> Row:
    """The same bot with one business number and with many, each person writing to one of them."""
    further = [str(int(NUMBER) + n) for n in range(1, bench.size.numbers)]
    every = itertools.cycle((NUMBER, *further))
    bench.whatsapp.latency = bench.size.latency
    waiting: dict[str, asyncio.Future[None]] = {}
    bench.whatsapp.on_message = lambda to, text: waiting.pop(to).set_result(None)

    async def measure(name: str, numbers: list[str], next_number: Callable[[], str]) -> float:
        credentials = bench.credentials(
            f"sqlite:///{name}.db", numbers=[{"phone_number_id": each} for each in numbers]
        )
        server = await bench.pipelines.start(name, "channel", credentials=credentials)
        caller = Caller(server.port)

        async def turn() -> None:
            phone = somebody()
            waiting[phone] = answered = asyncio.get_running_loop().create_future()
            await deliver(caller, phone, "hello there", number=next_number())
            await answered

        try:
            load = await closed(
                turn, people=bench.size.people, warm=bench.size.warm, seconds=bench.size.seconds
            )
            return bench.note_load(name, load).rate
        finally:
            caller.close()
            bench.pipelines.kill(server)

    async def of_one() -> dict[str, float]:
        return {"rate": await measure("one number", [], lambda: NUMBER)}

    async def of_many() -> dict[str, float]:
        return {"rate": await measure("many numbers", further, lambda: next(every))}

    found = await bench.alternate("numbers", {"one": of_one, "many": of_many})
    return Row(
        f"messages/s of {bench.size.numbers:,} business numbers",
        found["many"]["rate"],
        "of one",
        found["one"]["rate"],
        "messages/s",
        at_least(0.8),
        "SQLite store, people write to each in turn",
    )


async def _measure(bench: Bench, stocked: Path, name: str) -> dict[str, float]:
    file = bench.folder / "growth.db"
    for each in bench.folder.glob("growth.db*"):
        each.unlink()
    shutil.copy(stocked, file)
    with file.open("rb") as copied:
        os.fsync(copied.fileno())  # or every commit would wait for what was copied
    server = await bench.pipelines.start(
        "growth", "channel", credentials=bench.credentials(f"sqlite:///{file}")
    )
    caller = Caller(server.port)
    try:
        return {"rate": bench.note_load(name, await _refill(bench, caller)).rate}
    finally:
        caller.close()
        bench.pipelines.kill(server)


async def _refill(bench: Bench, caller: Caller) -> Load:
    """For each message that goes out, somebody new writes."""
    writing: set[asyncio.Task[None]] = set()

    def write(_to: str, _text: str) -> None:
        task = asyncio.create_task(deliver(caller, somebody(), "hello there"))
        writing.add(task)
        task.add_done_callback(writing.discard)

    bench.whatsapp.on_message = write
    await asyncio.sleep(bench.size.warm)
    taken, used, began = bench.whatsapp.taken, time.process_time(), time.monotonic()
    await asyncio.sleep(bench.size.seconds)
    seconds = time.monotonic() - began
    turns = bench.whatsapp.taken - taken
    busy = (time.process_time() - used) / seconds
    bench.whatsapp.on_message = lambda to, text: None
    for task in tuple(writing):
        task.cancel()
    return Load(turns / seconds, turns, seconds, busy)


async def stock(file: Path, *, waiting: int, sent: int = 0) -> Path:
    """Return *file*, filled: one goes through the store, and what it left there is multiplied."""
    async with SQLiteStore(file) as store:
        receiver = Receiver(store, Metrics(), note_status=_nobody_cares)
        await receiver.receive(read(webhook(WRITES, "hello there")[0]))
        if sent:
            await store.ledger.note_sent(
                f"wamid.out.{WAS_SENT}",
                key=f"wamid.in.{WAS_SENT}:0",
                recipient_id=WAS_SENT,
                response="utter_bench",
            )
    with closing(sqlite3.connect(file)) as db:
        # One transaction of a million rows is no work for a log: it would take minutes.
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        with db:
            multiply(db, WRITES, waiting)
            multiply(db, WAS_SENT, sent)
        db.execute("PRAGMA journal_mode = WAL")
    return file


async def _nobody_cares(_status: object) -> None:
    """No statuses come while a store is stocked."""


def multiply(db: sqlite3.Connection, phone: str, count: int) -> None:
    """Make *count* rows of every row that names *phone*, each naming a phone of its own."""
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        columns = [
            name
            for _, name, kind, _, _, key in db.execute(f"PRAGMA table_info({table})")
            if not (key and kind == "INTEGER")  # numbered by SQLite
        ]
        names = ", ".join(columns)
        named = " OR ".join(f"instr({column}, ?)" for column in columns)
        rows = db.execute(f"SELECT {names} FROM {table} WHERE {named}", [phone] * len(columns))
        for row in rows.fetchall():
            others = (
                [
                    each.replace(phone, str(int(phone) + n)) if isinstance(each, str) else each
                    for each in row
                ]
                for n in range(1, count)
            )
            places = ", ".join("?" * len(columns))
            db.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", others)
