"""
Tests that mostly wait, waiting at the same time.

All tests of a module that are marked with `side_by_side` begin with the first of them, each in a
`Room` of its own, and each is told its own end. So a minute that ten tests need is one minute.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from support.cloud_api import CloudApi, cloud_api
from support.crowd import Crowd, Written, webhook_of
from support.phones import REAL, Habits, Phones
from support.redis_server import RedisServer
from support.stubs import DEFAULTS, SECRET, Forge, Stubs, stub_servers

Test = Callable[..., Awaitable[None]]

SQLITE = "sqlite"
LOUD = re.compile(r"^[\d.]+ (WARNING|ERROR|CRITICAL) ")
AT_ONCE = 10  # tests; they begin in the order in which they are written


class Room:
    """Where one test has its WhatsApp, its people, its servers and its store."""

    def __init__(self, folder: Path, forge: Forge, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.forge = forge
        self.figures: list[object] = []  # that are shown at the end of the test run
        self._stack = stack
        self._calls = 0
        self.api: CloudApi
        self.phones: Phones
        self.crowd: Crowd
        self.stubs: Stubs
        self.servers: tuple[str, ...] = ()

    async def open(
        self,
        *,
        store: str = SQLITE,
        servers: Iterable[str] = ("anna",),
        bot: str = "texts",
        habits: Habits = REAL,
        fails: Callable[[Any], int] = lambda taken: 0,
        platform: CloudApi | None = None,
        order: Mapping[str, Any] = MappingProxyType({}),
        **credentials: Any,
    ) -> None:
        """
        Start *servers* on one *store*, with the default settings but for *credentials*.

        *order*: what they are given on their way, see `stub_server`.
        """
        self.servers = tuple(servers)
        self.api = await self._stack.enter_async_context(cloud_api(platform))
        address = self._redis() if store == "redis" else f"sqlite:///{self.folder}/whatsapp.db"
        self.stubs = await self._stack.enter_async_context(
            stub_servers(
                self.folder,
                self.api,
                forge=self.forge,
                bot=bot,
                **{**DEFAULTS, "store": address, **credentials},
            )
        )
        self.crowd = Crowd(self._next_server, secret=SECRET, random=random.Random(1))
        self._stack.push_async_callback(self.crowd.close)
        self.phones = Phones(self.crowd.deliver, habits=habits, fails=fails)
        self._stack.push_async_callback(self.phones.close)
        self.api.taken = self.phones.take
        for name in self.servers:
            await self.stubs.start(name, **order)

    def _redis(self) -> str:
        redis = RedisServer(self.folder, appendonly="yes")
        redis.start()
        self._stack.callback(redis.kill)
        return redis.url

    def _next_server(self) -> str:
        """Return the webhook of each server in turn, as a load balancer does."""
        self._calls += 1
        return self.stubs.webhook(self.servers[self._calls % len(self.servers)])

    async def write(self, *written: Written) -> None:
        """Let people write, each message in a webhook of its own, all at the same time."""
        await asyncio.gather(*(self.crowd.deliver(webhook_of([each])) for each in written))

    def keep_alive(self, name: str, **order: Any) -> list[float]:
        """Start *name* again whenever it crashes; the list grows by the times of that."""
        crashes: list[float] = []
        task = asyncio.create_task(self.stubs.keep_alive(name, crashes, **order))
        self._stack.push_async_callback(_end, task)
        return crashes

    async def dead_letters(self) -> list[dict[str, Any]]:
        return await self.stubs.dead_letters()

    def heard(self, text: str) -> int:
        """Return how many times a turn with *text* has begun."""
        lines = self.stubs.journal.read()
        return sum((line["what"], line["text"]) == ("began", text) for line in lines)

    def asked(self, text: str) -> list[float]:
        """Return when WhatsApp was asked to send *text*."""
        return [asked.at for asked in self.api.asked if asked.text == text]

    def warnings(self) -> list[str]:
        """Return what was worth a warning, and worse, in all servers' logs."""
        return [line for line in self.log(" ") if LOUD.search(line)]

    def log(self, event: str) -> list[str]:
        """Return the lines with *event* of all servers' logs."""
        logs = [self.stubs.log(name, lines=100_000) for name in self.servers]
        return [line for log in logs for line in log.splitlines() if event in line]


class SideBySide:
    """The tests of one module that have begun."""

    def __init__(self, folder: Path, forge: Forge) -> None:
        self._folder = folder
        self._forge = forge
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._figures: dict[str, list[object]] = {}

    def begin(self, node_id: str, test: Test, params: dict[str, Any]) -> None:
        self._tasks[node_id] = asyncio.create_task(self._run(node_id, test, params))

    async def end_of(self, node_id: str, figures: Callable[[object], None]) -> None:
        try:
            await self._tasks[node_id]
        finally:
            for what in self._figures.get(node_id, ()):
                figures(what)

    async def close(self) -> None:
        for task in self._tasks.values():
            await _end(task)

    async def _run(self, node_id: str, test: Test, params: dict[str, Any]) -> None:
        folder = self._folder / re.sub(r"\W+", "-", node_id.partition("::")[2])
        async with self._turns, AsyncExitStack() as stack:
            folder.mkdir()
            room = Room(folder, self._forge, stack)
            self._figures[node_id] = room.figures
            await test(room, **params)


def side_by_side(test: Test) -> Test:
    """Let *test*, whose first argument is a `Room`, run beside the others of its module."""

    @functools.wraps(test)
    async def waits(
        beside: SideBySide,
        request: pytest.FixtureRequest,
        figures: Callable[[object], None],
        **_params: Any,
    ) -> None:
        await beside.end_of(request.node.nodeid, figures)

    waits.begins = test  # type: ignore[attr-defined]
    given = list(inspect.signature(test).parameters.values())[1:]
    ours = [inspect.Parameter(name, _KEYWORD) for name in ("beside", "request", "figures")]
    waits.__signature__ = inspect.Signature([*ours, *given])  # type: ignore[attr-defined]
    del waits.__wrapped__  # type: ignore[attr-defined]
    return waits


_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD


@asynccontextmanager
async def begun(
    request: pytest.FixtureRequest, folder: Path, forge: Forge
) -> AsyncIterator[SideBySide]:
    """Begin all tests of the module that asks, as far as they were selected."""
    beside = SideBySide(folder, forge)
    try:
        for item in request.session.items:
            test = getattr(getattr(item, "function", None), "begins", None)
            if test is not None and getattr(item, "module", None) is request.module:
                callspec = getattr(item, "callspec", None)
                beside.begin(item.nodeid, test, dict(callspec.params) if callspec else {})
        yield beside
    finally:
        await beside.close()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
