"""Door and sender in `rasa-whatsapp serve`: how webhooks are answered while the bot is blocked."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final

from bench.bench import TOKEN, Bench
from bench.caller import Caller
from bench.goals import Row, at_most, below
from bench.people import Load, at_rate, deliver, percentile, somebody, webhook
from bench.pipelines.channel import BLOCKS
from bench.servers import stand_alone
from support.store_processes import Processes

from rasa_whatsapp_channel.store.sqlite import LISTEN, SQLiteStore

RATE: Final = 50.0  # messages a second
MESSAGES: Final = 20  # of each person: WhatsApp lets nobody have more than 45 at once
PAUSE: Final = 1.0  # seconds between two times that the bot is blocked
PUTS_EVERY: Final = 0.03


async def rows(bench: Bench) -> AsyncIterator[Row]:
    async for row in _blocked(bench):
        yield row
    yield await _wake_up(bench)


async def _blocked(bench: Bench) -> AsyncIterator[Row]:
    """Let people write while the bot's event loop is blocked again and again."""
    times, seconds = (3, 2.0) if bench.size.quick else (10, 5.0)
    bench.whatsapp.latency = bench.size.latency
    block = bench.credentials("sqlite:///blocked.db", roles=["bot"])
    bot = await bench.pipelines.start("blocked bot", "channel", credentials=block)
    bare = await bench.pipelines.start("idle", "bare", url=bench.messages_url, token=TOKEN)
    idle, chats = Caller(bare.port), NumberedChats(bench)
    try:
        async with stand_alone(bench.folder, block) as door:
            caller = Caller(door.port)
            bench.say("apart: an idle handler")
            alone = await at_rate(lambda: _nothing(idle), rate=RATE, seconds=times * seconds / 2)
            bench.say(f"apart: the bot is blocked {times} times for {seconds:g} seconds")
            blocking = asyncio.create_task(_block(caller, times, seconds))
            load = await at_rate(
                lambda: chats.write(caller), rate=RATE, seconds=times * (seconds + PAUSE)
            )
            bench.note_load("apart, blocked", load)
            began = await blocking
            await chats.are_answered()
            caller.close()
    finally:
        idle.close()
        bench.pipelines.kill(bot)
        bench.pipelines.kill(bare)
    blocked, after = split(load, began, seconds)
    how = f"at {RATE:.0f} messages/s, blocked {times} times for {seconds:g} s"
    waits = f"{seconds * RATE:.0f} messages waited; bot, `serve` and the load share the cores"
    for name, share, spans, goal, note in (
        ("median, while the bot is blocked", 0.5, blocked, None, how),
        ("99th percentile, while the bot is blocked", 0.99, blocked, at_most(3.0), how),
        ("99th percentile, while the bot catches up", 0.99, after, None, waits),
    ):
        yield Row(
            f"webhook answer, {name}",
            percentile(spans, share),
            "an idle bare Sanic handler that answers at once",
            alone.percentile(share),
            "ms",
            goal,
            note,
        )
    yield Row(
        "messages lost, doubled or out of order meanwhile",
        chats.wrong,
        "messages",
        load.turns,
        "messages",
        below(1),
    )


class NumberedChats:
    """People who write numbered texts; what the bot echoes is compared with what they wrote."""

    def __init__(self, bench: Bench) -> None:
        self._wrote: dict[str, list[str]] = defaultdict(list)
        self._got: dict[str, list[str]] = defaultdict(list)
        self._numbers = itertools.count()
        self._people: list[str] = []
        bench.whatsapp.on_message = lambda to, text: self._got[to].append(text)

    async def write(self, caller: Caller) -> None:
        number = next(self._numbers)
        # The next message of the same person comes a second later, when this one is answered.
        group, place = divmod(number, int(RATE) * MESSAGES)
        person = group * int(RATE) + place % int(RATE)
        while len(self._people) <= person:
            self._people.append(somebody())
        phone, text = self._people[person], f"message {number}"
        self._wrote[phone].append(text)
        await deliver(caller, phone, text)

    async def are_answered(self, *, within: float = 120.0) -> None:
        """Return when everybody got as many answers as messages, or after *within* seconds."""
        end = time.monotonic() + within
        while time.monotonic() < end and any(
            len(self._got[phone]) < len(texts) for phone, texts in self._wrote.items()
        ):
            await asyncio.sleep(0.1)

    @property
    def wrong(self) -> int:
        """Return the number of messages that are not where they should be."""
        return sum(
            sum(ours != theirs for ours, theirs in itertools.zip_longest(texts, self._got[phone]))
            for phone, texts in self._wrote.items()
        )


async def _block(caller: Caller, times: int, seconds: float) -> list[float]:
    """Block the bot again and again, and return when each time began, on the monotonic clock."""
    began = []
    for _ in range(times):
        await deliver(caller, somebody(), f"{BLOCKS}{seconds}")
        began.append(time.monotonic())
        await asyncio.sleep(seconds + PAUSE)
    return began


def split(load: Load, began: list[float], seconds: float) -> tuple[list[float], list[float]]:
    """Return how long the webhooks took that passed while the bot was blocked, and the others."""
    blocked, after = [], []
    for due, span in zip(load.due, load.spans, strict=True):
        whole = any(begin <= due and due + span <= begin + seconds for begin in began)
        (blocked if whole else after).append(span)
    return blocked, after


async def _nothing(caller: Caller) -> None:
    body, headers = webhook(somebody(), "hello there")
    answer = await caller.post("/nothing", body, headers)
    if answer.status != 200:
        raise RuntimeError(f"the bare handler answered {answer.status}")


async def _wake_up(bench: Bench) -> Row:
    """How long after a put was acknowledged another process has claimed the item."""
    bench.say("apart: one process wakes another")
    folder = bench.folder / "wake"
    folder.mkdir()
    processes = Processes(folder)
    worker = processes.start("work", folder / "whatsapp.db")
    put_at: list[int] = []
    count = 100 if bench.size.quick else 500
    try:
        async with SQLiteStore(folder / "whatsapp.db") as store:
            await _is_at_work(store, processes, worker)
            for number in range(count):
                await store.inbox.put(f"put {number}", f"somebody {number}", {})
                put_at.append(time.monotonic_ns())
                await asyncio.sleep(PUTS_EVERY)
            await _all_claimed(processes, worker, count + 1)
    finally:
        processes.kill_all()
    claimed = [int(line.split()[0]) for line in processes.lines(worker)][1:]
    # A claim may be seen before the wait for the disk of the put is over.
    spans = [max(0, there - here) / 1e9 for here, there in zip(put_at, claimed, strict=True)]
    return Row(
        "an item is claimed by another process, 99th percentile",
        percentile(spans, 0.99),
        "the look at the file without the wake-up",
        1000 * LISTEN,
        "ms",
        below(5),
        f"SQLite store, claim written; median {percentile(spans, 0.5):.2g} ms",
    )


async def _is_at_work(store: SQLiteStore, processes: Processes, worker: int) -> None:
    await store.inbox.put("first", "somebody", {})
    await _all_claimed(processes, worker, 1)
    await asyncio.sleep(2 * LISTEN)  # both know of each other


async def _all_claimed(processes: Processes, worker: int, count: int) -> None:
    end = time.monotonic() + 60
    while len(processes.lines(worker)) < count:
        if time.monotonic() > end:
            raise RuntimeError("the other process claims nothing")
        await asyncio.sleep(0.05)
