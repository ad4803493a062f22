"""A new Rasa takes over from an old one under load, with `rasa-whatsapp serve` before them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

from bench.bench import Bench
from bench.caller import Caller
from bench.goals import Row, below
from bench.people import somebody, webhook
from bench.rows.rasa import BLOCK, WORDS, start_rasa, trained_model
from bench.servers import stand_alone

RATE: Final = 50.0  # messages a second
AROUND: Final = 3.0  # seconds of load before and after
DRAINED: Final = 600.0  # longest wait for the last answers, in seconds


async def rows(bench: Bench) -> AsyncIterator[Row]:
    bench.say("restart: training the quickstart bot")
    model = trained_model()
    bench.whatsapp.latency = bench.size.latency
    answered: Counter[str] = Counter()
    bench.whatsapp.on_message = lambda to, text: answered.update([to])
    async with AsyncExitStack() as stack:
        folder = bench.folder / "restart"
        block = bench.credentials(f"sqlite:///{bench.folder / 'restart.db'}", roles=["bot"])
        bench.say("restart: the old Rasa starts")
        old = start_rasa(folder, "old", model, stack, {BLOCK: block})
        door = await stack.enter_async_context(stand_alone(folder, block))
        await old.ready()
        caller = Caller(door.port)
        stack.callback(caller.close)
        load = _Load(caller)
        writing = asyncio.create_task(load.run())
        await asyncio.sleep(AROUND)
        bench.say("restart: the new Rasa starts")
        new = start_rasa(folder, "new", model, stack, {BLOCK: block})
        await new.ready()
        bench.say("restart: the old Rasa ends")
        await asyncio.to_thread(old.process.stop)
        await asyncio.sleep(AROUND)
        load.is_over = True
        await writing
        bench.say("restart: the last answers")
        end = time.monotonic() + DRAINED
        while len(answered) < len(load.wrote) and time.monotonic() < end:
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)  # in which a surplus message would come
    note = f"at {RATE:.0f} messages/s; the slowest 200 took {1000 * max(load.took):.0f} ms"
    total = len(load.wrote)
    yield Row(
        "webhooks refused while a new Rasa takes over",
        load.refused,
        "webhooks",
        total,
        "webhooks",
        below(1),
        note,
    )
    yield Row(
        "messages without an answer then",
        len(load.wrote - answered.keys()),
        "messages",
        total,
        "messages",
        below(1),
    )
    doubled = sum(count - 1 for count in answered.values())
    yield Row("messages answered twice then", doubled, "messages", total, "messages", below(1))


class _Load:
    """People who write at a fixed rate until it is over, each once."""

    def __init__(self, caller: Caller) -> None:
        self.is_over = False
        self.wrote: set[str] = set()
        self.refused = 0
        self.took: list[float] = []
        self._caller = caller

    async def run(self) -> None:
        tasks = []
        begin = time.monotonic()
        while not self.is_over:
            tasks.append(asyncio.create_task(self._write()))
            await asyncio.sleep(max(0.0, begin + len(tasks) / RATE - time.monotonic()))
        await asyncio.gather(*tasks)

    async def _write(self) -> None:
        phone = somebody()
        self.wrote.add(phone)
        body, headers = webhook(phone, WORDS[len(self.wrote) % len(WORDS)])
        began = time.monotonic()
        try:
            answer = await self._caller.post("/webhooks/whatsapp/webhook", body, headers)
            self.refused += answer.status != 200
        except OSError:
            self.refused += 1
        self.took.append(time.monotonic() - began)
