"""
Load test: many users at once; each waits for the answer, pauses, and writes again.

The answer that a single user receives first is the expected answer for all.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.simulator import incoming
from rasa_whatsapp_channel.simulator.incoming import Arrival
from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.state import WhatsAppUser
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.transcript.words import line_of, words_of

Answer = Sequence[str]  # what each message of an answer shows, in order


@dataclass(frozen=True)
class Comparison:
    """*lost* and *doubled* count messages; *out_of_order* is 1 for an answer in another order."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0


def compare(wanted: Answer, got: Answer) -> Comparison:
    """
    Compare an answer with the one that a single user received before the load.

    A message with another text replaces a missing one, since bots vary their texts. A repeated
    message is doubled.
    """
    missing, extra = Counter(wanted), Counter(got)
    missing.subtract(got)
    extra.subtract(wanted)
    lost = sum(count for count in missing.values() if count > 0)
    doubled = sum(count for what, count in extra.items() if count > 0 and what in wanted)
    others = sum(count for what, count in extra.items() if count > 0 and what not in wanted)
    return Comparison(
        lost=max(lost - others, 0),
        doubled=doubled + max(others - lost, 0),
        out_of_order=int(not _in_order(wanted, got)),
    )


@dataclass
class LoadResults:
    """Figures of a running load test; latencies are those of first messages, in seconds."""

    written: int = 0
    answered: int = 0
    unanswered: int = 0  # within the patience of a user
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return self.written - self.answered - self.unanswered

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.out_of_order

    def add(self, verdict: Comparison) -> None:
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.out_of_order += verdict.out_of_order

    def figures(self) -> list[tuple[str, str]]:
        """Return name and value of each figure, as a table shows them."""
        per_second = self.messages / self.seconds if self.seconds else 0.0
        return [
            ("seconds", f"{self.seconds:.0f}"),
            ("written", str(self.written)),
            ("answered", str(self.answered)),
            ("answers per second", f"{self.answered / self.seconds if self.seconds else 0:.1f}"),
            ("messages per second", f"{per_second:.1f}"),
            ("p50 of the answer", in_words(percentile(self.latencies, 50))),
            ("p99 of the answer", in_words(percentile(self.latencies, 99))),
            ("lost", str(self.lost)),
            ("doubled", str(self.doubled)),
            ("out of order", str(self.out_of_order)),
        ]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the smallest value that *percent* of them do not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(int(place), 1) - 1]


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _in_order(wanted: Answer, got: Answer) -> bool:
    """Return whether the wanted messages came in the wanted order."""
    places = [got.index(what) for what in dict.fromkeys(wanted) if what in got]
    return places == sorted(places)


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
