"""People write while servers are killed, and worse; then it is judged what became of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from support.cloud_api import CloudApi
from support.crowd import Crowd, Written
from support.numbered import answers_to, numbers_of
from support.phones import AT_ONCE, Habits, Phones
from support.stubs import SECRET, Stubs
from support.verdict import Kill, Verdict, judge

REST = 120.0  # longest time in which nothing happens though something is left
QUIET = 1.5  # seconds in which a surplus message would come


class Chaos:
    """
    *says* is what people write as their n-th message, *answers_to* what the bot answers.

    *order* is what a server is given on its way, see `stub_server`. *doors* are those of the
    *servers* that take webhooks.
    """

    def __init__(
        self,
        stubs: Stubs,
        platform: CloudApi,
        servers: Sequence[str],
        *,
        doors: Sequence[str] | None = None,
        seed: int,
        habits: Habits = AT_ONCE,
        says: Callable[[int, int], Written] = Written,
        answers_to: Callable[[str], list[str]] = answers_to,
        order: Callable[[str], dict[str, Any]] = lambda server: {},
        rest: float = REST,
    ) -> None:
        self.kills: list[Kill] = []
        self.events: list[tuple[float, str]] = []  # what else happened, and when
        self.servers = list(servers)
        self._doors = list(doors or servers)
        self._stubs = stubs
        self._platform = platform
        self._random = random.Random(seed)
        self.crowd = Crowd(self._somewhere, secret=SECRET, random=self._random, says=says)
        self._says = says
        self._order = order
        self._rest = rest
        self._answers_to = answers_to
        self.phones = Phones(self.crowd.deliver, seed=seed, habits=habits)
        platform.taken = self.phones.take
        self._written: list[Written] = []
        self._seconds = 0.0

    def kill(self, server: str) -> None:
        self.kills.append(Kill(time.monotonic(), server))
        self._stubs.kill(server)

    def start(self, server: str) -> None:
        self._stubs.launch(server, **self._order(server))

    def start_the_crashed(self) -> int:
        """Start again who has crashed by itself, as a service manager does; return how many."""
        crashed = [server for server in self.servers if self._stubs.has_crashed(server)]
        for server in crashed:
            self.kills.append(Kill(time.monotonic(), server))
            self.start(server)
        return len(crashed)

    def bury(self, server: str) -> None:
        """Let nobody hope for the dead *server* any more."""
        self.servers.remove(server)
        self._doors.remove(server)

    async def run(
        self, users: int, messages: int, killing: Awaitable[None], *, seconds: float
    ) -> Verdict:
        """Let *users* people write *messages* messages each, within *seconds*."""
        began = time.monotonic()
        try:
            for server in self.servers:
                self.start(server)
            await asyncio.gather(*(self._stubs.ready(server) for server in self.servers))
            writing = self.crowd.write(range(users), messages, seconds=seconds)
            await asyncio.gather(killing, writing)
            await self._comes_to_rest()
        finally:
            self._platform.taken = None
            await self.phones.close()
            await self.crowd.close()
        self._seconds = time.monotonic() - began
        self._written = [self._says(u, n + 1) for u in range(users) for n in range(messages)]
        return judge(
            self._written,
            self._platform.accepted,
            self._stubs.journal.read(),
            self.kills,
            answers_to=self._answers_to,
            shown=self.phones.shown,
        )

    def _somewhere(self) -> str:
        """Return the webhook a load balancer would choose that has not heard of the kill yet."""
        return self._stubs.webhook(self._random.choice(self._doors))

    async def _comes_to_rest(self) -> None:
        """Wait until nothing waits any more, or it is clear that something always will."""
        await self._stubs.ready(self.servers[0])
        happened, end = (-1, -1), 0.0
        while time.monotonic() < end or happened != self._has_happened():
            if happened != self._has_happened():
                happened, end = self._has_happened(), time.monotonic() + self._rest
            accepted, shown = happened
            if shown >= accepted and await self._stubs.is_idle(self.servers[0]):
                break
            await asyncio.sleep(0.25)
        await asyncio.sleep(QUIET)

    def _has_happened(self) -> tuple[int, int]:
        return len(self._platform.accepted), len(self.phones.shown)

    def figures(self, verdict: Verdict) -> str:
        users = len({written.user for written in self._written})
        began = sum(line["what"] == "began" for line in self._stubs.journal.read())
        return (
            f"{len(self._written)} messages of {users} people, {len(self.kills)} kills: "
            f"{verdict}\n{self.crowd.deliveries} webhooks taken, {self.crowd.refusals} of them "
            f"only later; {began - len(self._written)} turns begun again; {self._seconds:.0f} s"
        )

    def stories(self, verdict: Verdict, most: int = 5) -> str:
        """Tell of the first faults what happened around them, in the order of time."""
        return "\n".join(
            f"{fault}\n{self._story(fault.partition(': ')[2])}" for fault in verdict.faults[:most]
        )

    def _story(self, text: str) -> str:
        message = numbers_of(text)
        happened = [
            (accepted.at, f"accepted from {accepted.token}: {accepted.text}")
            for accepted in self._platform.accepted
            if accepted.text.startswith(f"{message} ")
        ]
        happened += [
            (line["at"], f"{line['what']} by {line['server']}: {line['text']}")
            for line in self._stubs.journal.read()
            if numbers_of(line["text"]) == message
        ]
        if happened:
            first, last = min(happened)[0], max(happened)[0]
            others = [(kill.at, f"{kill.server or 'the store'} was killed") for kill in self.kills]
            others += self.events
            others += [
                (shown.at, f"shown: {shown.text}")
                for shown in self.phones.shown
                if shown.text.startswith(f"{message} ")
            ]
            happened += [(at, what) for at, what in others if first - 5 <= at <= last + 5]
        return "\n".join(f"  {at:.3f} {what}" for at, what in sorted(happened))
