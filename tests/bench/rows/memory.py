"""What stays behind when many messages have gone through: in memory, and in the SQLite file."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, at_most
from bench.people import Chats, so_many, somebody, webhook
from bench.pipelines.bodies import text

LATENCY: Final = 0.005  # only their number matters here
PEOPLE: Final = 200
SETTLE: Final = 1.0  # seconds in which the last entries come to their end


async def rows(bench: Bench) -> AsyncIterator[Row]:
    first, last = (1_000, 3_000) if bench.size.quick else (10_000, 100_000)
    bench.whatsapp.latency = LATENCY
    file = bench.folder / "memory.db"
    server = await bench.pipelines.start(
        "memory", "channel", credentials=bench.credentials(f"sqlite:///{file}")
    )
    caller = Caller(server.port)
    turn = Chats(bench.whatsapp).through(caller)
    memory, size = [], []
    try:
        for turns, upto in ((first, first), (last - first, last)):
            bench.say(f"memory: {upto:,} messages")
            await so_many(turn, people=PEOPLE, turns=turns)
            await asyncio.sleep(SETTLE)
            memory.append(server.memory())
            size.append(in_file(file))
    finally:
        caller.close()
        bench.pipelines.kill(server)
    yield Row(
        f"memory after {last:,} messages",
        memory[1],
        f"after {first:,}",
        memory[0],
        "MB",
        at_most(1.1),
        "of the server, Rasa's modules included; every message is of somebody new",
    )
    phone = somebody()
    body, _ = webhook(phone, "hello there")
    yield Row(
        "SQLite file, per message and its answer",
        (size[1] - size[0]) / (last - first),
        "their own JSON",
        len(body) + len(json.dumps(text(phone, "hello there"))),
        "bytes",
        note="keys of what was seen for 8 days, the ledger for 30, who wrote when for 90",
    )


def in_file(file: Path) -> int:
    """Return the size of the file, with what still stands in SQLite's log written into it."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return file.stat().st_size
