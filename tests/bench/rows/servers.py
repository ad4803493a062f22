"""Several servers on one Redis: what each of them does, and how long it takes when one dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, at_least, at_most
from bench.people import Chats, closed
from bench.servers import Server, redis

from rasa_whatsapp_channel.store.heartbeat import LEASE

THINKS: Final = 0.2  # seconds that the bot awaits, so that cores do not decide
AT_ONCE: Final = 10  # turns of one server: 50 a second at most
PEOPLE: Final = 60  # per server: always more than it can take
THINKS_LONG: Final = 1.0  # long enough that all of them are in the bot when a server is killed
CAUGHT: Final = 60  # messages that two servers have in hand when one of them is killed


async def rows(bench: Bench) -> AsyncIterator[Row]:
    counts = (1, 2) if bench.size.quick else (1, 2, 4)
    with redis(bench.folder) as url:
        measures: dict[str, Callable[[], Awaitable[dict[str, float]]]] = {
            str(count): partial(_each, bench, url, count) for count in counts
        }
        rounds = 1 if bench.size.quick else 3
        found = await bench.alternate("servers on one Redis", measures, rounds=rounds)
        alone = found.pop("1")["rate"]
        for count, figures in found.items():
            yield Row(
                f"messages/s of each of {count} servers",
                figures["rate"],
                "of one alone",
                alone,
                "messages/s",
                at_least(0.9),
                f"the bot needs {THINKS * 1000:.0f} ms, {AT_ONCE} turns at once: 50/s at most",
            )
        found = await bench.alternate(
            "a server dies", {"two": partial(_fail_over, bench, url)}, rounds=rounds
        )
        yield Row(
            "one of 2 servers is killed: until the other has answered everything",
            found["two"]["seconds"],
            "the lease of what it had claimed",
            LEASE,
            "s",
            at_most(1.5),
        )


async def _start(
    bench: Bench, url: str, count: int, *, seconds: float, at_once: int | None = None
) -> list[Server]:
    bot = {"seconds": seconds, "at_once": at_once}
    credentials = bench.credentials(url)
    return [
        await bench.pipelines.start(f"server-{number}", "channel", credentials=credentials, **bot)
        for number in range(count)
    ]


async def _each(bench: Bench, url: str, count: int) -> dict[str, float]:
    servers = await _start(bench, url, count, seconds=THINKS, at_once=AT_ONCE)
    callers = [Caller(server.port) for server in servers]
    bench.whatsapp.latency = bench.size.latency
    try:
        load = await closed(
            Chats(bench.whatsapp).through(*callers),
            people=PEOPLE * count,
            warm=2 * bench.size.warm,
            seconds=bench.size.seconds,
        )
    finally:
        for caller, server in zip(callers, servers, strict=True):
            caller.close()
            bench.pipelines.kill(server)
    return {"rate": bench.note_load(f"{count} servers", load).rate / count}


async def _fail_over(bench: Bench, url: str) -> dict[str, float]:
    """Kill one while its bot thinks, and return how long the last answer took from then on."""
    servers = await _start(bench, url, 2, seconds=THINKS_LONG)
    callers = [Caller(server.port) for server in servers]
    chats = Chats(bench.whatsapp)
    try:
        written = await asyncio.gather(*(chats.write(each) for each in callers * (CAUGHT // 2)))
        bench.pipelines.kill(servers[0])
        killed = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*written), 60)
        return {"seconds": time.monotonic() - killed}
    finally:
        for caller in callers:
            caller.close()
        bench.pipelines.kill(servers[1])
