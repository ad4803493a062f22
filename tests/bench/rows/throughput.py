"""Messages a second from webhook to WhatsApp, with a bot that echoes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Final

from bench.bench import TOKEN, Bench
from bench.caller import Caller
from bench.goals import Row, at_least
from bench.people import Chats, closed
from bench.servers import Server
from support.webhooks import NUMBER

UNIT: Final = "messages/s"
# heyoo answers one after the other: more people would only wait longer.
HEYOO_PEOPLE: Final = 20


async def rows(bench: Bench) -> AsyncIterator[Row]:
    chats = Chats(bench.whatsapp)
    bare = {"url": bench.messages_url, "token": TOKEN}
    start = bench.pipelines.start
    servers = {
        "channel": await start(
            "channel", "channel", credentials=bench.credentials("sqlite:///echo.db")
        ),
        "bare": await start("bare", "bare", **bare),
        "heyoo": await start("heyoo", "heyoo_connector", **bare, number=NUMBER),
    }
    if not bench.size.quick:
        marks = {"mark_read": True, "typing_indicator": True}
        with_marks = bench.credentials("sqlite:///marks.db", **marks)
        servers["channel with marks"] = await start("marks", "channel", credentials=with_marks)
        servers["bare with marks"] = await start("bare-marks", "bare", **bare, receipts=True)
    bench.whatsapp.latency = bench.size.latency
    with ExitStack() as open_until_here:
        measures: dict[str, Callable[[], Awaitable[Mapping[str, float]]]] = {}
        for name, server in servers.items():
            caller = Caller(server.port)
            open_until_here.callback(caller.close)
            open_until_here.callback(bench.pipelines.kill, server)
            measures[name] = _measure(bench, chats, name, server, caller)
        found = await bench.alternate("messages a second", measures)
    rate = {name: figures["rate"] for name, figures in found.items()}
    cost = {name: figures["cost"] for name, figures in found.items()}
    latency = f"{bench.size.latency * 1000:.0f} ms"
    yield Row(
        "echo, SQLite store, signatures on",
        rate["channel"],
        "bare Sanic handler that posts with aiohttp",
        rate["bare"],
        UNIT,
        at_least(0.8),
        f"WhatsApp answers after {latency}; {bench.size.people} people at once",
    )
    yield Row(
        "the same, processor time per message",
        cost["channel"],
        "the same handler",
        cost["bare"],
        "ms",
    )
    if "bare with marks" in rate:
        yield Row(
            "the same, with read marks and typing bubble (the default)",
            rate["channel with marks"],
            "the handler posts the marks, too",
            rate["bare with marks"],
            UNIT,
            note="two calls to WhatsApp per message",
        )
    yield Row(
        "the same as the first row",
        rate["channel"],
        "connector on heyoo (synchronous)",
        rate["heyoo"],
        UNIT,
        note=f"heyoo with {HEYOO_PEOPLE} people",
    )


def _measure(
    bench: Bench, chats: Chats, name: str, server: Server, caller: Caller
) -> Callable[[], Awaitable[dict[str, float]]]:
    people = HEYOO_PEOPLE if name == "heyoo" else bench.size.people

    async def measure() -> dict[str, float]:
        used = asyncio.create_task(_cpu(server, bench.size.warm, bench.size.seconds))
        load = await closed(
            chats.through(caller), people=people, warm=bench.size.warm, seconds=bench.size.seconds
        )
        bench.note_load(f"echo, {name}", load)
        return {"rate": load.rate, "cost": 1000 * await used / max(load.turns, 1)}

    return measure


async def _cpu(server: Server, after: float, seconds: float) -> float:
    await asyncio.sleep(after)
    before = server.cpu()
    await asyncio.sleep(seconds)
    return server.cpu() - before
