"""
The load: people who write, and wait for their answers.

`closed`: so many people, each of whom writes again once the answer is there; it finds out how much
a server can do. `at_rate`: messages at fixed times, whatever the server does; it finds out how long
they take.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.caller import Caller
from bench.whatsapp import WhatsApp
from support.webhooks import NUMBER, envelope, text

SECRET: Final = "bench-app-secret"
WEBHOOK: Final = "/webhooks/whatsapp/webhook"
ANSWER: Final = 60.0  # longest wait for an answer, in seconds

Turn = Callable[[], Awaitable[None]]
_numbers = itertools.count()


@dataclass(frozen=True)
class Load:
    """
    *rate* in turns a second; *busy*: the share of one processor that the load itself took.

    *spans*: how long each turn took, *due* when it was to begin, on the monotonic clock, where that
    was fixed. *cpu*: what each part of the server that is a process took of its processor. Seconds.
    """

    rate: float
    turns: int
    seconds: float
    busy: float
    spans: list[float] = field(repr=False, default_factory=list)
    due: list[float] = field(repr=False, default_factory=list)
    cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def costs(self) -> dict[str, float]:
        """Return the processor time of one turn in ms: "cost", and "cost: part" of each part."""
        found = {f"cost{part}": 1000 * cpu / max(self.turns, 1) for part, cpu in self.cpu.items()}
        return {**found, "cost": sum(found.values())}

    def percentile(self, share: float) -> float:
        """Return how long the slowest but *share* of the turns took, in ms."""
        return percentile(self.spans, share)


def percentile(spans: Sequence[float], share: float) -> float:
    """Return the longest of *spans*, in seconds, but for 1 - *share* of them; in ms."""
    return 1000 * sorted(spans)[min(int(share * len(spans)), len(spans) - 1)]


def webhook(phone: str, words: str, number: str = NUMBER) -> tuple[bytes, dict[str, str]]:
    """Return a signed webhook of the Cloud API to a business *number*, and its headers."""
    message_id = f"wamid.HBgL{phone}.{next(_numbers)}"
    body = json.dumps(envelope([text(phone, message_id, words)])).replace(NUMBER, number).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Hub-Signature-256": f"sha256={signature}"}


def somebody() -> str:
    """Return the phone of a person who has not written before: WhatsApp limits each of them."""
    return f"49151{next(_numbers):09}"


async def deliver(caller: Caller, phone: str, words: str, number: str = NUMBER) -> None:
    body, headers = webhook(phone, words, number)
    taken = await caller.post(WEBHOOK, body, headers)
    if taken.status != 200:
        raise RuntimeError(f"the webhook was answered {taken.status}: {taken.body!r}")


class Chats:
    """Who waits for an answer, at one WhatsApp. *words* are what people write, in turn."""

    def __init__(self, whatsapp: WhatsApp, *, words: tuple[str, ...] = ("hello there",)) -> None:
        self._words = itertools.cycle(words)
        self._waiting: dict[str, asyncio.Future[None]] = {}
        whatsapp.on_message = self._answered

    def __len__(self) -> int:
        return len(self._waiting)

    def through(self, *callers: Caller) -> Turn:
        """Return what writes to one of *callers* after the other, and waits for the answer."""
        where = itertools.cycle(callers)

        async def turn() -> None:
            await (await self.write(next(where)))

        return turn

    async def write(self, caller: Caller) -> asyncio.Future[None]:
        """Return, as soon as the webhook is answered, what is done when the person is answered."""
        phone = somebody()
        answered = self._waiting[phone] = asyncio.get_running_loop().create_future()
        await deliver(caller, phone, next(self._words))
        return answered

    def only_write(self, caller: Caller) -> Turn:
        """Return what writes, and is content when the webhook is answered."""

        async def turn() -> None:
            await deliver(caller, somebody(), next(self._words))

        return turn

    def _answered(self, to: str, _text: str) -> None:
        waiting = self._waiting.pop(to, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


async def closed(
    turn: Turn,
    *,
    people: int,
    warm: float,
    seconds: float,
    cpu: Callable[[], Mapping[str, float]] = dict,
) -> Load:
    """
    Return how many turns a second there were in *seconds*.

    They begin after *warm* seconds, and not before everybody was answered once. *cpu* returns the
    processor time that each part of the server has had so far.
    """
    spans: list[float] = []
    enough = asyncio.Event()

    async def person() -> None:
        while not enough.is_set():
            wrote = time.monotonic()
            await turn()
            spans.append(time.monotonic() - wrote)

    everybody = asyncio.gather(*(person() for _ in range(people)))
    try:
        await asyncio.sleep(warm)
        end = time.monotonic() + ANSWER
        while len(spans) < people and not everybody.done():
            if time.monotonic() > end:
                raise RuntimeError(f"{people - len(spans)} of {people} people got no answer")
            await asyncio.sleep(0.01)
        first, used, busy, began = len(spans), cpu(), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        counted, busy = spans[first:], time.process_time() - busy
        used = {part: seconds - used[part] for part, seconds in cpu().items()}
        took = time.monotonic() - began
    finally:
        enough.set()
    await asyncio.wait_for(everybody, ANSWER)
    return Load(len(counted) / took, len(counted), took, busy / took, counted, cpu=used)


async def so_many(turn: Turn, *, people: int, turns: int) -> None:
    """Return when *turns* turns are over."""
    left = iter(range(turns))

    async def person() -> None:
        for _ in left:
            await turn()

    await asyncio.gather(*(person() for _ in range(people)))


async def at_rate(turn: Turn, *, rate: float, seconds: float) -> Load:
    """
    Begin *rate* turns a second, and return how long each took.

    Counted from when it was due, so that a server that stalls cannot hide it by stalling the load.
    """
    begin = time.monotonic()
    spans: list[float] = []
    was_due: list[float] = []

    async def person(due: float) -> None:
        await turn()
        spans.append(time.monotonic() - due)
        was_due.append(due)

    used = time.process_time()
    tasks = []
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(person(due)))
    await asyncio.wait_for(asyncio.gather(*tasks), ANSWER)
    took = time.monotonic() - begin
    busy = (time.process_time() - used) / took
    return Load(len(spans) / took, len(spans), took, busy, spans, was_due)
