"""
Load test: many users at once; each waits for the answer, pauses, and writes again.

The answer that a single user receives first is the expected answer for all.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.simulator import incoming
from rasa_whatsapp_channel.simulator.incoming import Arrival
from rasa_whatsapp_channel.simulator.load.results import Comparison, LoadResults, compare
from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.state import WhatsAppUser
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.transcript.words import line_of, words_of

QUIET: Final = 2.0  # seconds without a message after which an answer is complete
FIRST_PHONE: Final = 491510000000


@dataclass(frozen=True)
class Load:
    """
    *people* write *text*, together *rate* times a second, for *duration* seconds.

    A user who waits for an answer does not write; after *patience* the answer is lost.
    """

    people: int
    rate: float = 50.0
    duration: float = 30.0
    text: str = "hi"
    patience: float = 30.0
    quiet: float = QUIET
    seed: int = 1


class LoadTest:
    def __init__(self, world: World, load: Load) -> None:
        self._world = world
        self._load = load
        self._random = random.Random(load.seed)  # noqa: S311  # think times, no secrets
        self._inboxes: dict[str, asyncio.Queue[str]] = {}
        self._wanted: list[str] = []
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._began = 0.0
        self.results = LoadResults()

    async def run(self) -> LoadResults:
        """Run until the time is over and all answers have arrived; may be cancelled."""
        with self._listening():
            self._wanted = await self._try_alone()
            self._began = self._now()
            async with _Clocked(self._tick):
                await asyncio.gather(*(self._live(n) for n in range(1, self._load.people + 1)))
        return self.results

    async def _try_alone(self) -> list[str]:
        """Let one user write; return the answer as the expected one."""
        person, inbox = self._join(0)
        self._write(person)
        try:
            answer = [await asyncio.wait_for(inbox.get(), self._load.patience)]
        except asyncio.TimeoutError:
            raise SimulatorError(
                f"no response to {self._load.text!r} within {self._load.patience:g} seconds; "
                f"does the bot run, and take webhooks at {self._world.config.webhook}?"
            ) from None
        while True:
            try:
                answer.append(await asyncio.wait_for(inbox.get(), self._load.quiet))
            except asyncio.TimeoutError:
                return answer

    async def _live(self, number: int) -> None:
        person, inbox = self._join(number)
        every = self._load.people / self._load.rate
        end = self._began + self._load.duration
        write_at = self._began + self._random.uniform(0, every)
        while write_at < end:
            await asyncio.sleep(max(write_at - self._now(), 0))
            wrote = self._now()
            if wrote >= end:
                return
            self._write(person)
            self.results.written += 1
            got = await self._answer(inbox, wrote)
            self.results.add(compare(self._wanted, got))
            write_at = wrote + every * self._random.uniform(0.5, 1.5)
        # A duplicate of the answer may still arrive.
        await asyncio.sleep(self._load.quiet)
        self.results.add(Comparison(doubled=inbox.qsize()))

    async def _answer(self, inbox: asyncio.Queue[str], wrote: float) -> list[str]:
        """Wait until the answer is complete; return all received messages."""
        got: list[str] = []
        while compare(self._wanted, got).lost:
            left = wrote + self._load.patience - self._now()
            try:
                got.append(await asyncio.wait_for(inbox.get(), max(left, 0)))
            except asyncio.TimeoutError:
                break
            self.results.messages += 1
            if len(got) == 1:
                self.results.latencies.append(self._now() - wrote)
        while not inbox.empty():
            got.append(inbox.get_nowait())
            self.results.messages += 1
        self.results.answered += bool(got)
        self.results.unanswered += not got
        return got

    def _join(self, number: int) -> tuple[WhatsAppUser, asyncio.Queue[str]]:
        phone = str(FIRST_PHONE + number)
        state = self._world.state
        person = state.find_person(phone) or self._world.add_person(f"Person {number}", phone=phone)
        inbox = self._inboxes[person.key] = asyncio.Queue()
        return person, inbox

    def _write(self, person: WhatsAppUser) -> None:
        incoming.receive(self._world, person, [Arrival("text", {"body": self._load.text})])

    def _tick(self) -> None:
        """Count the time in which messages were handled, without the final pause."""
        passed = self._now() - self._began
        if passed <= self._load.duration or self.results.waiting:
            self.results.seconds = passed

    @contextmanager
    def _listening(self) -> Iterator[None]:
        with self._world.feed.listen() as events:
            sorting = asyncio.create_task(self._sort(events))
            try:
                yield
            finally:
                sorting.cancel()

    async def _sort(self, events: asyncio.Queue[dict[str, Any] | None]) -> None:
        """Pass each of the bot's messages to its user."""
        while (event := await events.get()) is not None:
            message = event.get("message") if event["event"] == "message" else None
            if message is None or message["direction"] != "outbound":
                continue
            inbox = self._inboxes.get(message["person"])
            if inbox is not None and message["status"] != "failed":
                inbox.put_nowait(line_of(words_of(message)))


class _Clocked:
    """Call *tick* a few times a second, and at the end."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def __aexit__(self, *error: object) -> None:
        if self._task is not None:
            self._task.cancel()
        self._tick()

    async def _run(self) -> None:
        while True:
            self._tick()
            await asyncio.sleep(0.2)
