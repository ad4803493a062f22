"""Messages a second from webhook to WhatsApp, with a bot that echoes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from bench.bench import TOKEN, Bench
from bench.caller import Caller
from bench.goals import Failure, Row, at_least
from bench.people import Chats, closed
from bench.servers import Pipelines, cpu_of, redis, stand_alone
from redis import Redis
from support.redis_server import MISSING, find_redis_server
from support.webhooks import NUMBER

REDIS: Final = "redis"
SERVE: Final = "serve"
UNIT: Final = "messages/s"
# heyoo answers one after the other: more people would only wait longer.
HEYOO_PEOPLE: Final = 5


async def rows(bench: Bench) -> AsyncIterator[Row | Failure]:
    if bench.others is not None:
        async for row in _beside(bench, bench.others):
            yield row
        return
    async with AsyncExitStack() as stack:
        url = stack.enter_context(redis(bench.folder)) if find_redis_server() else None
        found = await _measure(bench, _pipelines(bench, url), stack)
        of_redis = per_message(url, bench.whatsapp.taken_by[REDIS]) if url else ""
    rate = {name: figures["rate"] for name, figures in found.items()}
    cost = {name: figures["cost"] for name, figures in found.items()}
    bare = "bare Sanic handler that posts with aiohttp"
    yield Row(
        "echo, SQLite store, signatures on",
        rate["channel"],
        bare,
        rate["bare"],
        UNIT,
        at_least(0.55),
        f"WhatsApp answers after {bench.size.latency * 1000:.0f} ms; "
        f"{bench.size.people} people at once",
    )
    yield Row("processor time of a message", cost["channel"], "in the handler", cost["bare"], "ms")
    yield Row(
        "echo, door and sender in `rasa-whatsapp serve`",
        rate[SERVE],
        bare,
        rate["bare"],
        UNIT,
        at_least(0.7),
        "SQLite store; the load, the mock API and both processes share the cores",
    )
    yield Row("processor time of a message", cost[SERVE], "in one process", cost["channel"], "ms")
    if REDIS in rate:
        sqlite = "echo, SQLite store"
        yield Row(
            "echo, Redis store",
            rate[REDIS],
            sqlite,
            rate["channel"],
            UNIT,
            at_least(0.85),
            of_redis,
        )
    else:
        yield Failure("echo, Redis store", MISSING)
    if "bare with marks" in rate:
        yield Row(
            "echo, with read marks and typing bubble (the default)",
            rate["channel with marks"],
            "the handler posts the marks, too",
            rate["bare with marks"],
            UNIT,
            note="SQLite store, two calls to WhatsApp per message",
        )
    yield Row(
        "echo, SQLite store",
        rate["channel"],
        "connector on heyoo (synchronous)",
        rate["heyoo"],
        UNIT,
        note=f"heyoo with {HEYOO_PEOPLE} people",
    )


async def _beside(bench: Bench, others: Pipelines) -> AsyncIterator[Row]:
    """Measure this checkout and another one in turn: what a change of the hot path costs."""
    chats = Chats(bench.whatsapp)
    bench.whatsapp.latency = bench.size.latency
    async with AsyncExitStack() as stack:
        stores = {"SQLite": "sqlite:///echo.db"}
        if find_redis_server():
            stores["Redis"] = stack.enter_context(redis(bench.folder))
        for store, url in stores.items():
            measures = {}
            for name, pipelines in (("here", bench.pipelines), ("there", others)):
                place = f"{url}?name={name}" if store == "Redis" else url
                block = bench.credentials(place)
                server = await pipelines.start(f"{store} {name}", "channel", credentials=block)
                stack.callback(pipelines.kill, server)
                caller = Caller(server.port)
                stack.callback(caller.close)
                measures[name] = _one(bench, chats, f"{store} {name}", {"": server.pid}, caller)
            found = await bench.alternate(store, measures)
            here, there = found["here"], found["there"]
            other = "the other checkout"
            yield Row(f"echo, {store} store", here["rate"], other, there["rate"], UNIT)
            yield Row("processor time of a message", here["cost"], other, there["cost"], "ms")


def _pipelines(bench: Bench, redis_url: str | None) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the pipelines to measure, and their options, by name."""
    bare = {"url": bench.messages_url, "token": TOKEN}
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "channel": ("channel", {"credentials": bench.credentials("sqlite:///echo.db")}),
        SERVE: ("channel", {"credentials": bench.credentials("sqlite:///apart.db", roles=["bot"])}),
        "bare": ("bare", bare),
        "heyoo": ("heyoo_connector", {**bare, "number": NUMBER}),
    }
    if redis_url is not None:
        block = bench.credentials(redis_url, access_token=REDIS)
        found[REDIS] = ("channel", {"credentials": block})
    if not bench.size.quick:
        marks = {"mark_read": True, "typing_indicator": True}
        block = bench.credentials("sqlite:///marks.db", **marks)
        found["channel with marks"] = ("channel", {"credentials": block})
        found["bare with marks"] = ("bare", {**bare, "receipts": True})
    return found


async def _measure(
    bench: Bench, pipelines: Mapping[str, tuple[str, dict[str, Any]]], stack: AsyncExitStack
) -> dict[str, dict[str, float]]:
    bench.whatsapp.latency = bench.size.latency
    chats = Chats(bench.whatsapp)
    measures: dict[str, Callable[[], Awaitable[Mapping[str, float]]]] = {}
    pids = {}
    for name, (pipeline, options) in pipelines.items():
        server = await bench.pipelines.start(f"echo {name}", pipeline, **options)
        stack.callback(bench.pipelines.kill, server)
        door, parts = server, {"": server.pid}
        if name == SERVE:
            alone = stand_alone(bench.folder, options["credentials"])
            door = await stack.enter_async_context(alone)
            parts = {": door and sender": door.pid, ": bot": server.pid}
        pids |= {f"{name}{part}": pid for part, pid in parts.items()}
        caller = Caller(door.port)
        stack.callback(caller.close)
        measures[name] = _one(bench, chats, name, parts, caller)
    return await bench.alternate("echo", measures, servers=pids)


def per_message(url: str, messages: int) -> str:
    """Return in words what a Redis that began empty has taken for each of *messages*."""
    with Redis.from_url(url) as client:
        told = client.info()
    spent = 1000 * (told["used_cpu_user"] + told["used_cpu_sys"]) / messages
    kept = told["used_memory_dataset"] / messages
    return f"per message Redis itself takes {spent:.2f} ms and keeps {kept:.0f} bytes"


def _one(
    bench: Bench, chats: Chats, name: str, parts: Mapping[str, int], caller: Caller
) -> Callable[[], Awaitable[dict[str, float]]]:
    people = HEYOO_PEOPLE if name == "heyoo" else bench.size.people

    async def measure() -> dict[str, float]:
        size = bench.size
        turn = chats.through(caller)
        load = await closed(
            turn,
            people=people,
            warm=size.warm,
            seconds=size.seconds,
            cpu=partial(cpu_of, parts),
        )
        bench.note_load(f"echo, {name}", load)
        return {"rate": load.rate, **load.costs}

    return measure
