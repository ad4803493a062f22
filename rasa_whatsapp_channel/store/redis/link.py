"""
The way to one Redis: what is asked of it, in which order, and what happens when it is lost.

All operations of this process go over one connection, in the order of the calls, so that entries
keep their order too; those of one moment go together and come back together.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any, Final, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from rasa_whatsapp_channel.store.base import Clock
from rasa_whatsapp_channel.store.redis.address import parse_address
from rasa_whatsapp_channel.store.redis.faults import explain, is_lost_connection
from rasa_whatsapp_channel.store.redis.server import check
from rasa_whatsapp_channel.whatsapp.errors import StoreError

logger = logging.getLogger(__name__)

T = TypeVar("T")
Arg = str | float

CONNECT: Final = 3.0
ANSWER: Final = 5.0
# Operations that go together.
LARGEST: Final = 100
# Keys that one step of a search looks at, a fraction of a millisecond.
SCANNED: Final = 500
GLOB: Final = re.compile(r"[*?\[\]\\]")


@dataclass(frozen=True)
class Script:
    text: str
    sha: str


@dataclass(slots=True)  # not frozen: a dozen are made for each message
class _Job:
    script: Script
    args: Sequence[Arg]
    future: asyncio.Future[Any]

    def give(self, answer: Any) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Link:
    """*clock* None: Redis' own clock, the one that all servers share."""

    def __init__(self, url: str, *, clock: Clock | None) -> None:
        address = parse_address(url)
        self.place = address.place
        self.url = address.url
        self._name = address.name
        self._clock = clock
        self._pool = ConnectionPool.from_url(
            address.url,
            decode_responses=True,
            # Half a surrogate pair in a webhook is kept as an escape, as in the other stores.
            encoding_errors="backslashreplace",
            socket_timeout=ANSWER,
            socket_connect_timeout=CONNECT,
            # What is tried again is decided below; the releases of redis-py differ in it.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Any = Redis(connection_pool=self._pool)
        self._scripts: dict[str, Script] = {}
        self._jobs: deque[_Job] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._is_open = False

    async def open(self) -> None:
        self._is_open = True
        try:
            await self._check_server()
        except BaseException:
            await self.close()
            raise

    async def _check_server(self) -> None:
        try:
            info = await self._do(self._redis.info)
        except TypeError as exc:  # redis-py takes every option of the URL for one of its own
            raise StoreError(f"store {self.place}: an option of its URL: {exc}") from None
        for warning in check(info, self.place):
            logger.warning("whatsapp.store_at_risk: %s: %s", self.place, warning)

    async def close(self) -> None:
        self._is_open = False  # from here on nothing new is taken
        if self._runner is not None:
            await asyncio.wait([self._runner])
        await self._disconnect(inuse_connections=True)

    def now(self) -> Arg:
        """Return the time as a script wants it: '' for Redis' own."""
        return "" if self._clock is None else self._clock()

    def prefix(self, part: str) -> str:
        """Return what the keys of *part* begin with; the braces keep them in one slot."""
        return f"whatsapp:{{{self._name}}}:{part}:"

    def script(self, name: str) -> Script:
        if name not in self._scripts:
            folder = resources.files(__package__)
            text = "\n".join((folder / f"{part}.lua").read_text() for part in ("prelude", name))
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            self._scripts[name] = Script(text, sha)
        return self._scripts[name]

    def submit(
        self, script: Script, prefix: str, operation: str, *args: Arg
    ) -> asyncio.Future[Any]:
        """Let *operation* be carried out after everything submitted before."""
        self._check_open()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(script, (prefix, operation, self.now(), *args), future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="whatsapp store: redis")
        return future

    async def pop(self, key: str, timeout: float) -> bool:
        """
        Wait until there is an element in the list *key*, and take it. False: there was none.

        On a connection of its own. *timeout* must be more than 0: that means for ever.
        """
        self._check_open()
        return await self._do(lambda: self._redis.blpop([key], timeout=timeout)) is not None

    async def keys(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Find the keys that begin with *prefix*, some at a time; a key may come twice."""
        self._check_open()
        pattern = GLOB.sub(r"\\\g<0>", prefix) + "*"
        cursor = None
        while cursor != 0:
            step = partial(self._redis.scan, cursor or 0, pattern, SCANNED)
            cursor, keys = await self._do(step)
            if keys:
                yield keys

    async def delete_mentions(self, prefix: str, mention: re.Pattern[str]) -> int:
        """Delete what begins with *prefix* and has *mention* in key or value; return how many."""
        deleted = 0
        async for keys in self.keys(prefix):
            texts = await self._do(partial(self._read_texts, keys))
            found = [key for key, text in texts.items() if mention.search(f"{key} {text}")]
            if found:
                deleted += int(await self._do(partial(self._redis.delete, *found)))
        return deleted

    async def _read_texts(self, keys: Sequence[str]) -> dict[str, str]:
        """Return strings and hashes as texts, by key."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.type(key)
        kinds = await pipeline.execute()
        read = [key for key, kind in zip(keys, kinds, strict=True) if kind in ("string", "hash")]
        pipeline = self._redis.pipeline(transaction=False)
        for key, kind in zip(keys, kinds, strict=True):
            if kind in ("string", "hash"):
                (pipeline.get if kind == "string" else pipeline.hgetall)(key)
        values = await pipeline.execute() if read else []
        return {key: str(value) for key, value in zip(read, values, strict=True)}

    async def _run(self) -> None:
        while self._jobs:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), LARGEST))]
            try:
                answers = await self._do(partial(self._send, jobs))
            except Exception as exc:  # whatever it is, those who wait must hear of it
                for job in jobs:
                    job.fail(exc)
            else:
                self._hand_out(jobs, answers)

    def _hand_out(self, jobs: Sequence[_Job], answers: Sequence[Any]) -> None:
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Exception):
                job.fail(explain(answer, self.place))
            else:
                job.give(answer)

    async def _send(self, jobs: Sequence[_Job]) -> Sequence[Any]:
        answers = await self._evaluate(jobs)
        unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            await self._load_scripts()
            again = await self._evaluate([jobs[n] for n in unknown])
            for n, answer in zip(unknown, again, strict=True):
                answers[n] = answer
        return answers

    async def _evaluate(self, jobs: Sequence[_Job]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for job in jobs:
            pipeline.execute_command("EVALSHA", job.script.sha, 1, *job.args)
        return list(await pipeline.execute(raise_on_error=False))

    async def _load_scripts(self) -> None:
        for script in self._scripts.values():
            await self._redis.script_load(script.text)

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError(f"store {self.place}: it is not open")

    async def _do(self, operation: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._try_twice(operation)
        except (RedisError, OSError, asyncio.TimeoutError) as exc:
            raise explain(exc, self.place) from exc

    async def _try_twice(self, operation: Callable[[], Awaitable[T]]) -> T:
        """
        Survive a restart of Redis, and proxies that close idle connections.

        The first try may have been carried out though its answer was lost. That is what a caller
        who tries again would meet too: a key that was seen before, a claim whose lease has to end.
        """
        try:
            return await operation()
        except RedisError as exc:
            if not is_lost_connection(exc):
                raise
        await self._disconnect(inuse_connections=False)
        return await operation()

    async def _disconnect(self, *, inuse_connections: bool) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._pool.disconnect(inuse_connections)
